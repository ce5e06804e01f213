"""A recipe: everything that decides what a training makes, validated, in one TOML file."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from retina_viewer.networks.architectures import (
    CascadeParameters,
    EstimatorParameters,
    UNetParameters,
)
from retina_viewer.training.ranges import Colour as Colour  # recipes are made of these too
from retina_viewer.training.ranges import DegradationRange as DegradationRange
from retina_viewer.training.ranges import Grain as Grain
from retina_viewer.training.ranges import RecipePart
from retina_viewer.training.ranges import Sharpening as Sharpening
from retina_viewer.training.recipe_file import TrainingRecipe, checked, read_content


class Optimisation(RecipePart):
    """Adam with a linear warm-up, then a half cosine down to ``final_rate``."""

    iterations: int = Field(gt=0)
    batch: int = Field(gt=0)
    rate: float = Field(gt=0)
    final_rate: float = 1e-6
    warmup: int = 100
    beta1: float = 0.9
    weight_decay: float = 0.0
    clip: float = Field(default=1.0, description="largest norm of the gradient")
    ema: float = Field(
        default=0.999, description="decay of the moving average that validation judges"
    )
    validate_every: int = Field(default=500, gt=0)
    validate_first: bool = Field(
        default=False,
        description="judge the weights it starts from too: what is kept is never worse than they",
    )
    patience: int | None = Field(
        default=None, gt=0, description="validations without a better score that end the stage"
    )


class StepStage(RecipePart):
    """One step of the cascade: where its patches lie, how long it trains."""

    step: int = Field(ge=1, le=4, description="step k doubles level k - 1")
    patch: int = Field(gt=0, description="low-resolution pixels, side of a patch")
    border: int = Field(default=3, description="low-resolution pixels at the rim outside the loss")
    validation_patches: int = Field(default=48, gt=0)
    field_diameters: tuple[float, float] | None = Field(
        default=None,
        description="of this stage, where they are not the recipe's: in deeper cascades an early "
        "step meets small fields",
    )
    grain: Grain = Grain()
    sharpening: Sharpening = Sharpening()
    colour: Colour = Colour()
    degradation: DegradationRange | None = Field(
        default=None, description="of this stage, where it is not the recipe's"
    )
    optimisation: Optimisation

    @model_validator(mode="after")
    def _something_is_left(self) -> Self:
        if self.patch <= 2 * self.border:
            raise ValueError("the border leaves nothing of the patch")
        return self


class SuperresStage(StepStage):
    """The pixel-loss training of one step, on the output of the frozen steps before it."""

    loss: Literal["charbonnier", "squared"] = Field(
        default="charbonnier", description="squared: the mean squared error, as in the 2017 paper"
    )
    charbonnier_epsilon: float = 0.01
    luminance_weight: float = Field(default=1.0, description="0 leaves the term out")
    vgg19: float = Field(
        default=0.0,
        description="between VGG-19 relu3_4 features: a content loss (Zhao 2025, eq. 3)",
    )
    together: bool = Field(
        default=False,
        description="the steps before it learn with it: each result by its own loss, and each step "
        "by those of the results that it serves",
    )


Method = Literal["srgan", "srgan-vgg19", "srcnn"]
"""Whose model a recipe makes, where it is neither the pixel-trained networks' nor the saliency
GAN's."""


class SuperresRecipe(TrainingRecipe):
    task: Literal["superres"]
    method: Method | None = None
    base: str | None = Field(
        default=None, description="a model whose weights it starts from, at most as large"
    )
    field_diameters: tuple[float, float] = (480.0, 1300.0)
    architecture: CascadeParameters
    degradation: DegradationRange = DegradationRange()
    stages: tuple[SuperresStage, ...]


class GanWeights(RecipePart):
    """The generator's loss terms, each multiplied by its weight; 0 leaves a term out.

    The 2017 paper: ``weighted`` (eq. 7) 1, ``cnn`` (eq. 8) 1, ``saliency`` (eq. 9) 1 and
    ``adversarial`` (eq. 10) 0.01, with ``pixel`` 0.
    """

    pixel: float = Field(default=1.0, description="Charbonnier, keeps colour and place")
    squared: float = Field(default=0.0, description="mean squared error, as SRGAN has it")
    weighted: float = Field(default=0.5, description="squared error weighted by saliency, eq. 7")
    saliency: float = Field(default=0.1, description="between the two saliency maps, eq. 9")
    cnn: float = Field(default=0.08, description="between the features of ``cnn_features``, eq. 8")
    adversarial: float = Field(default=5e-3, description="eq. 10, or relativistic")
    grid: float = Field(
        default=300.0, description="against a pattern of the period of the last shuffling"
    )


