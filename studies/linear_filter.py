"""Linear filters for one known degradation each: the fairest row of a table.

The filter that ships (:mod:`retina_viewer.superres.linear`) is fitted with the same equations, on
the same photographs, to a mixture of degradations.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.colour import luminance
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.metrics import evaluation_mask
from retina_viewer.quality.protocols import Condition, Truth, prepare, small_image
from retina_viewer.superres.linear import LinearFilter
from retina_viewer.superres.linear_equations import NormalEquations

_SAMPLES = 20_000
_PHOTOGRAPHS_A_SET = 8
"""Eight give the same filter as all, to 0.05 dB on photographs of other cameras."""

_SOFT_AT_FULL_SIZE = ("HRF", "IDRiD", "FIVES")
"""These hold no fine detail at full size; they are shrunk before they serve as truth."""


def fit_linear_filters(
    photographs: Sequence[Photograph],
    conditions: Sequence[Condition],
    *,
    seed: int = 0,
    progress: Progress = no_progress,
) -> dict[Condition, LinearFilter]:
    """One filter for every condition; see :func:`linear_equations`."""
    equations = linear_equations(photographs, conditions, seed=seed, progress=progress)
    return {condition: equation.solved() for condition, equation in equations.items()}


def linear_equations(
    photographs: Sequence[Photograph],
    conditions: Sequence[Condition],
    *,
    seed: int = 0,
    progress: Progress = no_progress,
) -> dict[Condition, NormalEquations]:
    """The equations of every condition's filter, reading each photograph once a protocol.

    Args:
        photographs: the training photographs; never ones that are evaluated.
        conditions: what to fit for.
        seed: of the positions drawn and of the factors by which soft photographs are shrunk.

    Raises:
        UserError: there is no photograph.
    """
    if not photographs:
        raise UserError(
            "The linear filter has no photographs to learn from.",
            "Name a folder with training photographs, or leave out the method linear.",
        )
    random = np.random.default_rng(seed)
    photographs = learned_from(photographs)
    equations = {condition: NormalEquations(condition.scale) for condition in conditions}
    for done, photograph in enumerate(photographs):
        progress(done / len(photographs), "Fitting the linear filter")
        for protocol in sorted({condition.protocol for condition in conditions}):
            truth = prepare(photograph, protocol)
            if protocol == "native" and photograph.dataset in _SOFT_AT_FULL_SIZE:
                truth = _shrunk(truth, random.uniform(0.3, 0.6))
            for condition in conditions:
                if condition.protocol == protocol:
                    _accumulate(equations[condition], truth, condition, random)
    return equations


def learned_from(photographs: Sequence[Photograph]) -> list[Photograph]:
    """What a filter is fitted to: at most eight of each set, evenly spread."""
    chosen: list[Photograph] = []
    for dataset in sorted({photograph.dataset for photograph in photographs}):
        members = [photograph for photograph in photographs if photograph.dataset == dataset]
        count = min(len(members), _PHOTOGRAPHS_A_SET)
        places = np.linspace(0, len(members) - 1, count).round().astype(int)
        chosen.extend(members[place] for place in places)
    return chosen


def _shrunk(truth: Truth, factor: float) -> Truth:
    height, width = truth.mask.shape
    size = (round(width * factor), round(height * factor))
    rgb8 = cv2.resize(truth.rgb8, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(truth.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return Truth(np.asarray(rgb8, np.uint8), np.asarray(mask) > 0)


def _accumulate(
    equations: NormalEquations, truth: Truth, condition: Condition, random: np.random.Generator
) -> None:
    scale = condition.scale
    whole = truth.cropped(scale)
    small = luminance(small_image(whole, condition))
    height, width = small.shape
    inside = evaluation_mask(whole.mask, scale).reshape(height, scale, width, scale)
    usable = np.asarray(inside.all(axis=(1, 3)))
    equations.add(small, luminance(whole.rgb8), usable, _SAMPLES, random)
