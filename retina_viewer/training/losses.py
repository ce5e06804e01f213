"""Loss terms that more than one task may use. All take and return float32."""

import torch
import torch.nn.functional as F
from torch import Tensor

_LUMINANCE = (0.299, 0.587, 0.114)  # BT.601


def luminance(rgb: Tensor) -> Tensor:
    """BT.601 luminance: ``(N, 3, H, W)`` -> ``(N, 1, H, W)``."""
    weights = rgb.new_tensor(_LUMINANCE).view(1, 3, 1, 1)
    return (rgb * weights).sum(dim=1, keepdim=True)


def charbonnier(difference: Tensor, epsilon: float) -> Tensor:
    """Mean of ``sqrt(d^2 + eps^2) - eps``: quadratic below ``epsilon``, linear above."""
    return (torch.sqrt(difference.square() + epsilon**2) - epsilon).mean()


def masked_bce(logits: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Binary cross-entropy over the masked pixels; targets may be shares in [0, 1]."""
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (loss * mask).sum() / mask.sum().clamp(min=1)


def masked_soft_dice(logits: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """``1 - 2 sum(p t) / sum(p^2 + t^2)`` over the masked pixels of the whole batch."""
    probability = torch.sigmoid(logits) * mask
    target = target * mask
    overlap = 2 * (probability * target).sum() + 1
    return 1 - overlap / (probability.square().sum() + target.square().sum() + 1)
