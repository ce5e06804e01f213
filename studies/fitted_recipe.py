"""Recipes of what is fitted rather than trained step by step: the linear filter, the forest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from retina_viewer.core.files import read_toml, sha256_of
from retina_viewer.model_store.card import ModelCard
from retina_viewer.networks.fitted_arrays import LinearFilters, RegressionForests
from retina_viewer.quality.datasets import Photograph
from retina_viewer.training.outcome import training_summary, write_model
from retina_viewer.training.recipe import (
    ColourGain,
    DegradationRange,
    Grain,
    RecipePart,
    Sharpening,
    TrainingRecipe,
    checked,
)

_LICENCE = "CC-BY-4.0 (fitted to CC BY 4.0 photographs)"
_TASKS = ("linear", "sr-forest")


@dataclass(frozen=True)
class Fitted:
    """What was fitted, and to what.

    Args:
        parameters: the architecture's.
        samples: how many each stage learned from.
        validation: dB better than bicubic on validation photographs, by stage; may be empty.
        seconds: all of it took.
    """

    network: LinearFilters | RegressionForests
    parameters: dict[str, Any]
    samples: tuple[int, ...]
    validation: dict[str, float]
    seconds: float
    train: Sequence[Photograph]
    checked_on: Sequence[Photograph] = ()


def write_fitted_model(
    recipe: FittedRecipe, recipe_file: Path, fitted: Fitted, out: Path
) -> ModelCard:
    """Leave the model in ``out/model``.

    Raises:
        UserError: it cannot be written.
    """
    network = fitted.network
    forests = isinstance(network, RegressionForests)
    return write_model(
        out / "model",
        network.state_dict(),
        name=recipe.name,
        version=recipe.version,
        title=recipe.title,
        task="superres",
        method=recipe.task,
        architecture="regression-forests" if forests else "linear-filters",
        parameters=fitted.parameters,
        scales=network.scales,
        margins=network.margins,
        licence=_LICENCE,
        training=training_summary(
            fitted.train,
            fitted.checked_on,
            [sha256_of(photograph.image) for photograph in fitted.train],
            recipe=recipe.name,
            recipe_sha256=sha256_of(recipe_file),
            seed=recipe.seed,
            iterations=fitted.samples,
            best_iterations=fitted.samples,
            seconds=round(fitted.seconds),
            precision="float64",
            device="cpu",
        ),
        validation=fitted.validation,
    )


class LinearRecipe(TrainingRecipe):
    """Fitted to Gaussian blur of sigma 0.4 r, mixed with bicubic shrinking; 8 bits, no noise."""

    task: Literal["linear"]
    scales: tuple[Literal[2, 4, 8, 16], ...] = (2, 4, 8, 16)
    bicubic: float = Field(ge=0, lt=1, description="share of the samples shrunk by bicubic")


class ForestStage(RecipePart):
    """The forest of one step; the defaults are Schulter's, where he gives any."""

    patch: int = Field(gt=0, description="low-resolution pixels, side of a drawn patch")
    samples: int = Field(gt=0, description="patches of 6 x 6 that are learned from")
    from_a_patch: int = Field(default=200, gt=0, description="of them; near ones tell little new")
    features: float = Field(default=0.999, gt=0, lt=1, description="energy that PCA keeps")
    trees: int = Field(default=10, gt=0)
    depth: int = Field(default=15, gt=0)
    smallest_leaf: int = Field(default=64, gt=0, description="samples")
    share: float = Field(default=0.75, gt=0, le=1, description="of the samples, for each tree")
    candidates: int = Field(default=128, gt=0, description="splits that a node chooses from")
    judged_on: int = Field(default=512, gt=0, description="samples of a node that judge a split")
    ridge: float = Field(default=0.01, gt=0, description="luminance in [0, 1]")
    rank: int = Field(default=96, gt=0, description="of all leaves' regressions together")


class ForestRecipe(TrainingRecipe):
    task: Literal["sr-forest"]
    field_diameters: tuple[float, float] = (480.0, 1300.0)
    degradation: DegradationRange
    grain: Grain = Grain()
    sharpening: Sharpening = Sharpening()
    colour: ColourGain = ColourGain()
    stages: tuple[ForestStage, ...] = Field(min_length=1, max_length=4)


FittedRecipe = LinearRecipe | ForestRecipe


_RECIPES: TypeAdapter[FittedRecipe] = TypeAdapter(
    Annotated[FittedRecipe, Field(discriminator="task")]
)


def load_fitted_recipe(path: Path) -> FittedRecipe | None:
    """Read and check a recipe; None where it is readable and of another task.

    Raises:
        UserError: unreadable, not TOML, or a field that does not fit, named in the message.
    """
    content = read_toml(path, "recipe")
    return checked(_RECIPES, content, path) if content.get("task") in _TASKS else None
