"""The threshold of a vessel model's mask, from the validation photographs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.quality.datasets import Photograph
from retina_viewer.vessels.segment import VesselSegmenter


def unbiased_threshold(segmenter: VesselSegmenter, photographs: Sequence[Photograph]) -> float:
    """The threshold at which the mask is as large as the probabilities say.

    A threshold that maximises overlap with the labels follows one observer's habit (some draw
    wide, some leave thin vessels out) and changes with the set. This one asks that the area of
    the mask be the sum of the probabilities, so that the share of the retina that is vessel is
    not biased; it needs no labels. Rounded to two digits.

    Args:
        segmenter: the trained model; its present threshold does not matter.
        photographs: of validation; every one counts alike.
    """
    found = []
    for photograph in photographs:
        rgb = photograph.read_rgb()
        field = find_field_of_view(rgb)
        found.append(area_matching(segmenter.probability(rgb, field)[field.mask]))
    return round(float(np.mean(found)), 2)


def area_matching(probabilities: NDArray[np.float32]) -> float:
    """The value that as many probabilities reach as their sum; 0.5 where the sum is below one."""
    total = int(probabilities.sum(dtype=np.float64))
    if total < 1:
        return 0.5
    return float(np.sort(probabilities)[::-1][total - 1])
