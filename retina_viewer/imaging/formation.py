"""How a photograph's pixels came about: the blur of their sampling, and their noise.

Every kernel by which an image may have been shrunk is described by one number, its standard
deviation in pixels of the small image: antialiased bicubic 0, the mean of a block about 0.28, the
Gaussian of the literature (sigma 0.4 r) about 0.42. Networks are told it, and back-projection
degrades with it. See docs/decisions/formation.md.
"""

import math
from dataclasses import dataclass

import numpy as np

from retina_viewer.imaging.degradation import SIGMA_PER_SCALE, FloatImage, Kernel, degrade

ROUNDING_NOISE = 1 / math.sqrt(12)
"""Grey levels: what rounding to 8 bits alone leaves."""


@dataclass(frozen=True)
class Formation:
    """What super-resolution must undo.

    Args:
        blur: standard deviation of the sampling kernel, in the photograph's own pixels.
        noise: root mean square of all that is not in the scene (sensor, compression, rounding),
            grey levels of 0..255.
    """

    blur: float
    noise: float


def sampling_blur(kernel: Kernel, scale: int, sigma: float | None = None) -> float:
    """The ``blur`` of an image shrunk by :func:`retina_viewer.imaging.degradation.degrade`.

    Args:
        kernel, scale, sigma: as given there; scale 1 or even.

    Returns:
        Standard deviation of the whole kernel (blur and sampling), pixels of the small image.
    """
    match kernel:
        case "bicubic":  # Keys' kernel reproduces parabolas: its second moment is zero
            return 0.0
        case "area":
            return math.sqrt((scale**2 - 1) / 12) / scale
        case "gaussian":
            width = SIGMA_PER_SCALE * scale if sigma is None else sigma
            between_two = 0.25 if scale % 2 == 0 else 0.0  # bilinear sampling at the centre
            return math.sqrt(width**2 + between_two) / scale


STANDARD = Formation(blur=sampling_blur("gaussian", 4), noise=ROUNDING_NOISE)
"""The Gaussian of the literature, clean, 8 bits."""


def form(rgb: FloatImage, scale: int, blur: float) -> FloatImage:
    """Shrink an image by a kernel of the given blur: the forward model behind ``Formation``.

    The kernels that :func:`sampling_blur` knows are mixed so that the variance is right: between
    bicubic and area, between area and the Gaussian of sigma 0.3 r, then Gaussians. At the blur of
    one of them the result is exactly that of
    :func:`retina_viewer.imaging.degradation.degrade`.

    Args:
        rgb: ``(H, W, 3)`` or ``(H, W)`` float32 in [0, 1], at least ``scale`` pixels a side.
        scale: even.
        blur: standard deviation of the kernel, pixels of the small image; 0 or more.

    Returns:
        ``(H // scale, W // scale, ...)`` float32, not rounded.
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
