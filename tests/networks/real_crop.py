"""A real crop for the networks, and what each of them promises of its margin."""

import torch
from torch import Tensor, nn

TOLD = torch.tensor([[0.42, 0.3]])


def reach_of(network: nn.Module, crop: Tensor) -> int:
    """How many input pixels before the one beneath a result pixel it depends on, at most.

    Args:
        network: doubles ``(1, 3, 64, 64)``.
        crop: such an image.
    """
    reach = 0
    for place in range(64, 64 + 2 * getattr(network, "unshuffle", 1)):
        image = crop.clone().requires_grad_(True)
        network(image, TOLD)[0, :, place, place].sum().backward()
        assert image.grad is not None
        rows = torch.nonzero(image.grad.abs().sum(dim=(0, 1, 3)))[:, 0]
        reach = max(reach, place // 2 - int(rows.min()), int(rows.max()) - place // 2)
    return reach
