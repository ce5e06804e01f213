"""One linear filter a phase and scale: what the weights of the method ``linear`` are checked by."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

RADIUS = 4
"""Of the filters: 9 x 9 pixels of the small image."""
TAPS = (2 * RADIUS + 1) ** 2


class LinearFilters(nn.Module):
    """For each scale s a buffer ``x<s>``, ``(81, s * s)``: taps by phases, both row by row."""

    def __init__(self, scales: Sequence[int]) -> None:
        super().__init__()
        self.scales = tuple(scales)
        self.margins = (RADIUS,)
        for scale in self.scales:
            self.register_buffer(f"x{scale}", torch.zeros(TAPS, scale * scale))

    def weights(self, scale: int) -> Tensor:
        """``(81, scale * scale)`` float32."""
        return self.get_buffer(f"x{scale}")

    def forward(self, image: Tensor, scale: int) -> Tensor:
        """``(N, 1, H + 8, W + 8)`` -> ``(N, 1, scale * H, scale * W)``."""
        side = 2 * RADIUS + 1
        kernels = self.weights(scale).T.reshape(scale * scale, 1, side, side)
        return F.pixel_shuffle(F.conv2d(image, kernels), scale)
