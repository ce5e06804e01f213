"""What a super-resolution forest learns from: patches of small images made of photographs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.networks.fitted_arrays import DERIVATIVES, STEP_MARGIN, TARGETS
from retina_viewer.superres.forest import (
    Forest,
    Plane,
    derivatives,
    luminance_of,
    residual_patches,
)
from retina_viewer.training.patches import PatchSource, random_low_resolution
from retina_viewer.training.recipe import DegradationRange
from studies.fitted_recipe import ForestStage
from studies.forest_fit import Samples

_AT_ONCE = 64  # drawn patches: a forest's leaves are then visited once for many


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
