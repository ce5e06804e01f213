"""The parts of a picture that are neither its dark border nor the paper around a photograph.

Kept apart from :mod:`retina_viewer.imaging.field_of_view`, which fits circles to them.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST_CONTRAST = 8
"""Grey levels: what stands out from black by less is black."""
_DARKEST_BORDER = 40
"""A border brighter than this (of 255) is taken for retina, unless it is paper."""
_CONTRAST = 0.08
"""What is brighter than the border by this part of the retina's own brightness is retina."""
_PAPER = 170
"""Paper is at least so bright in every channel ..."""
_PAPER_TINT = 40
"""... its channels differ by no more than this ..."""
_PAPER_CORNERS = 3
"""... and it fills so many of the picture's corners."""
_PAPER_SHADE = 30
"""How much darker than its darkest corner paper may be."""
_LEAST_SIDE = 8
"""Working pixels; what is narrower is lettering, or too small to be looked at."""
_LEAST_PART = 0.1
"""Of the largest region's area: labels and logos are smaller."""


def paper_in(small: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where white paper is: ``(h, w)`` bool for ``(h, w, 3)``; nowhere unless it fills the corners.

    The corners of a retina that fills its frame are red, or grey but darker.
    """
    darkest, brightest = small.min(axis=2).astype(np.int16), small.max(axis=2)
    neutral = brightest - darkest <= _PAPER_TINT
    white = neutral & (darkest >= _PAPER)
    papers = [np.median(darkest[box]) for box in _corners(small) if white[box].mean() > 0.5]
    if len(papers) < _PAPER_CORNERS:
        return np.zeros_like(white)
    return np.asarray(neutral & (darkest >= min(papers) - _PAPER_SHADE))


def _corners(plane: NDArray[np.uint8]) -> list[tuple[slice, slice]]:
    """A fortieth of the shorter side in each corner, at least three pixels."""
    side = max(3, min(plane.shape[:2]) // 40)
    ends = slice(None, side), slice(-side, None)
    return [(rows, columns) for rows in ends for columns in ends]


def lit_regions(level: NDArray[np.uint8], *, is_paper: bool) -> list[NDArray[np.uint8]]:
    """The regions brighter than the border, holes filled, the largest first.

    Args:
        level: ``(h, w)`` brightness; 0 where paper is.
        is_paper: whether there is any.

    Returns:
        ``(h, w)`` uint8 each, 0 or 1; none where the picture has no border.
    """
    threshold = _threshold(level, is_paper)
    if threshold is None:
        return []
    bright = (level > threshold).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA]
    sides = np.minimum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    least = min(_LEAST_SIDE, *level.shape)
    chosen = [number for number in range(1, count) if sides[number] >= least]
    chosen.sort(key=lambda number: -int(areas[number]))
    return [
        _filled(labels == number)
        for number in chosen
        if areas[number] >= _LEAST_PART * areas[chosen[0]]
    ]


def _threshold(level: NDArray[np.uint8], is_paper: bool) -> float | None:
    """The level above which there is retina; None without a border."""
    if is_paper:
        shown = level[level > 0]
        if not shown.size:
            return None
        # Around the photograph there may be paper at once, or its own dark surround first.
        border = min(2.0 * LEAST_CONTRAST, float(np.percentile(shown, 1)))
        return border + max(LEAST_CONTRAST, _CONTRAST * float(np.percentile(shown, 80)))
    border = min(float(np.median(level[box])) for box in _corners(level))
    retina = float(np.percentile(level, 80))
    if retina <= border + LEAST_CONTRAST and (lit := level > border + LEAST_CONTRAST).any():
        retina = float(np.percentile(level[lit], 80))  # less than a fifth of the picture is lit
    threshold = border + max(LEAST_CONTRAST, _CONTRAST * (retina - border))
    if border > _DARKEST_BORDER or retina <= threshold:
        return None
    return threshold


def _filled(region: NDArray[np.bool_]) -> NDArray[np.uint8]:
    found = region.astype(np.uint8)
    contours, _ = cv2.findContours(found, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(found, contours, -1, 1, cv2.FILLED)
    return found
