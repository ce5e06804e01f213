"""A recipe: everything that decides what a training makes, validated, in one TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import read_toml
from retina_viewer.networks import architectures


class RecipePart(BaseModel):
    """Fixed once read; a field that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TrainingRecipe(RecipePart):
    """What every recipe says."""

    name: str
    version: str = "1"
    title: str
    seed: int
    threads: int | None = None
    datasets: tuple[str, ...]


class DegradationRange(RecipePart):
    """How low-resolution patches are made; widths in units of the scale r."""

    sigma: tuple[float, float] = (0.3, 0.6)
    gaussian: float = 0.55
    bicubic: float = 0.30
    area: float = 0.15
    noise_probability: float = 0.15
    noise_levels: tuple[float, float] = (0.5, 4.0)
    noise_blur: tuple[float, float] = (0.0, 0.0)  # sigma, px
    jpeg_probability: float = 0.10
    jpeg_quality: tuple[int, int] = (60, 100)


class Grain(RecipePart):
    """Sensor noise added to the sharp patch itself, before it is degraded.

    Training photographs are shrunk, which averages their noise away; a network that never saw
    noise in its target learns to take it out, and with it what looks like noise. With grain in
    the target it learns to give back as much of it as the low-resolution patch still holds.
    """

    probability: float = Field(default=0.0, ge=0, le=1)
    levels: tuple[float, float] = (0.5, 4.0)  # deviation, grey levels
    blur: tuple[float, float] = (0.0, 0.8)  # sigma, px: demosaicing


class Sharpening(RecipePart):
    """Unsharp masking of the sharp patch itself, before grain: cameras differ in how crisp they
    are, and shrunk training photographs are softer than many (docs/log.md)."""

    probability: float = Field(default=0.0, ge=0, le=1)
    amount: tuple[float, float] = (0.0, 1.0)
    sigma: tuple[float, float] = (0.6, 1.2)  # px


class ColourGain(RecipePart):
    """Another camera's colours: each channel of the sharp patch times a random gain."""

    gain: float = Field(default=0.0, ge=0, lt=1)  # largest relative change, per channel


class Optimisation(RecipePart):
    """Adam with a linear warm-up, then a half cosine down to ``final_rate``."""

    iterations: int = Field(gt=0)
    batch: int = Field(gt=0)
    rate: float = Field(gt=0)
    final_rate: float = 1e-6
    warmup: int = 100
    beta1: float = 0.9
    weight_decay: float = 0.0
    clip: float = 1.0  # largest norm of the gradient
    ema: float = 0.999  # decay of the moving average that validation judges
    validate_every: int = Field(default=500, gt=0)
    # Judge the weights it starts from too: what is kept is never worse than they
    validate_first: bool = False
    # Validations without a better score that end the stage
    patience: int | None = Field(default=None, gt=0)


class StepStage(RecipePart):
    """One step of the cascade: where its patches lie, how long it trains."""

    step: int = Field(ge=1, le=4)  # step k doubles level k - 1
    patch: int = Field(gt=0)  # low-resolution pixels, side of a patch
    border: int = 3  # low-resolution pixels at the rim outside the loss
    validation_patches: int = Field(default=48, gt=0)
    # Of this stage, where they are not the recipe's: in deeper cascades an early step meets
    # small fields
    field_diameters: tuple[float, float] | None = None
    grain: Grain = Grain()
    sharpening: Sharpening = Sharpening()
    colour: ColourGain = ColourGain()
    degradation: DegradationRange | None = None  # of this stage, where it is not the recipe's
    optimisation: Optimisation

    @model_validator(mode="after")
    def _something_is_left(self) -> Self:
        if self.patch <= 2 * self.border:
            raise ValueError("the border leaves nothing of the patch")
        return self


class SuperresStage(StepStage):
    """The pixel-loss training of one step, on the output of the frozen steps before it."""

    # squared: the mean squared error, as in the 2017 paper
    loss: Literal["charbonnier", "squared"] = "charbonnier"
    charbonnier_epsilon: float = 0.01
    luminance_weight: float = 1.0  # 0 leaves the term out
    vgg19: float = 0.0  # between VGG-19 relu3_4 features: a content loss (Zhao 2025, eq. 3)
    # The steps before it learn with it: each result by its own loss, and each step by those
    # of the results that it serves
    together: bool = False


RecipeMethod = Literal["srgan", "srgan-vgg19", "srcnn"]
"""Whose model a recipe makes, where it is neither the pixel-trained networks' nor the saliency
GAN's."""


class SuperresRecipe(TrainingRecipe):
    task: Literal["superres"]
    method: RecipeMethod | None = None
    base: str | None = None  # a model whose weights it starts from, at most as large
    field_diameters: tuple[float, float] = (480.0, 1300.0)
    architecture: architectures.CascadeParameters
    degradation: DegradationRange = DegradationRange()
    stages: tuple[SuperresStage, ...]


