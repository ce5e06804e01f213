"""How far the colours of a result have drifted: CIEDE2000 between low-passed images.

Detail that is right or wrong is not drift, so both images are low-passed first, by a Gaussian of
two source pixels (2 r result pixels), which no super-resolution is asked to improve upon.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.quality.metrics import Mask

Lab = NDArray[np.float64]
_SIGMA_PER_SCALE = 2.0
_25_TO_7 = 25.0**7


def colour_drift(
    first: NDArray[np.uint8], second: NDArray[np.uint8], scale: int, mask: Mask
) -> float:
    """The mean colour difference of two low-passed photographs inside a mask.

    Args:
        first, second: ``(H, W, 3)`` uint8 sRGB.
        scale: the enlargement; the Gaussian's sigma is ``2 * scale`` pixels.
        mask: ``(H, W)`` bool, not empty; every ``scale``-th pixel of it is looked at, which the
            low-passed image loses nothing by.

    Returns:
        Mean CIEDE2000; about 1 is the least that an eye tells apart side by side, 0 for equal.
    """
    every = (slice(scale // 2, None, scale),) * 2
    inside = mask[every]
    if not inside.any():  # a mask of a few pixels
        every, inside = (slice(None),) * 2, mask
    one, two = (_low_passed_lab(image, scale)[every][inside] for image in (first, second))
    return float(ciede2000(one, two).mean())


def _low_passed_lab(rgb8: NDArray[np.uint8], scale: int) -> NDArray[np.float32]:
    """``(H, W, 3)`` float32: L in 0..100, a and b; D65."""
    smooth = cv2.GaussianBlur(
        rgb8.astype(np.float32) / np.float32(255),
        (0, 0),
        _SIGMA_PER_SCALE * scale,
        borderType=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB), np.float32)


def ciede2000(first: NDArray[np.floating], second: NDArray[np.floating]) -> Lab:
    """CIEDE2000 colour difference (CIE 142-2001; Sharma, Wu and Dalal 2005, equations 2 to 22).

    Args:
        first, second: ``(..., 3)`` CIE Lab, L in 0..100.

    Returns:
        ``(...)`` float64, with all three weights 1.
    """
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    l1, a1, b1 = one[..., 0], one[..., 1], one[..., 2]
    l2, a2, b2 = two[..., 0], two[..., 1], two[..., 2]
    chroma7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(chroma7 / (chroma7 + _25_TO_7))
    c1, h1 = _polar(stretch * a1, b1)
    c2, h2 = _polar(stretch * a2, b2)
    grey = c1 * c2 == 0
    turn = (h2 - h1 + 180) % 360 - 180
    # Opposite hues: the formula takes +180 where h2 is the larger.
    turn = np.where((turn == -180) & (h2 > h1), 180.0, turn)
    turn = np.where(grey, 0.0, turn)
    d_hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = np.where(grey, h1 + h2, _mean_hue(h1, h2))
    t = (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )
    off = (light - 50) ** 2
    in_light = (l2 - l1) / (1 + 0.015 * off / np.sqrt(20 + off))
    in_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    in_hue = d_hue / (1 + 0.015 * chroma * t)
    rotation = 2 * np.sqrt(chroma**7 / (chroma**7 + _25_TO_7))
    angle = np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2)))
    mixed = -np.sin(angle) * rotation * in_chroma * in_hue
    squared = in_light**2 + in_chroma**2 + in_hue**2 + mixed
    return np.asarray(np.sqrt(np.maximum(squared, 0)), np.float64)


def _polar(a: Lab, b: Lab) -> tuple[Lab, Lab]:
    """Chroma, and hue in 0..360 degrees (0 for greys)."""
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def _mean_hue(h1: Lab, h2: Lab) -> Lab:
    total = h1 + h2
    around = np.where(total < 360, total + 360, total - 360)
    return np.asarray(np.where(np.abs(h1 - h2) <= 180, total, around) / 2)
