"""The arrays of ``sr-forest`` and ``linear``: what the weights of the two methods are checked by.

:mod:`studies.forest_fit` grows forests; :mod:`retina_viewer.superres.forest` applies them, in whole
numbers and without torch's arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn
from torch.nn import functional as F

PATCH = 6
"""Side of a patch, pixels of the doubled image: three pixels of the small one."""
TARGETS = PATCH * PATCH
DERIVATIVES = 4 * TARGETS
"""First and second derivatives along both axes, of every pixel of a patch."""
STEP_MARGIN = 5
"""Small pixels: a result lies in patches centred one pixel away, which see one pixel further;
second derivatives reach one more and bicubic interpolation two."""


class ForestStepParameters(BaseModel, frozen=True, extra="forbid"):
    """One x2 forest."""

    features: int = Field(gt=0, le=DERIVATIVES, description="after PCA")
    trees: int = Field(gt=0)
    nodes: int = Field(gt=0, description="inner nodes, of all trees")
    leaves: int = Field(gt=0, description="of all trees")
    rank: int = Field(gt=0, description="regressions that those of the leaves are mixed from")
    depth: int = Field(gt=0, description="of the deepest leaf")


class ForestParameters(BaseModel, frozen=True, extra="forbid"):
    """One forest a step of the cascade."""

    steps: tuple[ForestStepParameters, ...]


class ForestArrays(nn.Module):
    """Buffers of one forest; n inner nodes, l leaves, t trees, d features, r rank.

    ``projection (144, d)`` int16, PCA; ``roots (t,)`` int32; ``first, second (n,)`` uint8: a patch
    goes right where feature ``first`` less feature ``second`` (d stands for zero) exceeds
    ``threshold (n,)`` int32; ``left, right (n,)`` int32: an inner node, or -1 less the leaf;
    ``codes (l, r)`` float16 and ``dictionary (r + 1, (d + 1) * 36)`` float32: a leaf's regression
    is the dictionary's first row and the others by the leaf's codes.
    """

    def __init__(self, step: ForestStepParameters) -> None:
        super().__init__()
        nodes = step.nodes
        shapes: dict[str, tuple[tuple[int, ...], torch.dtype]] = {
            "projection": ((DERIVATIVES, step.features), torch.int16),
            "roots": ((step.trees,), torch.int32),
            "first": ((nodes,), torch.uint8),
            "second": ((nodes,), torch.uint8),
            "threshold": ((nodes,), torch.int32),
            "left": ((nodes,), torch.int32),
            "right": ((nodes,), torch.int32),
            "codes": ((step.leaves, step.rank), torch.float16),
            "dictionary": ((step.rank + 1, (step.features + 1) * TARGETS), torch.float32),
        }
        self.shape = step
        for name, (shape, kind) in shapes.items():
            self.register_buffer(name, torch.zeros(shape, dtype=kind))


class RegressionForests(nn.Module):
    """The forests of all steps, each fitted on what those before it make."""

    def __init__(self, parameters: ForestParameters) -> None:
        super().__init__()
        self.steps = nn.ModuleList(ForestArrays(step) for step in parameters.steps)
        self.margins = (STEP_MARGIN,) * len(parameters.steps)
        self.scales = tuple(2 << number for number in range(len(parameters.steps)))


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