class GanWeights(RecipePart):
    """The generator's loss terms, each multiplied by its weight; 0 leaves a term out.

    The 2017 paper: ``weighted`` (eq. 7) 1, ``cnn`` (eq. 8) 1, ``saliency`` (eq. 9) 1 and
    ``adversarial`` (eq. 10) 0.01, with ``pixel`` 0.
    """

    pixel: float = 1.0  # Charbonnier, keeps colour and place
    squared: float = 0.0  # mean squared error, as SRGAN has it
    weighted: float = 0.5  # squared error weighted by saliency, eq. 7
    saliency: float = 0.1  # between the two saliency maps, eq. 9
    cnn: float = 0.08  # between the features of ``cnn_features``, eq. 8
    adversarial: float = 5e-3  # eq. 10, or relativistic
    grid: float = 300.0  # against a pattern of the period of the last shuffling


SaliencyKind = Literal["local", "curvature", "entropy", "filters"]


class SaliencyGanStage(StepStage):
    """The GAN training of one step, from the pixel-trained weights."""

    weights: GanWeights = GanWeights()
    # paper: each image by its own saliency (eq. 7); truth: the squared error by that of the
    # true photograph, which cannot trade weight against brightness
    weighting: Literal["paper", "truth"] = "truth"
    saliency: SaliencyKind = "local"  # of equations 7 and 9; filters: global, eq. 7 alone
    curvature_share: float = Field(default=0.4, ge=0, le=1)  # w1 of eq. 3, for local saliency
    # VGG-16 relu4_1, or VGG-19 relu3_4 (Zhao 2025)
    cnn_features: Literal["vgg16", "vgg19"] = "vgg16"
    adversarial: Literal["paper", "relativistic"] = "relativistic"
    discriminator: Literal["plain", "vgg19"] = "plain"
    discriminator_narrow: int = Field(default=2, gt=0)
    discriminator_batch_norm: bool = False  # of the plain one
    instance_noise: float = 0.02  # standard deviation at the start

    @model_validator(mode="after")
    def _a_map_without_gradient_is_asked_for_none(self) -> Self:
        if self.saliency == "filters" and (self.weights.saliency or self.weighting == "paper"):
            raise ValueError(
                "Saliency Filters have no gradient: set weights.saliency to 0, and weigh by truth"
            )
        return self


class SaliencyGanRecipe(TrainingRecipe):
    task: Literal["saliency-gan"]
    method: RecipeMethod | None = None
    base: str  # the pixel-trained model it starts from
    field_diameters: tuple[float, float] = (480.0, 1300.0)
    degradation: DegradationRange = DegradationRange()
    stages: tuple[SaliencyGanStage, ...]


class FormationStage(RecipePart):
    """The training of the estimator of blur and noise."""

    patches: dict[int, int] = {2: 72, 4: 72, 8: 44, 16: 26}  # side in small pixels, by scale
    validation_patches: int = Field(default=48, gt=0)  # of each scale
    grain: Grain = Grain()
    sharpening: Sharpening = Sharpening()
    degradation: DegradationRange = DegradationRange()
    optimisation: Optimisation


class FormationRecipe(TrainingRecipe):
    task: Literal["formation"]
    field_diameters: tuple[float, float] = (480.0, 1300.0)
    architecture: architectures.EstimatorParameters = architectures.EstimatorParameters()
    stages: tuple[FormationStage, ...]


class VesselAugmentation(RecipePart):
    """Random changes; each range is uniform (``scale`` in its logarithm)."""

    scale: tuple[float, float] = (0.75, 1.4)
    gain: float = 0.2  # per channel, relative
    gamma: tuple[float, float] = (0.7, 1.4)
    blur_sigma: float = 1.2
    noise: float = 0.03  # largest standard deviation, of full scale


class VesselStage(RecipePart):
    patch: int
    dice_weight: float = 0.5
    augmentation: VesselAugmentation = VesselAugmentation()
    optimisation: Optimisation


class VesselRecipe(TrainingRecipe):
    task: Literal["vessels"]
    field_diameter: int = 640  # the working resolution: px across the field
    architecture: architectures.UNetParameters
    stages: tuple[VesselStage, ...]


TunedRecipe = SuperresRecipe | SaliencyGanRecipe | VesselRecipe
Recipe = SuperresRecipe | SaliencyGanRecipe | FormationRecipe | VesselRecipe
_Recipe = TypeVar("_Recipe")
_RECIPES: TypeAdapter[Recipe] = TypeAdapter(Annotated[Recipe, Field(discriminator="task")])


def load_recipe(path: Path) -> Recipe:
    """Read and check a recipe; UserError names the field that does not fit."""
    return checked(_RECIPES, read_toml(path, "recipe"), path)


def checked(recipes: TypeAdapter[_Recipe], content: dict[str, Any], path: Path) -> _Recipe:
    """The recipe that ``content``, read from ``path``, is of."""
    try:
        return recipes.validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(f"The recipe {path.name} is wrong at {where!r}: {first['msg']}.") from error
