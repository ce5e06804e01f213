"""The steps of the cascade as one module: its weights make one file, its steps one pyramid."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag
from torch import Tensor, nn

from retina_viewer.networks.generator import ResidualGenerator
from retina_viewer.networks.paper_generator import PaperGenerator
from retina_viewer.networks.plain import PlainGenerator


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StepParameters(_Step):
    """What makes one x2 step; see :class:`ResidualGenerator`."""

    kind: Literal["residual"] = "residual"
    maps: int = Field(gt=0)
    blocks: int = Field(gt=0)
    unshuffle: int = Field(default=1, gt=0)
    conditioned: bool = False


class PlainStepParameters(_Step):
    """See :class:`PlainGenerator`."""

    kind: Literal["plain"]
    maps: int = Field(gt=0)
    layers: int = Field(gt=0)
    unshuffle: int = Field(default=1, gt=0)
    conditioned: bool = False


class PaperStepParameters(_Step):
    """See :class:`PaperGenerator`."""

    kind: Literal["paper"]
    maps: int = Field(default=64, gt=0)
    blocks: int = Field(default=16, gt=0)


def _kind(step: Any) -> str:
    """A step that names no kind is a residual one: cards of the first models do not."""
    kind = step.get("kind", "residual") if isinstance(step, dict) else step.kind
    return str(kind)


AnyStepParameters = Annotated[
    Annotated[StepParameters, Tag("residual")]
    | Annotated[PlainStepParameters, Tag("plain")]
    | Annotated[PaperStepParameters, Tag("paper")],
    Discriminator(_kind),
]

Generator = ResidualGenerator | PlainGenerator | PaperGenerator
"""A network that doubles: ``(image, formation)``, see each; and its ``margin``."""


def make_generator(step: AnyStepParameters) -> Generator:
    """The network of one step, freshly initialised."""
    match step:
        case StepParameters():
            return ResidualGenerator(step.maps, step.blocks, step.unshuffle, step.conditioned)
        case PlainStepParameters():
            return PlainGenerator(step.maps, step.layers, step.unshuffle, step.conditioned)
        case PaperStepParameters():
            return PaperGenerator(step.maps, step.blocks)


class GeneratorCascade(nn.Module):
    """Networks that double in turn: step k makes level k + 1 from level k (2017, section 3.1)."""

    def __init__(self, steps: Sequence[AnyStepParameters]) -> None:
        super().__init__()
        generators = [make_generator(step) for step in steps]
        self.steps = nn.ModuleList(generators)
        self.margins = tuple(generator.margin for generator in generators)

    def forward(self, image: Tensor, formation: Tensor) -> Tensor:
        """``(N, 3, H, W)`` and ``(N, 2)`` -> ``(N, 3, 2^K H, 2^K W)`` in [0, 1]."""
        for step in self.steps:
            image = step(image, formation).clamp(0, 1)
        return image
