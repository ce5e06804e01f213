"""What a plan means: the recipe of a fine-tuning, with defaults for a few dozen photographs.

Why these numbers: docs/decisions/fine-tuning.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, Field

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import resources_dir
from retina_viewer.finetuning.plan import OWN, REPLAY, Preset, TrainingPlan, task_of_base
from retina_viewer.model_store.card import ModelCard
from retina_viewer.networks.architectures import CascadeParameters, UNetParameters
from retina_viewer.training import recipe

Kind = TypeVar("Kind", bound=recipe.TunedRecipe)


@dataclass(frozen=True)
class PresetNumbers:
    """What a preset stands for."""

    rate: float  # a factor of the rate in the recipe of the shipped model
    patience: int  # validations without a better score
    replay: float  # share of what is drawn that is bundled photographs
    ema: float  # decay of the moving average


PRESETS: dict[Preset, PresetNumbers] = {
    "gentle": PresetNumbers(rate=0.05, patience=4, replay=0.4, ema=0.99),
    "standard": PresetNumbers(rate=0.15, patience=6, replay=0.25, ema=0.995),
    "thorough": PresetNumbers(rate=1.0, patience=10, replay=0.15, ema=0.998),
}
_PIXEL_RECIPE, _GAN_RECIPE, _VESSEL_RECIPE = "superres-pixel-fast", "saliency-gan-fast", "vessels"
"""What the shipped models were trained with: patches, batches, losses, degradation are theirs."""
_COLOUR = recipe.ColourGain(gain=0.1)
_GRAIN = recipe.Grain(probability=0.25)
_LITTLE_NOISE = {"noise_probability": 0.1, "jpeg_probability": 0.1}
"""Less than the shipped models were trained with: these photographs have their own, and the base
knows what to do with more."""
_WARMUP = 50


class StageSchedule(BaseModel, frozen=True, extra="forbid"):
    """How long one stage trains."""

    iterations: int = Field(gt=0)
    validate_every: int = Field(gt=0)
    precision: str
    seconds: float = Field(ge=0, allow_inf_nan=False)
    log_every: int = Field(gt=0)


_UNDECIDED = StageSchedule(
    iterations=1000, validate_every=100, precision="float32", seconds=0, log_every=50
)
"""What a trial of speed is run with."""


def replay_share(plan: TrainingPlan) -> float:
    """The share of what is drawn in training that is bundled photographs."""
    asked = plan.expert.replay
    return PRESETS[plan.preset].replay if asked is None else asked


def recipes_of(
    plan: TrainingPlan, base: ModelCard, schedule: Sequence[StageSchedule] | None = None
) -> list[recipe.TunedRecipe]:
    """What is trained in turn: a vessel model; a pixel-trained cascade; or for a saliency GAN its
    pixel-trained twin, then the GAN itself.

    Args:
        base: the card of ``plan.base``.
        schedule: of all stages of all recipes, in turn; None where only speed is tried.

    Raises:
        UserError: the base is no model for the plan's task, or has not all of its steps.
    """
    if task_of_base(base) != plan.task:
        raise UserError(
            f"The model {base.name!r} cannot be tuned for {plan.task}.",
            "Choose another base model.",
        )
    count = stage_count(plan, base)
    scheduled = list(schedule) if schedule is not None else [_UNDECIDED] * count
    if len(scheduled) != count:
        raise ValueError(f"{len(scheduled)} schedules for {count} stages")
    if plan.task == "vessels":
        return [_vessel_recipe(plan, base, scheduled[0])]
    missing = [step for step in plan.steps if 2**step not in base.scales]
    if missing:
        raise UserError(f"The model {base.name!r} has no step {missing[0]}.", "Train fewer steps.")
    pixel = len(plan.pixel_stages)
    recipes: list[recipe.TunedRecipe] = [_pixel_recipe(plan, base, scheduled[:pixel])]
    if base.twin is not None:
        recipes.append(_gan_recipe(plan, base, scheduled[pixel:]))
    return recipes


def stage_count(plan: TrainingPlan, base: ModelCard) -> int:
    """One for vessels; of a cascade those of ``plan.pixel_stages``, and for a saliency GAN one more
    for every step."""
    if plan.task == "vessels":
        return 1
    return len(plan.pixel_stages) + (0 if base.twin is None else len(plan.steps))


def _common(plan: TrainingPlan) -> dict[str, Any]:
    return {
        "name": f"fine-tuning-{plan.preset}",
        "title": plan.title or plan.name,
        "seed": plan.expert.seed,
        "datasets": (OWN, REPLAY),
    }


def _shipped(name: str, kind: type[Kind]) -> Kind:
    shipped = recipe.load_recipe(resources_dir() / "recipes" / f"{name}.toml")
    assert isinstance(shipped, kind)
    return shipped


def _pixel_recipe(
    plan: TrainingPlan, base: ModelCard, scheduled: Sequence[StageSchedule]
) -> recipe.SuperresRecipe:
    shipped = _shipped(_PIXEL_RECIPE, recipe.SuperresRecipe)
    last = {stage.step: stage for stage in shipped.stages}
    return recipe.SuperresRecipe(
        task="superres",
        base=base.twin or base.name,
        field_diameters=shipped.field_diameters,
        architecture=CascadeParameters.model_validate(base.parameters),
        degradation=shipped.degradation.model_copy(update=_LITTLE_NOISE),
        stages=tuple(
            last[steps[-1]].model_copy(
                update={
                    **_changes(plan, last[steps[-1]], schedule),
                    "degradation": None,  # the recipe's, not that of its last stages
                    "together": len(steps) > 1,
                }
            )
            for steps, schedule in zip(plan.pixel_stages, scheduled, strict=True)
        ),
        **_common(plan),
    )


def _gan_recipe(
    plan: TrainingPlan, base: ModelCard, scheduled: Sequence[StageSchedule]
) -> recipe.SaliencyGanRecipe:
    shipped = _shipped(_GAN_RECIPE, recipe.SaliencyGanRecipe)
    last = {stage.step: stage for stage in shipped.stages}
    return recipe.SaliencyGanRecipe(
        task="saliency-gan",
        base=base.name,
        field_diameters=shipped.field_diameters,
        degradation=shipped.degradation,
        stages=tuple(
            last[step].model_copy(update=_changes(plan, last[step], schedule))
            for step, schedule in zip(plan.steps, scheduled, strict=True)
        ),
        **_common(plan),
    )


def _changes(
    plan: TrainingPlan, stage: recipe.StepStage, schedule: StageSchedule
) -> dict[str, Any]:
    """What is other than in the shipped recipe: no sharpening, since these are the photographs
    that the model is to serve, and less grain, since they have their own."""
    return {
        "patch": plan.expert.patch or stage.patch,
        "validation_patches": plan.expert.validation_patches or stage.validation_patches,
        # Small fields are what early steps meet in deep cascades alone.
        "field_diameters": stage.field_diameters if max(plan.steps) > 2 else None,
        "grain": _GRAIN,
        "sharpening": recipe.Sharpening(),
        "colour": _COLOUR,
        "optimisation": _optimisation(plan, stage.optimisation, schedule),
    }


def _vessel_recipe(
    plan: TrainingPlan, base: ModelCard, schedule: StageSchedule
) -> recipe.VesselRecipe:
    if base.field_diameter is None:
        raise UserError(f"The card of {base.name!r} lacks the working resolution.")
    stage = _shipped(_VESSEL_RECIPE, recipe.VesselRecipe).stages[-1]
    changes = {
        "patch": plan.expert.patch or stage.patch,
        "optimisation": _optimisation(plan, stage.optimisation, schedule),
    }
    return recipe.VesselRecipe(
        task="vessels",
        field_diameter=base.field_diameter,
        architecture=UNetParameters.model_validate(base.parameters),
        stages=(stage.model_copy(update=changes),),
        **_common(plan),
    )


def _optimisation(
    plan: TrainingPlan, shipped: recipe.Optimisation, schedule: StageSchedule
) -> recipe.Optimisation:
    preset, expert = PRESETS[plan.preset], plan.expert
    return shipped.model_copy(
        update={
            "iterations": schedule.iterations,
            "validate_every": schedule.validate_every,
            "batch": expert.batch or shipped.batch,
            "rate": expert.rate or preset.rate * shipped.rate,
            "final_rate": min(shipped.final_rate, (expert.rate or shipped.rate) / 100),
            "warmup": min(_WARMUP, schedule.iterations // 10),
            "ema": preset.ema if expert.ema is None else expert.ema,
            "patience": expert.patience or preset.patience,
            "validate_first": True,
        }
    )
