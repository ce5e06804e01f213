"""The arrays of super-resolution forests: what the weights of ``sr-forest`` are checked by.

Growing is done by :mod:`studies.forest_fit`, applying, in whole numbers and
without torch's arithmetic, by :mod:`retina_viewer.superres.forest`.
"""

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

PATCH = 6
"""Side of a patch, pixels of the doubled image: three pixels of the small one."""
TARGETS = PATCH * PATCH
DERIVATIVES = 4 * TARGETS
"""First and second derivatives along both axes, of every pixel of a patch."""
STEP_MARGIN = 5
"""Small pixels: a result lies in patches centred one pixel away, which see one pixel further;
second derivatives reach one more and bicubic interpolation two."""


class ForestStepParameters(BaseModel):
    """One x2 forest."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    features: int = Field(gt=0, le=DERIVATIVES, description="after PCA")
    trees: int = Field(gt=0)
    nodes: int = Field(gt=0, description="inner nodes, of all trees")
    leaves: int = Field(gt=0, description="of all trees")
    rank: int = Field(gt=0, description="regressions that those of the leaves are mixed from")
    depth: int = Field(gt=0, description="of the deepest leaf")


class ForestParameters(BaseModel):
    """One forest a step of the cascade."""

    model_config = ConfigDict(frozen=True, extra="forbid")
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
