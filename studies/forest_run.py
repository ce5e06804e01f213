"""Fits the forests of all steps in turn, each on what those before it make; resumable by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.networks.fitted_arrays import (
    DERIVATIVES,
    PATCH,
    STEP_MARGIN,
    TARGETS,
    ForestArrays,
    ForestParameters,
    ForestStepParameters,
    RegressionForests,
)
from retina_viewer.quality.datasets import Photograph
from retina_viewer.superres.forest import (
    FINER,
    LEAF_UNIT,
    LEVELS,
    Forest,
    Plane,
    Whole,
    derivatives,
    doubled,
    expanded,
    luminance_of,
    projected,
)
from retina_viewer.training.cache import open_cache
from retina_viewer.training.patches import PatchSource, random_low_resolution
from retina_viewer.training.recipe import DegradationRange
from studies.data_folders import Subset
from studies.fitted_recipe import Fitted, ForestRecipe, ForestStage
from studies.forest_fit import Samples, fit_forest

_AT_ONCE = 64  # drawn patches: a forest's leaves are then visited once for many
_CACHE_DIAMETER = 1600.0
_VALIDATION_SAMPLES = 20_000
_CLEAN = DegradationRange(
    sigma=(0.4, 0.4), gaussian=1, bicubic=0, area=0, noise_probability=0, jpeg_probability=0
)


def draw_samples(
    source: PatchSource,
    ranges: DegradationRange,
    stage: ForestStage,
    before: Sequence[Forest],
    seed: int,
    progress: Progress = no_progress,
) -> Samples:
    """``stage.samples`` patches for the step after the forests ``before``."""
    scale, rounds = 2 ** (len(before) + 1), -(-stage.samples // stage.from_a_patch)
    patches = np.empty((rounds * stage.from_a_patch, DERIVATIVES), np.int16)
    residuals = np.empty((rounds * stage.from_a_patch, TARGETS), np.float32)
    for first in range(0, rounds, _AT_ONCE):
        progress(first / rounds, "drawing patches")
        numbers = range(first, min(first + _AT_ONCE, rounds))
        rngs = [np.random.default_rng([seed, number]) for number in numbers]
        highs = [source.draw(stage.patch * scale, rng) for rng in rngs]
        levels = [
            luminance_of(random_low_resolution(high, scale, ranges, rng)[0])
            for high, rng in zip(highs, rngs, strict=True)
        ]
        for forest in before:
            levels = forest.double_all(levels)
        for number, rng, high, level in zip(numbers, rngs, highs, levels, strict=True):
            place = slice(number * stage.from_a_patch, (number + 1) * stage.from_a_patch)
            patches[place], residuals[place] = _chosen(level, luminance_of(high), stage, rng)
    return Samples(patches, residuals)


def _chosen(
    level: Plane, large: Plane, stage: ForestStage, rng: np.random.Generator
) -> tuple[NDArray[np.int16], Plane]:
    """Random patches of one level, and what each lacks of the truth, whose rim the steps ate."""
    seen = derivatives(level).reshape(-1, DERIVATIVES)
    # The level reaches five of its pixels beyond the region, the truth is wanted two beyond it.
    rim = (large.shape[0] - 2 * level.shape[0]) // 2 + 2 * (STEP_MARGIN - 2)
    inside = large[rim : large.shape[0] - rim, rim : large.shape[1] - rim]
    lacking = residual_patches(level, inside).reshape(-1, TARGETS)
    count = stage.from_a_patch
    chosen = rng.choice(len(seen), count, replace=len(seen) < count)
    return seen[chosen], lacking[chosen]


@dataclass(frozen=True, eq=False)
class _Step:
    """A finished step: its forest, dB gained on validation photographs, seconds taken."""

    arrays: ForestArrays
    gain: float
    seconds: float


def fit_forests(
    recipe: ForestRecipe,
    subsets: Mapping[Subset, list[Photograph]],
    out: Path,
    cache: Path,
    *,
    events: Callable[[Mapping[str, Any]], None] = lambda event: None,
    progress: Progress = no_progress,
) -> Fitted:
    """Fit one forest a stage of the recipe.

    Args:
        recipe: its stages are the steps of the cascade.
        subsets: trained on, and validated with.
        out: holds ``step1.safetensors`` and so on; finished steps are taken up.
        cache: where decoded photographs are kept.
        events: told of each step's samples, leaves and gain.
    """
    train, validation = (
        open_cache(subsets[part], cache / part, diameter=_CACHE_DIAMETER, with_vessels=False)
        for part in ("train", "validation")
    )
    source = PatchSource(
        train, recipe.field_diameters, recipe.grain, recipe.sharpening, recipe.colour
    )
    checking = PatchSource(validation, recipe.field_diameters)
    done: list[_Step] = []
    for number in range(len(recipe.stages)):
        path = out / f"step{number + 1}.safetensors"
        span = part_of(progress, number / len(recipe.stages), (number + 1) / len(recipe.stages))
        if not path.exists():
            before = [expanded(step.arrays) for step in done]
            _fit_step(recipe, number, source, checking, before, path, span)
        done.append(_load_step(path))
        events(
            {
                "event": "stage finished",
                "task": f"step {number + 1}",
                "leaves": done[-1].arrays.shape.leaves,
                "best_score": done[-1].gain,
            }
        )
    parameters = ForestParameters(steps=tuple(step.arrays.shape for step in done))
    network = RegressionForests(parameters)
    for empty, step in zip(network.steps, done, strict=True):
        empty.load_state_dict(step.arrays.state_dict())
    return Fitted(
        network,
        parameters.model_dump(mode="json"),
        tuple(stage.samples for stage in recipe.stages),
        {f"stage{number + 1}": step.gain for number, step in enumerate(done)},
        sum(step.seconds for step in done),
        subsets["train"],
        subsets["validation"],
    )


def _fit_step(
    recipe: ForestRecipe,
    number: int,
    source: PatchSource,
    checking: PatchSource,
    before: list[Forest],
    path: Path,
    progress: Progress,
) -> None:
    start, stage, seed = time.monotonic(), recipe.stages[number], recipe.seed + number
    drawing = part_of(progress, 0.0, 0.3)
    samples = draw_samples(source, recipe.degradation, stage, before, seed, drawing)
    arrays = fit_forest(samples, stage, seed, part_of(progress, 0.3, 1.0))
    fewer = stage.model_copy(update={"samples": _VALIDATION_SAMPLES})
    gain = gain_over_bicubic(expanded(arrays), draw_samples(checking, _CLEAN, fewer, before, 0))
    _save_step(path, arrays, gain, time.monotonic() - start)


def gain_over_bicubic(forest: Forest, samples: Samples) -> float:
    """dB of luminance by which patches come closer to the truth than bicubic's, not overlapped."""
    made = predicted_residuals(forest, projected(samples.patches, forest.projection))
    left = np.square(samples.residuals - made).mean()
    return float(10 * np.log10(np.square(samples.residuals).mean() / left))


