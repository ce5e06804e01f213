"""The forward model: how a small image comes from a large one (Gaussian blur, then sampling).

The same model makes training pairs, the test images of an evaluation, and the consistency check of
a result with its source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

FloatImage = NDArray[np.float32]
"""``(H, W, 3)`` or ``(H, W)``, float32 in [0, 1]."""
Kernel = Literal["gaussian", "bicubic", "area"]
SIGMA_PER_SCALE = 0.4
Scalar = TypeVar("Scalar", bound=np.generic)


def crop_to_multiple(image: NDArray[Scalar], scale: int) -> NDArray[Scalar]:
    """Cut ``(H, W, ...)`` at the bottom and the right to whole multiples of ``scale``."""
    height, width = image.shape[:2]
    return image[: height - height % scale, : width - width % scale]


def gaussian_taps(sigma: float) -> NDArray[np.float32]:
    """A normalised Gaussian, truncated at 4 sigma: ``2 * int(4 sigma + 0.5) + 1`` taps."""
    radius = int(4 * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1, dtype=np.float64)
    taps = np.exp(-0.5 * (offsets / sigma) ** 2)
    return cast(NDArray[np.float32], (taps / taps.sum()).astype(np.float32))


def degrade(
    rgb: FloatImage, scale: int, kernel: Kernel = "gaussian", sigma: float | None = None
) -> FloatImage:
    """Shrink an image by an integer factor.

    - ``gaussian``: blur with ``sigma``, truncated at 4 sigma, the image reflected about the centre
      of its outermost pixels; then bilinear sampling at the output pixels' centres (half-pixel
      convention: output i lies at source (i + 0.5) * scale - 0.5).
    - ``bicubic``: Keys' cubic (a = -0.5) widened by the scale against aliasing, as Pillow does.
    - ``area``: the mean of each block.

    Sizes that the scale does not divide are cut at the bottom and the right first, see
    :func:`crop_to_multiple`. Nothing is rounded: see :func:`to_8bit`.

    Args:
        rgb: ``(H, W, 3)`` or ``(H, W)`` float32 in [0, 1], at least ``scale`` pixels a side.
        scale: 1 or more; 1 with ``gaussian`` only blurs.
        sigma: of the Gaussian, in pixels of ``rgb``; 0.4 * scale where None. Not for other kernels.

    Returns:
        ``(H // scale, W // scale, ...)`` float32 in [0, 1].
    """
    if scale < 1 or min(rgb.shape[:2]) < scale:
        raise ValueError(f"scale {scale} does not fit an image of {rgb.shape[:2]}")
    image = np.ascontiguousarray(crop_to_multiple(rgb, scale), np.float32)
    match kernel:
        case "gaussian":
            return _gaussian(image, scale, SIGMA_PER_SCALE * scale if sigma is None else sigma)
        case "bicubic":
            return _bicubic(image, scale)
        case "area":
            size = (image.shape[1] // scale, image.shape[0] // scale)
            return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def to_8bit(rgb: FloatImage) -> NDArray[np.uint8]:
    """Round [0, 1] to 0..255, clipping what lies outside."""
    return cast(NDArray[np.uint8], np.rint(np.clip(rgb, 0, 1) * np.float32(255)).astype(np.uint8))


def _gaussian(image: FloatImage, scale: int, sigma: float) -> FloatImage:
    if sigma > 0:
        taps = gaussian_taps(sigma)
        blurred = cv2.sepFilter2D(image, -1, taps, taps, borderType=cv2.BORDER_REFLECT_101)
        image = np.asarray(blurred, np.float32)
    low, high = (scale - 1) // 2, scale // 2
    if low == high:  # odd scale: the centre of a block is a pixel
        return np.ascontiguousarray(image[low::scale, low::scale])
    # Even scale: the centre lies between four pixels, and bilinear sampling is their mean.
    rows = image[low::scale] + image[high::scale]
    return cast(FloatImage, (rows[:, low::scale] + rows[:, high::scale]) * np.float32(0.25))


def _bicubic(image: FloatImage, scale: int) -> FloatImage:
    if image.ndim == 3:
        return np.stack([_bicubic(plane, scale) for plane in np.moveaxis(image, -1, 0)], axis=-1)
    size = (image.shape[1] // scale, image.shape[0] // scale)
    small = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(small, np.float32), 0, 1)


ROUNDING_NOISE = 1 / math.sqrt(12)
"""Grey levels: what rounding to 8 bits alone leaves."""


@dataclass(frozen=True)
class Degradation:
    """What super-resolution must undo: ``blur``, the standard deviation of the sampling kernel in
    the photograph's own pixels, and ``noise``, the root mean square of all that is not in the scene
    (sensor, compression, rounding), grey levels of 0..255."""

    blur: float
    noise: float


def sampling_blur(kernel: Kernel, scale: int, sigma: float | None = None) -> float:
    """The ``blur`` of an image shrunk by :func:`degrade` (scale 1 or even): the standard deviation
    of the whole kernel (blur and sampling), pixels of the small image."""
    match kernel:
        case "bicubic":  # Keys' kernel reproduces parabolas: its second moment is zero
            return 0.0
        case "area":
            return math.sqrt((scale**2 - 1) / 12) / scale
        case "gaussian":
            width = SIGMA_PER_SCALE * scale if sigma is None else sigma
            between_two = 0.25 if scale % 2 == 0 else 0.0  # bilinear sampling at the centre
            return math.sqrt(width**2 + between_two) / scale


STANDARD = Degradation(blur=sampling_blur("gaussian", 4), noise=ROUNDING_NOISE)
"""The Gaussian of the literature, clean, 8 bits."""


def degrade_with_blur(rgb: FloatImage, scale: int, blur: float) -> FloatImage:
    """Shrink an image by a kernel of the given blur: the forward model behind ``Degradation``.

    The kernels that :func:`sampling_blur` knows are mixed so that the variance is right: between
    bicubic and area, between area and the Gaussian of sigma 0.3 r, then Gaussians. At the blur of
    one of them the result is exactly that of :func:`degrade`, whose shapes and ranges hold here.

    Args:
        scale: even.
        blur: standard deviation of the kernel, pixels of the small image; 0 or more.
    """
    area, narrow = sampling_blur("area", scale), sampling_blur("gaussian", scale, 0.3 * scale)
    if blur >= narrow:
        sigma = math.sqrt((blur * scale) ** 2 - 0.25)
        return degrade(rgb, scale, "gaussian", sigma)
    if blur > area:
        share = (blur**2 - area**2) / (narrow**2 - area**2)
        sharper, softer = degrade(rgb, scale, "area"), degrade(rgb, scale, "gaussian", 0.3 * scale)
    else:
        share = blur**2 / area**2
        sharper, softer = degrade(rgb, scale, "bicubic"), degrade(rgb, scale, "area")
    return np.asarray(sharper + np.float32(share) * (softer - sharper), dtype=np.float32)
