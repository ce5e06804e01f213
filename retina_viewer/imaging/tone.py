"""Other ways to look at the same pixels. For the screen alone: nothing is computed from them."""

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
"""``(H, W, 3)`` uint8 sRGB."""


def red_free(rgb8: Bytes) -> Bytes:
    """The green channel as grey: blood absorbs green, so vessels and bleedings stand out.

    Args:
        rgb8: ``(H, W, 3)`` uint8.

    Returns:
        ``(H, W, 3)`` uint8, three equal channels.
    """
    # np.repeat would hold Python's lock, and the window, for a third of a second.
    green = np.ascontiguousarray(rgb8[..., 1])
    return np.asarray(cv2.cvtColor(green, cv2.COLOR_GRAY2RGB), np.uint8)


def clahe(rgb8: Bytes, clip_limit: float = 2.0, regions: int = 8) -> Bytes:
    """Contrast-limited adaptive histogram equalisation of the luminance (Zuiderveld 1994).

    The equalisation depends on the whole picture: parts of it give other results than its crop,
    so apply it to the picture and cut then.

    Args:
        rgb8: ``(H, W, 3)`` uint8.
        clip_limit: how many times the mean a histogram bin may hold.
        regions: the picture is divided into ``regions`` x ``regions`` histograms.

    Returns:
        ``(H, W, 3)`` uint8; hue is kept, grey stays grey.
    """
    ycc = cv2.cvtColor(rgb8, cv2.COLOR_RGB2YCrCb)
    equaliser = cv2.createCLAHE(clipLimit=clip_limit, tileGridSize=(regions, regions))
    ycc[..., 0] = equaliser.apply(np.ascontiguousarray(ycc[..., 0]))
    return np.asarray(cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB), np.uint8)
