"""Pairs of patches for one step of the cascade: what it is given, and what it should make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from retina_viewer.imaging.degradation import Degradation
from retina_viewer.networks.generator_cascade import GeneratorCascade
from retina_viewer.training.patches import PatchSource, random_low_resolution
from retina_viewer.training.recipe import DegradationRange, StepStage


def luminance(rgb: Tensor) -> Tensor:
    """BT.601 luminance: ``(N, 3, H, W)`` -> ``(N, 1, H, W)``."""
    weights = rgb.new_tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)
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


_VALIDATION_SIDE = 28  # low-resolution pixels inside the border
_CLEAN = DegradationRange(
    sigma=(0.4, 0.4), gaussian=1, bicubic=0, area=0, noise_probability=0, jpeg_probability=0
)
_VALIDATION_KERNELS = {
    "gaussian": _CLEAN,
    "bicubic": _CLEAN.model_copy(update={"gaussian": 0.0, "bicubic": 1.0}),
}


@dataclass(frozen=True)
class PatchPair:
    """``low`` is the input of the trained step, made by the frozen steps before it."""

    low: Tensor  # (N, 3, h, w)
    high: Tensor  # (N, 3, 2h, 2w)
    degradation: Tensor  # (N, 2): blur and noise of the photograph, true


class PairSource:
    """Draws pairs for step ``stage.step`` of ``cascade``, and keeps those that validate it.

    Args:
        from_photograph: the pairs begin at the small photograph, for the whole chain of steps up
            to this one; otherwise at what the frozen steps before it make of that.
    """

    def __init__(
        self,
        cascade: GeneratorCascade,
        stage: StepStage,
        degradation: DegradationRange,
        train: PatchSource,
        validation: PatchSource,
        device: torch.device,
        from_photograph: bool = False,
    ) -> None:
        self._stage, self._degradation, self._train = stage, degradation, train
        self._device = device
        self._frozen = [step.eval().requires_grad_(False) for step in cascade.steps][
            : 0 if from_photograph else stage.step - 1
        ]
        self._scale = 2**stage.step
        self._validation = self._validation_pairs(validation)

    @property
    def gaussian_share(self) -> float:
        """The share of Gaussian blur in what is trained."""
        ranges = self._degradation
        return ranges.gaussian / (ranges.gaussian + ranges.bicubic + ranges.area)

    def draw(self, count: int, rng: np.random.Generator) -> PatchPair:
        """A batch of ``count`` pairs, each from a child of ``rng`` of its own."""
        return self.draw_each(rng.spawn(count))

    def draw_each(self, rngs: Sequence[np.random.Generator]) -> PatchPair:
        """A batch with one pair from each of ``rngs``."""
        side = self._stage.patch * self._scale
        high = [self._train.draw(side, rng) for rng in rngs]
        return self._pair(high, self._degradation, rngs)

    def inside(self, images: Tensor) -> Tensor:
        """``images`` (of the result's size) without the rim, which saw no photograph beyond it."""
        rim = self._stage.border * self._scale
        return images[..., rim:-rim, rim:-rim]

    @torch.no_grad()
    def luminance_psnr(self, network: nn.Module) -> dict[str, float]:
        """Mean PSNR, dB, of the validation patches, by degradation: ``psnr_gaussian``, ..."""
        found: dict[str, float] = {}
        for kernel in self._validation:
            values = []
            for made, truth in self._validated(network, kernel):
                mse = luminance(made - truth).square().mean().clamp(min=1e-10)
                values.append(float(-10 * mse.log10()))
            found[f"psnr_{kernel}"] = float(np.mean(values))
        return found

    @torch.no_grad()
    def mean_distance(self, network: nn.Module, metric: nn.Module, count: int) -> float:
        """The mean of ``metric(made, truth)`` over the first Gaussian validation patches."""
        pairs = self.shown(network, count)
        return float(np.mean([float(metric(made, truth).mean()) for made, truth in pairs]))

    def shown(self, network: nn.Module, count: int) -> Iterator[tuple[Tensor, Tensor]]:
        """What the network makes of the first Gaussian validation patches, and the truth:
        ``(1, 3, H, W)`` in [0, 1]."""
        return islice(self._validated(network, "gaussian"), count)

    def _validated(self, network: nn.Module, kernel: str) -> Iterator[tuple[Tensor, Tensor]]:
        """What the network makes of each validation patch, and the truth, inside the rim."""
        for pair in self._validation[kernel]:
            made = network(pair.low, pair.degradation).clamp(0, 1)
            yield self.inside(made), self.inside(pair.high)

    def _validation_pairs(self, source: PatchSource) -> dict[str, list[PatchPair]]:
        """The same patches for every training: Gaussian (sigma 0.4 r) and bicubic, clean."""
        rng = np.random.default_rng(0)
        side = (_VALIDATION_SIDE + 2 * self._stage.border) * self._scale
        side -= side % (2 * self._scale)
        high = [source.draw(side, rng) for _ in range(self._stage.validation_patches)]
        return {
            name: [self._pair([h], ranges, [rng]) for h in high]
            for name, ranges in _VALIDATION_KERNELS.items()
        }

    @torch.no_grad()
    def _pair(
        self,
        high: Sequence[NDArray[np.float32]],
        ranges: DegradationRange,
        rngs: Sequence[np.random.Generator],
    ) -> PatchPair:
        degraded = [
            random_low_resolution(h, self._scale, ranges, rng)
            for h, rng in zip(high, rngs, strict=True)
        ]
        inputs = self._tensor([low for low, _ in degraded])
        degradation = degradation_tensor([formed for _, formed in degraded], self._device)
        for step in self._frozen:
            inputs = step(inputs, degradation).clamp(0, 1)
        return PatchPair(inputs, self._tensor(high), degradation)

    def _tensor(self, images: Sequence[NDArray[np.float32]]) -> Tensor:
        stack = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
        return stack.to(self._device, memory_format=torch.channels_last)


def degradation_tensor(degradations: Sequence[Degradation], device: torch.device) -> Tensor:
    """``(N, 2)`` float32: blur and noise, as the generators are told them."""
    return torch.tensor([[f.blur, f.noise] for f in degradations], device=device)
