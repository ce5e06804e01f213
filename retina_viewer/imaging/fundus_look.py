"""Whether a part of a picture can be retina, by its look alone: no finding, only a doubt.

The limits lie outside of what the photographs of five public data sets show, whole, cropped, dark,
noisy, as one grey channel or with stretched contrast, so that a doubt about a retina is rare;
pictures of other things may pass.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

_RIM = 6
"""Pixels from the rim of a field that its edge is felt."""
_LEAST_CORE = 50
"""Pixels; with fewer inside the rim, the rim is looked at too."""
_LEAST_SPREAD = 1.5
"""Grey levels: standard deviation of the smoothed picture in its most varied channel."""
_BLUER = 10
"""Grey levels of blue above red: more than any pixel of a retina has."""
_MOST_BLUE = 0.1
_WHITE = 200
_MOST_WHITE = 0.6
_MOST_DETAIL, _SHARPEST = 0.08, 0.4
"""Departure from the smoothed picture, of its brightness, in the mean and in the sharpest
hundredth: up to .04 and .34 on retinas, .07 and .34 where their contrast is stretched; a page of
text has .11 and .40."""


def unlike_retina(small: NDArray[np.uint8], region: NDArray[np.bool_]) -> str:
    """Why this is no retina, as the end of a sentence; empty where it can be one.

    Args:
        small: ``(h, w, 3)`` sRGB, some 400 pixels wide.
        region: ``(h, w)`` bool, where to look.
    """
    x, y, width, height = cv2.boundingRect(region.astype(np.uint8))
    if not width:
        return "the picture is too small"
    box = slice(y, y + height), slice(x, x + width)
    rgb, inside = small[box].astype(np.float32), region[box]
    side = 2 * _RIM + 1
    core = cv2.erode(
        inside.astype(np.uint8),
        np.ones((side, side), np.uint8),
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    if np.count_nonzero(core) > _LEAST_CORE:
        inside = core > 0
    smooth = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 2.0), np.float32)
    if float(smooth[inside].std(axis=0).max()) < _LEAST_SPREAD:
        return "it shows a single colour"
    red, blue, darkest = rgb[inside, 0], rgb[inside, 2], rgb[inside].min(axis=1)
    if float((blue > red + _BLUER).mean()) > _MOST_BLUE:
        return "its colours are not those of a retina"
    level = rgb.max(axis=2)[inside]
    departure = np.abs(level - smooth.max(axis=2)[inside]) / max(np.percentile(level, 90), 1.0)
    is_drawn = departure.mean() > _MOST_DETAIL or np.percentile(departure, 99) > _SHARPEST
    if is_drawn or (darkest > _WHITE).mean() > _MOST_WHITE:
        return "it looks like a page, a drawing or a photograph of something else"
    return ""
