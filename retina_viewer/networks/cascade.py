"""The steps of the cascade as one module: its weights make one file, its steps one pyramid."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from retina_viewer.networks.generator import ResidualGenerator


class StepParameters(BaseModel):
    """What makes one x2 step; see :class:`ResidualGenerator`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    maps: int
    blocks: int
    unshuffle: int = 1
    conditioned: bool = False


class GeneratorCascade(nn.Module):
    """Networks that double in turn: step k makes level k + 1 from level k (2017, section 3.1)."""

    def __init__(self, steps: Sequence[StepParameters]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            ResidualGenerator(step.maps, step.blocks, step.unshuffle, step.conditioned)
            for step in steps
        )

    def forward(self, image: Tensor, formation: Tensor) -> Tensor:
        """``(N, 3, H, W)`` and ``(N, 2)`` -> ``(N, 3, 2^K H, 2^K W)`` in [0, 1]."""
        for step in self.steps:
            image = step(image, formation).clamp(0, 1)
        return image
