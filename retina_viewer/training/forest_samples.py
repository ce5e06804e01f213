"""What a super-resolution forest learns from: patches of small images made of photographs."""

from collections.abc import Sequence

import numpy as np

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.networks.forest import DERIVATIVES, TARGETS
from retina_viewer.superres.forest import Forest
from retina_viewer.superres.forest_features import (
    Plane,
    derivatives,
    luminance_of,
    residual_patches,
)
from retina_viewer.training.degradation import random_low_resolution
from retina_viewer.training.fitted_recipe import ForestStage
from retina_viewer.training.forest_fit import Samples
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import DegradationRange

_FROM_A_PATCH = 200  # of some thousand that overlap: near ones tell nothing new


def level_pair(large: Plane, small: Plane, before: Sequence[Forest]) -> tuple[Plane, Plane]:
    """What a step is given and should make.

    Args:
        large: the truth, luminance, ``2^k`` times the small image.
        small: as degraded.
        before: the forests of the ``k - 1`` steps before.

    Returns:
        The input, ``(h + 10, w + 10)``, and the truth of the pixels that the input's doubled
        plane covers, ``(2 (h + 10), 2 (w + 10))``.
    """
    level = small
    for forest in before:
        level = forest.double(level)
    rim = (large.shape[0] - 2 * level.shape[0]) // 2
    inside = large[rim : large.shape[0] - rim, rim : large.shape[1] - rim]
    return level, inside


def draw_samples(
    source: PatchSource,
    ranges: DegradationRange,
    stage: ForestStage,
    before: Sequence[Forest],
    seed: int,
    progress: Progress = no_progress,
) -> Samples:
    """``stage.samples`` patches for the step after the forests ``before``."""
    scale, rounds = 2 ** (len(before) + 1), -(-stage.samples // _FROM_A_PATCH)
    patches = np.empty((rounds * _FROM_A_PATCH, DERIVATIVES), np.int16)
    residuals = np.empty((rounds * _FROM_A_PATCH, TARGETS), np.float32)
    for number in range(rounds):
        progress(number / rounds, "drawing patches")
        rng = np.random.default_rng([seed, number])
        high = source.draw(stage.patch * scale, rng)
        low, _ = random_low_resolution(high, scale, ranges, rng)
        small, large = level_pair(luminance_of(high), luminance_of(low), before)
        seen = derivatives(small).reshape(-1, DERIVATIVES)
        lacking = residual_patches(small, large[6:-6, 6:-6]).reshape(-1, TARGETS)
        chosen = rng.choice(len(seen), _FROM_A_PATCH, replace=len(seen) < _FROM_A_PATCH)
        place = slice(number * _FROM_A_PATCH, (number + 1) * _FROM_A_PATCH)
        patches[place], residuals[place] = seen[chosen], lacking[chosen]
    return Samples(patches, residuals)
