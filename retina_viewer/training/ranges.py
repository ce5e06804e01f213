"""The parts of a recipe that say how patches are changed: each a range to draw from."""

from pydantic import BaseModel, ConfigDict, Field


class RecipePart(BaseModel):
    """Fixed once read; a field that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DegradationRange(RecipePart):
    """How low-resolution patches are made; widths in units of the scale r."""

    sigma: tuple[float, float] = (0.3, 0.6)
    gaussian: float = 0.55
    bicubic: float = 0.30
    area: float = 0.15
    noise_probability: float = 0.15
    noise_levels: tuple[float, float] = (0.5, 4.0)
    noise_blur: tuple[float, float] = Field(default=(0.0, 0.0), description="sigma, px")
    jpeg_probability: float = 0.10
    jpeg_quality: tuple[int, int] = (60, 100)


class Grain(RecipePart):
    """Sensor noise added to the sharp patch itself, before it is degraded.

    Training photographs are shrunk, which averages their noise away; a network that never saw
    noise in its target learns to take it out, and with it what looks like noise. With grain in
    the target it learns to give back as much of it as the low-resolution patch still holds.
    """

    probability: float = Field(default=0.0, ge=0, le=1)
    levels: tuple[float, float] = Field(default=(0.5, 4.0), description="deviation, grey levels")
    blur: tuple[float, float] = Field(default=(0.0, 0.8), description="sigma, px: demosaicing")


class Sharpening(RecipePart):
    """Unsharp masking of the sharp patch itself, before grain: cameras differ in how crisp they
    are, and shrunk training photographs are softer than many (docs/experiments.md)."""

    probability: float = Field(default=0.0, ge=0, le=1)
    amount: tuple[float, float] = (0.0, 1.0)
    sigma: tuple[float, float] = Field(default=(0.6, 1.2), description="px")


class Colour(RecipePart):
    """Another camera's colours: each channel of the sharp patch times a random gain."""

    gain: float = Field(default=0.0, ge=0, lt=1, description="largest relative change, per channel")
