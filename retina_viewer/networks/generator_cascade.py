"""The steps of the cascade as one module: its weights make one file, its steps one pyramid."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, PositiveFloat, Tag, field_validator
from torch import Tensor, nn

from retina_viewer.networks.generator import ResidualGenerator
from retina_viewer.networks.leaky_generator import LeakyGenerator
from retina_viewer.networks.paper_generator import PaperGenerator
from retina_viewer.networks.plain import PlainGenerator
from retina_viewer.networks.srcnn import SRCNN


class StepParameters(BaseModel, frozen=True, extra="forbid"):
    """What makes one x2 step; see :class:`ResidualGenerator`."""

    kind: Literal["residual"] = "residual"
    maps: int = Field(gt=0)
    blocks: int = Field(gt=0)
    unshuffle: int = Field(default=1, gt=0)
    conditioned: bool = False
    slope: float = Field(default=0.0, ge=0.0, lt=1.0)


class PlainStepParameters(BaseModel, frozen=True, extra="forbid"):
    """See :class:`PlainGenerator`."""

    kind: Literal["plain"]
    maps: int = Field(gt=0)
    layers: int = Field(gt=0)
    unshuffle: int = Field(default=1, gt=0)
    conditioned: bool = False


class PaperStepParameters(BaseModel, frozen=True, extra="forbid"):
    """See :class:`PaperGenerator`."""

    kind: Literal["paper"]
    maps: int = Field(default=64, gt=0)
    blocks: int = Field(default=16, gt=0)


class SrcnnStepParameters(BaseModel, frozen=True, extra="forbid"):
    """See :class:`SRCNN`."""

    kind: Literal["srcnn"]
    sides: tuple[int, int, int] = (9, 5, 5)
    maps: tuple[int, int] = (64, 32)

    @field_validator("sides")
    @classmethod
    def _odd(cls, sides: tuple[int, int, int]) -> tuple[int, int, int]:
        if any(side < 1 or side % 2 == 0 for side in sides):
            raise ValueError("the sides of the kernels must be odd")
        return sides


class LeakyStepParameters(BaseModel, frozen=True, extra="forbid"):
    """See :class:`LeakyGenerator`."""

    kind: Literal["leaky"]
    mean: tuple[float, float, float]
    deviation: tuple[PositiveFloat, PositiveFloat, PositiveFloat]
    maps: int = Field(default=48, gt=0)
    blocks: int = Field(default=5, gt=0)
    unshuffle: int = Field(default=1, gt=0)


def _kind(step: Any) -> str:
    """A step that names no kind is a residual one: cards of the first models do not."""
    kind = step.get("kind", "residual") if isinstance(step, dict) else getattr(step, "kind", "")
    return str(kind)  # what is no step has no kind, and is refused by name


AnyStepParameters = Annotated[
    Annotated[StepParameters, Tag("residual")]
    | Annotated[PlainStepParameters, Tag("plain")]
    | Annotated[PaperStepParameters, Tag("paper")]
    | Annotated[SrcnnStepParameters, Tag("srcnn")]
    | Annotated[LeakyStepParameters, Tag("leaky")],
    Discriminator(_kind),
]

Generator = ResidualGenerator | PlainGenerator | PaperGenerator | SRCNN | LeakyGenerator
"""A network that doubles: ``(image, degradation)``, see each; and its ``margin``."""


def make_generator(step: AnyStepParameters) -> Generator:
    """The network of one step, freshly initialised."""
    match step:
        case StepParameters():
            return ResidualGenerator(
                step.maps, step.blocks, step.unshuffle, step.conditioned, step.slope
            )
        case PlainStepParameters():
            return PlainGenerator(step.maps, step.layers, step.unshuffle, step.conditioned)
        case PaperStepParameters():
            return PaperGenerator(step.maps, step.blocks)
        case SrcnnStepParameters():
            return SRCNN(step.sides, step.maps)
        case LeakyStepParameters():
            return LeakyGenerator(step.mean, step.deviation, step.maps, step.blocks, step.unshuffle)


class Chain(nn.Module):
    """Networks that double in turn."""

    def __init__(self, steps: Iterable[nn.Module]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(steps)

    def forward(self, image: Tensor, degradation: Tensor) -> Tensor:
        """``(N, 3, H, W)`` and ``(N, 2)`` -> ``(N, 3, 2^K H, 2^K W)`` in [0, 1]."""
        for step in self.steps:
            image = step(image, degradation).clamp(0, 1)
        return image


class GeneratorCascade(Chain):
    """Step k makes level k + 1 from level k (2017, section 3.1)."""

    def __init__(self, steps: Sequence[AnyStepParameters]) -> None:
        generators = [make_generator(step) for step in steps]
        super().__init__(generators)
        self.margins = tuple(generator.margin for generator in generators)
        self.scales = tuple(2 << number for number in range(len(generators)))
