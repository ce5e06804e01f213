"""What a fit leaves behind: weights and card, as a training does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retina_viewer.core.files import sha256_of
from retina_viewer.model_store.card import ModelCard
from retina_viewer.networks.fitted_arrays import LinearFilters, RegressionForests
from retina_viewer.quality.datasets import Photograph
from retina_viewer.training.outcome import training_summary, write_model
from studies.fitted_recipe import FittedRecipe

_LICENCE = "CC-BY-4.0 (fitted to CC BY 4.0 photographs)"


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
