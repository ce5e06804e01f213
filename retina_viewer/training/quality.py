"""Whether a photograph is worth training on: is it a fundus, is it sharp."""

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.field_of_view import FieldOfView

LOOKED_AT = 900
"""Longer side, px, of the small picture that is looked at."""
LEAST_FIELD = 300
"""Diameter of the field of view, px: less does not hold the patches of the larger scales."""
BLURRED_BELOW = 1.6
"""Sharpness below which leaving out is proposed; see docs/decisions/fine-tuning.md."""
_MEASURED_AT = 640  # px across the field: what blurs at this size hides vessels
_FINE, _COARSE = 1.0, 4.0  # px at that size
_EDGES = 97.0  # percentile: vessels and disc cover a few hundredths of the field
_RIM = 31  # px: the rim of the field is an edge of its own


def sharpness(rgb8: NDArray[np.uint8], field: FieldOfView) -> float | None:
    """How crisp the edges inside the field of view are, whatever their contrast.

    The ratio of two high percentiles of the gradient's size, of the green channel at 640 px across
    the field, after Gaussian smoothing of 1 px and of 4 px. A sharp line loses most of its
    gradient to the wide smoothing, a blurred one has little to lose: the ratio falls with blur,
    and not with contrast or brightness, since both percentiles scale alike.

    Args:
        rgb8: ``(H, W, 3)`` uint8.
        field: of that picture.

    Returns:
        About 1 for flat ramps and up to 6 for sharp lines; None where nothing is inside.
    """
    factor = _MEASURED_AT / field.diameter
    green = rgb8[..., 1].astype(np.float32)
    inside = field.mask.astype(np.uint8)
    if factor < 1:
        green = np.asarray(
            cv2.resize(green, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.float32
        )
        size = (green.shape[1], green.shape[0])
        inside = np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    core = cv2.erode(inside, np.ones((_RIM, _RIM), np.uint8)) > 0
    if not core.any():
        return None
    fine, coarse = (
        float(np.percentile(_gradient(green, s)[core], _EDGES)) for s in (_FINE, _COARSE)
    )
    return fine / coarse if coarse > 0 else 0.0


def _gradient(plane: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    smooth = cv2.GaussianBlur(plane, (0, 0), sigma)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(cv2.magnitude(across, down), dtype=np.float32)


def is_fundus_coloured(rgb8: NDArray[np.uint8], field: FieldOfView) -> bool:
    """Whether the field of view is reddish, as blood and pigment make every fundus: red above
    green above (or near) blue, in the medians.

    Grey pictures (angiographies, red-free ones) are not: a model for colour photographs would
    learn from them that fundi have no colour.
    """
    red, green, blue = (float(np.median(rgb8[..., k][field.mask])) for k in range(3))
    return red > 1.1 * green and red > 1.15 * blue and green > 0.8 * blue and red > 20
