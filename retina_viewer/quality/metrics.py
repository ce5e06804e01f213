"""Metrics of super-resolved luminance and of vessel maps, inside a mask.

Luminance is ITU-R BT.601 in the studio range 16..235 unless a caller asks for the full range; the
peak is 255 in both cases, as in the super-resolution literature. The full range reads about 1.3 dB
lower; differences between methods are the same.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

_BT601 = np.array([0.299, 0.587, 0.114])
_SSIM_SIGMA = 1.5
_SSIM_RADIUS = 5
_C1 = (0.01 * 255.0) ** 2
_C2 = (0.03 * 255.0) ** 2


def luminance_full(rgb8: Bytes) -> Plane:
    """BT.601 luminance ``(H, W)`` float64 in 0..255 of ``(H, W, 3)`` uint8, not rounded."""
    result: Plane = _checked_rgb8(rgb8).astype(np.float64) @ _BT601
    return result


def luminance_studio(rgb8: Bytes) -> Plane:
    """BT.601 luminance ``(H, W)`` float64 in 16..235 of ``(H, W, 3)`` uint8, not rounded."""
    return 16.0 + luminance_full(rgb8) * (219.0 / 255.0)


def _checked_rgb8(rgb8: Bytes) -> Bytes:
    if rgb8.dtype != np.uint8 or rgb8.ndim != 3 or rgb8.shape[2] != 3:
        raise ValueError(f"expected (H, W, 3) uint8, got {rgb8.shape} {rgb8.dtype}")
    return rgb8


def _checked_pair(first: NDArray[Any], second: NDArray[Any], mask: Mask | None) -> None:
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(f"expected two planes of one shape, got {first.shape}, {second.shape}")
    if mask is not None:
        if mask.shape != first.shape or mask.dtype != np.bool_:
            raise ValueError(f"mask {mask.shape} {mask.dtype} does not fit {first.shape}")
        if not mask.any():
            raise ValueError("the mask is empty")


def rmse(first: NDArray[Any], second: NDArray[Any], mask: Mask | None = None) -> float:
    """Root mean squared difference in grey levels of two ``(H, W)`` planes, inside ``mask``."""
    _checked_pair(first, second, mask)
    difference = first.astype(np.float64) - second.astype(np.float64)
    if mask is not None:
        difference = difference[mask]
    return float(np.sqrt(np.mean(difference * difference)))


def psnr(first: NDArray[Any], second: NDArray[Any], mask: Mask | None = None) -> float:
    """Peak signal to noise ratio in dB, peak 255, of two ``(H, W)`` planes inside ``mask``.

    Infinite for equal planes.
    """
    error = rmse(first, second, mask)
    return float("inf") if error == 0 else float(20.0 * np.log10(255.0 / error))


def ssim_map(first: NDArray[Any], second: NDArray[Any]) -> Plane:
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


def ssim(first: NDArray[Any], second: NDArray[Any], mask: Mask | None = None) -> float:
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


def auc(score: NDArray[Any], truth: NDArray[Any], mask: Mask | None = None) -> float:
    """Area under the ROC curve: the exact rank statistic, ties counting one half.

    Args:
        score: any shape, any real type; larger means more likely true.
        truth: bool, same shape.
        mask: bool, same shape; only pixels inside count.

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


def _inside(
    values: NDArray[Any], truth: NDArray[Any], mask: Mask | None
) -> tuple[NDArray[Any], Mask]:
    if values.shape != truth.shape or (mask is not None and mask.shape != truth.shape):
        raise ValueError("values, truth and mask must share one shape")
    truths = truth.astype(bool)
    if mask is None:
        return values.ravel(), truths.ravel()
    return values[mask], truths[mask]


def _counts(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], mask: Mask | None
) -> tuple[int, int, int, int]:
    """True positives, false positives, false negatives, true negatives."""
    values, truths = _inside(prediction.astype(bool), truth, mask)
    both = int(np.count_nonzero(values & truths))
    predicted, true = int(np.count_nonzero(values)), int(np.count_nonzero(truths))
    return both, predicted - both, true - both, int(truths.size) - predicted - true + both


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def dice(prediction: Mask, truth: Mask, mask: Mask | None = None) -> float:
    """2 |A and B| / (|A| + |B|) inside ``mask``; 1 where both are empty."""
    tp, fp, fn, _ = _counts(prediction, truth, mask)
    return 1.0 if tp + fp + fn == 0 else 2.0 * tp / (2.0 * tp + fp + fn)


def accuracy(prediction: Mask, truth: Mask, mask: Mask | None = None) -> float:
    """Pixels classified correctly over all pixels inside ``mask``; NaN for none."""
    tp, fp, fn, tn = _counts(prediction, truth, mask)
    return _ratio(tp + tn, tp + fp + fn + tn)


def sensitivity(prediction: Mask, truth: Mask, mask: Mask | None = None) -> float:
    """True positives over all true pixels inside ``mask``; NaN where there are none."""
    tp, _, fn, _ = _counts(prediction, truth, mask)
    return _ratio(tp, tp + fn)


def specificity(prediction: Mask, truth: Mask, mask: Mask | None = None) -> float:
    """True negatives over all false pixels inside ``mask``; NaN where there are none."""
    _, fp, _, tn = _counts(prediction, truth, mask)
    return _ratio(tn, tn + fp)


def precision(prediction: Mask, truth: Mask, mask: Mask | None = None) -> float:
    """True positives over all predicted pixels inside ``mask``; NaN where there are none."""
    tp, fp, _, _ = _counts(prediction, truth, mask)
    return _ratio(tp, tp + fp)