def _save_step(path: Path, arrays: ForestArrays, gain: float, seconds: float) -> None:
    about = {
        "shape": arrays.shape.model_dump_json(),
        "gain": repr(gain),
        "seconds": repr(seconds),
    }
    with atomic_write(path, replace=True) as stream:
        stream.write(save(arrays.state_dict(), about))


def _load_step(path: Path) -> _Step:
    try:
        with safe_open(path, "pt") as stored:
            about = stored.metadata()
        arrays = ForestArrays(ForestStepParameters.model_validate_json(about["shape"]))
        arrays.load_state_dict(load_file(path))
        return _Step(arrays, float(about["gain"]), float(about["seconds"]))
    except (SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path.name} cannot be gone on from.", "Remove it.") from error


def residual_patches(small: Plane, large: Plane) -> NDArray[np.float32]:
    """What bicubic lacks.

    Args:
        small: as for :func:`~retina_viewer.superres.forest.derivatives`.
        large: ``(2 (h + 4), 2 (w + 4))``: the truth at those pixels and two more around.

    Returns:
        ``(h + 2, w + 2, 36)``, in sixteenths of :data:`LEVELS`, patches as the derivatives'.
    """
    rim = STEP_MARGIN - 4  # of the doubled plane, beyond the patches
    lacking = (large - doubled(small)[2 * rim : -2 * rim, 2 * rim : -2 * rim]) * np.float32(
        LEVELS * FINER
    )
    patches = sliding_window_view(lacking, (PATCH, PATCH))[::2, ::2]
    return np.ascontiguousarray(patches.reshape(*patches.shape[:2], TARGETS), np.float32)


def predicted_residuals(forest: Forest, features: Whole) -> NDArray[np.float64]:
    """What a forest says that bicubic lacks, as :func:`residual_patches`: ``(n, d + 2)`` to
    ``(n, 36)``."""
    return forest.predicted(features) / (LEAF_UNIT * len(forest.roots))
