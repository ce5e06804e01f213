"""What the vessel network sees: each channel against its surroundings, camera taken out."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_SURROUND = 1 / 20  # sigma of the surroundings, of the field's diameter
_FLOOR = 0.02  # of full scale: keeps flat areas from being blown up
_LIMIT = 4.0  # local standard deviations
_SEEN = 0.2  # local standard deviations between darkest and brightest near a pixel
_NEAR = 17  # px: wider than a vessel where the field is 640 px across
_RIM = 7  # px in all, whose contrast is that of the field's edge
_SHRINK = 4  # the surroundings are smooth: compute them on a smaller image


def local_contrast(
    rgb: NDArray[np.float32], mask: NDArray[np.bool_], diameter: float
) -> NDArray[np.float32]:
    """(x - local mean) / (local deviation + floor) for each channel, inside the field of view.

    Mean and deviation are Gaussian-weighted over the field's pixels only (normalised convolution),
    sigma = diameter / 20, so that neither the rim nor the illumination shows. Returns ``(H, W, 3)``
    float32 in [-4, 4]; 0 outside the mask.

    Args:
        rgb: ``(H, W, 3)`` float32 in [0, 1].
        mask: ``(H, W)`` bool, the field of view.
        diameter: of the field of view, px.
    """
    height, width = mask.shape
    size = (max(1, -(-width // _SHRINK)), max(1, -(-height // _SHRINK)))
    weight = mask.astype(np.float32)
    inside = rgb * weight[..., None]
    sigma = diameter * _SURROUND / _SHRINK
    share, first, second = (
        _gaussian(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), sigma)
        for plane in (weight, inside, rgb * inside)
    )
    share = np.maximum(share, 1e-4)[..., None]
    mean = first / share
    variance = np.maximum(second / share - mean * mean, 0)
    full = (width, height)
    local_mean = cv2.resize(mean, full, interpolation=cv2.INTER_LINEAR)
    deviation = cv2.resize(np.sqrt(variance), full, interpolation=cv2.INTER_LINEAR)
    contrast = np.clip((rgb - local_mean) / (deviation + _FLOOR), -_LIMIT, _LIMIT)
    return np.asarray(contrast * weight[..., None], dtype=np.float32)


def has_contrast(contrast: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where anything at all is to be seen: the network says vessel to what is quite even.

    No pixel of a vessel that it found on 14 photographs of five cameras is lost, nor where these
    have a fifth of their brightness. Returns ``(H, W)`` bool.

    Args:
        contrast: ``(H, W, 3)``, of :func:`local_contrast`, with a field some 640 px across.
        mask: ``(H, W)`` bool, the field of view.
    """
    square = np.ones((_RIM, _RIM), np.uint8)
    core = cv2.erode(mask.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=0)[
        ..., None
    ].astype(np.float32)
    near = np.ones((_NEAR, _NEAR), np.uint8)
    outside = (1 - core) * np.float32(2 * _LIMIT)
    brightest = cv2.dilate(contrast * core - outside, near)
    darkest = cv2.erode(contrast * core + outside, near)
    return np.asarray((brightest - darkest).max(axis=2) >= _SEEN)


def _gaussian(plane: NDArray[Any], sigma: float) -> NDArray[np.float32]:
    side = 2 * round(3 * sigma) + 1
    blurred = cv2.GaussianBlur(plane, (side, side), sigma, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, dtype=np.float32)