SaliencyKind = Literal["local", "curvature", "entropy", "filters"]


class SaliencyGanStage(StepStage):
    """The GAN training of one step, from the pixel-trained weights."""

    weights: GanWeights = GanWeights()
    weighting: Literal["paper", "truth"] = Field(
        default="truth",
        description="paper: each image by its own saliency (eq. 7); truth: the squared error by "
        "that of the true photograph, which cannot trade weight against brightness",
    )
    saliency: SaliencyKind = Field(
        default="local", description="of equations 7 and 9; filters: global, eq. 7 alone"
    )
    curvature_share: float = Field(
        default=0.4, ge=0, le=1, description="w1 of eq. 3, for local saliency"
    )
    cnn_features: Literal["vgg16", "vgg19"] = Field(
        default="vgg16", description="VGG-16 relu4_1, or VGG-19 relu3_4 (Zhao 2025)"
    )
    adversarial: Literal["paper", "relativistic"] = "relativistic"
    discriminator: Literal["plain", "vgg19"] = "plain"
    discriminator_narrow: int = Field(default=2, gt=0)
    discriminator_batch_norm: bool = Field(default=False, description="of the plain one")
    instance_noise: float = Field(default=0.02, description="standard deviation at the start")

    @model_validator(mode="after")
    def _a_map_without_gradient_is_asked_for_none(self) -> Self:
        if self.saliency == "filters" and (self.weights.saliency or self.weighting == "paper"):
            raise ValueError(
                "Saliency Filters have no gradient: set weights.saliency to 0, and weigh by truth"
            )
        return self


class SaliencyGanRecipe(TrainingRecipe):
    task: Literal["saliency-gan"]
    method: Method | None = None
    base: str = Field(description="the pixel-trained model it starts from")
    field_diameters: tuple[float, float] = (480.0, 1300.0)
    degradation: DegradationRange = DegradationRange()
    stages: tuple[SaliencyGanStage, ...]


class FormationStage(RecipePart):
    """The training of the estimator of blur and noise."""

    patches: dict[int, int] = Field(
        default={2: 72, 4: 72, 8: 44, 16: 26}, description="side in small pixels, by scale"
    )
    validation_patches: int = Field(default=48, gt=0, description="of each scale")
    grain: Grain = Grain()
    sharpening: Sharpening = Sharpening()
    degradation: DegradationRange = DegradationRange()
    optimisation: Optimisation


class FormationRecipe(TrainingRecipe):
    task: Literal["formation"]
    field_diameters: tuple[float, float] = (480.0, 1300.0)
    architecture: EstimatorParameters = EstimatorParameters()
    stages: tuple[FormationStage, ...]


class VesselAugmentation(RecipePart):
    """Random changes; each range is uniform (``scale`` in its logarithm)."""

    scale: tuple[float, float] = (0.75, 1.4)
    gain: float = Field(default=0.2, description="per channel, relative")
    gamma: tuple[float, float] = (0.7, 1.4)
    blur_sigma: float = 1.2
    noise: float = Field(default=0.03, description="largest standard deviation, of full scale")


class VesselStage(RecipePart):
    patch: int
    dice_weight: float = 0.5
    augmentation: VesselAugmentation = VesselAugmentation()
    optimisation: Optimisation


class VesselRecipe(TrainingRecipe):
    task: Literal["vessels"]
    field_diameter: int = Field(
        default=640, description="the working resolution: px across the field"
    )
    architecture: UNetParameters
    stages: tuple[VesselStage, ...]


Recipe = SuperresRecipe | SaliencyGanRecipe | FormationRecipe | VesselRecipe


_RECIPES: TypeAdapter[Recipe] = TypeAdapter(Annotated[Recipe, Field(discriminator="task")])


def load_recipe(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        UserError: unreadable, not TOML, or a field that does not fit, named in the message.
    """
    return checked(_RECIPES, read_content(path), path)
