"""What a fit leaves behind: weights and card, as a training does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from retina_viewer.model_store.card import ModelCard, TrainingSummary
from retina_viewer.model_store.store import save_card, save_weights
from retina_viewer.networks.fitted_arrays import LinearFilters, RegressionForests
from retina_viewer.quality.datasets import Photograph
from retina_viewer.training.outcome import training_summary
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
    folder = out / "model"
    folder.mkdir(parents=True, exist_ok=True)
    network = fitted.network
    forests = isinstance(network, RegressionForests)
    card = ModelCard(
        name=recipe.name,
        version=recipe.version,
        title=recipe.title,
        task="superres",
        method=recipe.task,
        architecture="regression-forests" if forests else "linear-filters",
        parameters=fitted.parameters,
        scales=network.scales,
        margins=network.margins,
        weights_sha256=save_weights(network.state_dict(), folder),
        licence=_LICENCE,
        training=_summary(recipe, recipe_file, fitted),
        validation=fitted.validation,
        created=datetime.now(UTC).date(),
    )
    save_card(card, folder)
    return card


def _summary(recipe: FittedRecipe, recipe_file: Path, fitted: Fitted) -> TrainingSummary:
    return training_summary(
        recipe,
        recipe_file,
        fitted.train,
        fitted.checked_on,
        iterations=fitted.samples,
        best_iterations=fitted.samples,
        seconds=fitted.seconds,
        precision="float64",
        device="cpu",
    )
