"""Fits what a recipe of the linear filter or the forest says."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.model_store.card import ModelCard
from retina_viewer.quality.datasets import split
from studies.data_folders import find_photographs
from studies.fitted_model import write_fitted_model
from studies.fitted_recipe import FittedRecipe, LinearRecipe
from studies.forest_run import fit_forests
from studies.linear_fit import fit_filters


def fit(
    recipe: FittedRecipe,
    recipe_file: Path,
    data: Path,
    out: Path,
    cache: Path,
    *,
    events: Callable[[Mapping[str, Any]], None] = lambda event: None,
    progress: Progress = no_progress,
) -> ModelCard:
    """Fit the recipe's model on the training photographs in ``data``; leave it in ``out/model``.

    Forests go on after the steps that an interrupted fit has left in ``out``.

    Args:
        recipe: read from ``recipe_file``.
        out: a folder that exists.
        cache: where decoded photographs are kept; made if missing.
        events: told of the start, of each step's end, and of the model.
        progress: may raise Cancelled.

    Raises:
        UserError: a set of the recipe is missing, or ``out`` cannot be written.
    """
    found = [p for p in find_photographs(data) if p.dataset in recipe.datasets]
    missing = set(recipe.datasets) - {p.dataset for p in found}
    if missing:
        raise UserError(f"The data folder lacks {', '.join(sorted(missing))}.")
    if recipe.threads is not None:
        torch.set_num_threads(recipe.threads)
    subsets = split(found)
    events({"event": "start", "task": recipe.task, "device": "cpu", "name": recipe.name})
    if isinstance(recipe, LinearRecipe):
        fitted = fit_filters(recipe, subsets["train"], progress)
    else:
        fitted = fit_forests(recipe, subsets, out, cache, events=events, progress=progress)
    card = write_fitted_model(recipe, recipe_file, fitted, out)
    events({"event": "model", "folder": str(out / "model"), "name": card.name})
    return card
