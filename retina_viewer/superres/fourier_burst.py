"""Fourier burst accumulation (Delbracio and Sapiro 2015): of many images, the sharpest of each
frequency."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

POWER = 11
"""p of Jog et al. 2016: the larger, the more the strongest image alone decides."""
_SMOOTHING = 1 / 50
"""Deviation of the Gaussian over a spectrum's magnitude, of its shorter side."""
_LARGEST_RATIO = 1e3  # its 11th power is still a number
_NOTHING = 1e-7  # of the largest magnitude: rounding

Plane = NDArray[np.float32]


def accumulated(images: Iterable[Plane], power: float = POWER) -> Plane:
    """``sum |F_i|^p F_i / sum |F_i|^p``, back in space.

    The magnitudes are smoothed, so that neighbouring frequencies come from the same image, and
    raised relative to the first image's, which keeps numbers in range.

    Args:
        images: ``(h, w)`` float32 each, of one size, at least one.

    Returns:
        ``(h, w)`` float32.
    """
    weighted: NDArray[np.complex64] | None = None
    weights = scale = np.empty(0, np.float32)
    size = (0, 0)
    for image in images:
        spectrum = np.fft.rfft2(image).astype(np.complex64)
        magnitude = _smoothed(np.abs(spectrum))
        if weighted is None:
            size, scale = image.shape, np.maximum(magnitude, np.float32(1e-12))
            weighted, weights = np.zeros_like(spectrum), np.zeros_like(magnitude)
        ratio = np.clip(magnitude / scale, 1 / _LARGEST_RATIO, _LARGEST_RATIO)
        weight = np.asarray(ratio ** np.float32(power), np.float32)
        weighted += weight * spectrum
        weights += weight
    if weighted is None:
        raise ValueError("a burst needs an image")
    return np.fft.irfft2(weighted / weights, size).astype(np.float32)


def _smoothed(magnitude: Plane) -> Plane:
    """Over the half plane of a real image's spectrum, which goes on at its border as it began."""
    sigma = min(magnitude.shape[0], 2 * magnitude.shape[1]) * _SMOOTHING
    reach = int(3 * sigma + 0.5)
    rolled = np.fft.fftshift(magnitude, axes=0)
    blurred = cv2.GaussianBlur(
        rolled, (2 * reach + 1, 2 * reach + 1), sigma, borderType=cv2.BORDER_REFLECT_101
    )
    return np.asarray(np.fft.ifftshift(blurred, axes=0), np.float32)
