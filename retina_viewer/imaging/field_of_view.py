"""Where the retina is in a photograph: the disk that the camera's aperture lets through."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class FieldOfView:
    """The field of view, in source pixels.

    Attributes:
        mask: ``(H, W)`` bool, true on the retina.
        centre_x: of the circle through the rim; pixel centres lie at whole numbers.
        centre_y: likewise; it may lie outside the image.
        diameter: of that circle, also where the frame cuts it at the top and bottom. Where no rim
            is seen: the longer side.
        is_whole_image: no dark border was found, the mask is true everywhere.
        is_black: the image holds nothing but black (the mask is true everywhere then).
    """

    mask: NDArray[np.bool_]
    centre_x: float
    centre_y: float
    diameter: float
    is_whole_image: bool
    is_black: bool = False


def find_field_of_view(rgb8: NDArray[np.uint8]) -> FieldOfView:
    """First form: threshold, largest component, enclosing circle."""
    height, width = rgb8.shape[:2]
    level = cv2.GaussianBlur(rgb8.max(axis=2), (5, 5), 0)
    _, bright = cv2.threshold(level, 20, 255, cv2.THRESH_BINARY)
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(bright)
    if count < 2:
        whole = np.ones((height, width), bool)
        side = float(max(width, height))
        return FieldOfView(whole, (width - 1) / 2, (height - 1) / 2, side, True, True)
    best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    x, y = centroids[best]
    mask = labels == best
    return FieldOfView(
        mask,
        float(x),
        float(y),
        float(max(stats[best, cv2.CC_STAT_WIDTH], stats[best, cv2.CC_STAT_HEIGHT])),
        bool(mask.all()),
    )
