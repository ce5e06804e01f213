"""Metrics of super-resolved luminance and of vessel maps, inside a mask.

Luminance is ITU-R BT.601 in the studio range 16..235 unless a caller asks for the full range; the
peak is 255 in both cases, as in the super-resolution literature. The full range reads about 1.3 dB
lower; differences between methods are the same.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Array = NDArray[Any]

_BT601 = np.array([0.299, 0.587, 0.114])
_SSIM_SIGMA = 1.5
_SSIM_RADIUS = 5
_C1 = (0.01 * 255.0) ** 2
_C2 = (0.03 * 255.0) ** 2


def luminance_full(rgb8: Bytes) -> Plane:
    """BT.601 luminance ``(H, W)`` float64 in 0..255 of ``(H, W, 3)`` uint8, not rounded."""
    if rgb8.dtype != np.uint8 or rgb8.ndim != 3 or rgb8.shape[2] != 3:
        raise ValueError(f"expected (H, W, 3) uint8, got {rgb8.shape} {rgb8.dtype}")
    result: Plane = rgb8.astype(np.float64) @ _BT601
    return result


def luminance_studio(rgb8: Bytes) -> Plane:
    """BT.601 luminance ``(H, W)`` float64 in 16..235 of ``(H, W, 3)`` uint8, not rounded."""
    return 16.0 + luminance_full(rgb8) * (219.0 / 255.0)


def _checked_pair(first: Array, second: Array, mask: Mask | None) -> None:
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(f"expected two planes of one shape, got {first.shape}, {second.shape}")
    if mask is None:
        return
    if mask.shape != first.shape or mask.dtype != np.bool_:
        raise ValueError(f"mask {mask.shape} {mask.dtype} does not fit {first.shape}")
    if not mask.any():
        raise ValueError("the mask is empty")


def rmse(first: Array, second: Array, mask: Mask | None = None) -> float:
    """Root mean squared difference in grey levels of two ``(H, W)`` planes, inside ``mask``."""
    _checked_pair(first, second, mask)
    difference = first.astype(np.float64) - second.astype(np.float64)
    if mask is not None:
        difference = difference[mask]
    return float(np.sqrt(np.mean(difference * difference)))


def psnr(first: Array, second: Array, mask: Mask | None = None) -> float:
    """Peak signal to noise ratio in dB, peak 255, of two ``(H, W)`` planes inside ``mask``.

    Infinite for equal planes.
    """
    error = rmse(first, second, mask)
    return float("inf") if error == 0 else float(20.0 * np.log10(255.0 / error))


def ssim_map(first: Array, second: Array) -> Plane:
    """Structural similarity at every pixel, ``(H, W)`` float64 in -1..1.

    Wang, Bovik, Sheikh and Simoncelli 2004: Gaussian window 11x11 of sigma 1.5, population
    covariance, data range 255. The border is mirrored.
    """
    _checked_pair(first, second, None)
    a, b = first.astype(np.float64), second.astype(np.float64)
    mean_a, mean_b = _window_mean(a), _window_mean(b)
    variance_a = _window_mean(a * a) - mean_a * mean_a
    variance_b = _window_mean(b * b) - mean_b * mean_b
    covariance = _window_mean(a * b) - mean_a * mean_b
    numerator = (2.0 * mean_a * mean_b + _C1) * (2.0 * covariance + _C2)
    denominator = (mean_a**2 + mean_b**2 + _C1) * (variance_a + variance_b + _C2)
    result: Plane = numerator / denominator
    return result


def _window_mean(plane: Plane) -> Plane:
    size = 2 * _SSIM_RADIUS + 1
    kernel = cv2.getGaussianKernel(size, _SSIM_SIGMA, cv2.CV_64F)
    blurred = cv2.sepFilter2D(plane, cv2.CV_64F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, dtype=np.float64)


def ssim(first: Array, second: Array, mask: Mask | None = None) -> float:
    """The mean of :func:`ssim_map` inside ``mask``.

    Without a mask the five outermost pixels on every side, whose windows leave the image, do not
    count (Wang's "valid" region, scikit-image's convention).
    """
    _checked_pair(first, second, mask)
    values = ssim_map(first, second)
    if mask is not None:
        return float(values[mask].mean())
    if min(values.shape) <= 2 * _SSIM_RADIUS:
        raise ValueError("SSIM without a mask needs an image larger than its 11x11 window")
    inner = slice(_SSIM_RADIUS, -_SSIM_RADIUS)
    return float(values[inner, inner].mean())


def evaluation_mask(fov_mask: Mask, scale: int) -> Mask:
    """The field of view ``(H, W)`` bool, eroded by ``2 * scale + 4`` pixels.

    Keeps the hard rim out of the metrics. The image's border erodes like the rim, since there
    the degradation and the methods see mirrored pixels.
    """
    padded = np.pad(fov_mask.astype(np.uint8), 1)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    eroded: Mask = np.asarray(distance)[1:-1, 1:-1] > 2 * scale + 4
    return eroded


def auc(score: Array, truth: Array, mask: Mask | None = None) -> float:
    """Area under the ROC curve: the exact rank statistic, ties counting one half.

    ``score``, of any real type, is larger where ``truth`` is more likely; ``mask`` chooses pixels.

    Raises:
        ValueError: one of the two classes is empty, or a score is NaN.
    """
    scores, truths = _inside(score, truth, mask)
    if scores.dtype.kind == "f" and np.isnan(scores).any():
        raise ValueError("a score is NaN")
    positive, negative = np.sort(scores[truths]), np.sort(scores[~truths])
    if positive.size == 0 or negative.size == 0:
        raise ValueError("the AUC needs both classes")
    below = np.searchsorted(negative, positive, side="left").sum(dtype=np.int64)
    not_above = np.searchsorted(negative, positive, side="right").sum(dtype=np.int64)
    pairs = float(positive.size) * float(negative.size)
    return (float(below) + float(not_above)) / (2.0 * pairs)


def _inside(values: Array, truth: Array, mask: Mask | None) -> tuple[Array, Mask]:
    if values.shape != truth.shape or (mask is not None and mask.shape != truth.shape):
        raise ValueError("values, truth and mask must share one shape")
    truths = truth.astype(bool)
    if mask is None:
        return values.ravel(), truths.ravel()
    return values[mask], truths[mask]


def confusion(prediction: Mask, truth: Mask, mask: Mask | None) -> tuple[int, int, int, int]:
    """True positives, false positives, false negatives, true negatives inside ``mask``."""
    values, truths = _inside(prediction.astype(bool), truth, mask)
    both = int(np.count_nonzero(values & truths))
    predicted, true = int(np.count_nonzero(values)), int(np.count_nonzero(truths))
    return both, predicted - both, true - both, int(truths.size) - predicted - true + both


def dice(prediction: Mask, truth: Mask, mask: Mask | None = None) -> float:
    """2 |A and B| / (|A| + |B|) inside ``mask``; 1 where both are empty."""
    tp, fp, fn, _ = confusion(prediction, truth, mask)
    return 1.0 if tp + fp + fn == 0 else 2.0 * tp / (2.0 * tp + fp + fn)


Lab = NDArray[np.float64]
_SIGMA_PER_SCALE = 2.0
_25_TO_7 = 25.0**7


def colour_drift(first: Bytes, second: Bytes, scale: int, mask: Mask) -> float:
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


def _low_passed_lab(rgb8: Bytes, scale: int) -> NDArray[np.float32]:
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
