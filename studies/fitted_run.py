"""Fits what a recipe of the linear filter or the forest says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.model_store.card import ModelCard
from retina_viewer.networks.fitted_arrays import LinearFilters
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition
from studies.data_folders import divided
from studies.fitted_recipe import Fitted, FittedRecipe, LinearRecipe, write_fitted_model
from studies.forest_run import fit_forests
from studies.linear_filter import learned_from, linear_equations


def fit_filters(
    recipe: LinearRecipe, photographs: Sequence[Photograph], progress: Progress = no_progress
) -> Fitted:
    """Fit the filter of every scale.

    Args:
        recipe: scales, mixture, seed.
        photographs: the training photographs; eight of each set are used.

    Raises:
        UserError: there is none, or one cannot be read.
    """
    start = time.monotonic()
    kernels: tuple[Kernel, ...] = ("gaussian", "bicubic") if recipe.bicubic else ("gaussian",)
    conditions = [
        Condition("native", kernel, scale) for scale in recipe.scales for kernel in kernels
    ]
    equations = linear_equations(photographs, conditions, seed=recipe.seed, progress=progress)
    network, samples = LinearFilters(recipe.scales), []
    for scale in recipe.scales:
        mixed = equations[Condition("native", "gaussian", scale)]
        if recipe.bicubic:
            mixed = mixed.plus(equations[Condition("native", "bicubic", scale)], recipe.bicubic)
        network.weights(scale).copy_(torch.from_numpy(mixed.solved().weights))
        samples.append(mixed.samples)
    return Fitted(
        network,
        {"scales": list(recipe.scales)},
        tuple(samples),
        {},
        time.monotonic() - start,
        learned_from(photographs),
    )


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
    subsets = divided(data, recipe.datasets)
    if recipe.threads is not None:
        torch.set_num_threads(recipe.threads)
    events({"event": "start", "task": recipe.task, "device": "cpu", "name": recipe.name})
    if isinstance(recipe, LinearRecipe):
        fitted = fit_filters(recipe, subsets["train"], progress)
    else:
        fitted = fit_forests(recipe, subsets, out, cache, events=events, progress=progress)
    card = write_fitted_model(recipe, recipe_file, fitted, out)
    events({"event": "model", "folder": str(out / "model"), "name": card.name})
    return card
