"""Whether a photograph is worth training on: is it a fundus, is it sharp."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.field_of_view import FieldOfView

LOOKED_AT = 900
"""Longer side, px, of the small picture that is looked at."""
LEAST_FIELD = 300
"""Diameter of the field of view, px: less does not hold the patches of the larger scales."""
BLURRED_BELOW = 1.85
"""Sharpness below which leaving out is proposed; see docs/decisions/fine-tuning.md."""
_MEASURED_AT = 640  # px across the field: what blurs at this size hides vessels
_FINE, _COARSE = 1.0, 4.0  # px at that size
_BLOCK = 40  # px
_EDGES = 95.0  # percentile within a block: a vessel covers a few hundredths of it
_STRUCTURED = 60.0  # percentile of blocks, below which there is more noise than structure
_RIM = 31  # px: the rim of the field is an edge of its own


def sharpness(rgb8: NDArray[np.uint8], field: FieldOfView) -> float | None:
    """How crisp the edges inside the field of view are, whatever their contrast.

    In blocks of 40 px, of the green channel at 640 px across the field: the 95th percentile of the
    gradient's size after Gaussian smoothing of 1 px over that after 4 px; then the median of the
    blocks with the most structure. A sharp line loses most of its gradient to the wide smoothing,
    a blurred one has little to lose: the ratio falls with blur, and not with contrast, since both
    percentiles scale alike. Blocks keep a few bright lesions from speaking for the whole.

    Args:
        rgb8: ``(H, W, 3)`` uint8.
        field: of that picture.

    Returns:
        1.2 to 1.8 for blurred photographs, 1.9 to 4.5 for sharp ones; None where the field of
        view is too small to tell, or flat.
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
    blocks = _blocks(core).mean(axis=1) > 0.9
    if not blocks.any():
        return None
    fine, coarse = (
        np.percentile(_blocks(_gradient(green, sigma))[blocks], _EDGES, axis=1)
        for sigma in (_FINE, _COARSE)
    )
    chosen = (coarse >= np.percentile(coarse, _STRUCTURED)) & (coarse > 0)
    return float(np.median(fine[chosen] / coarse[chosen])) if chosen.any() else None


def _blocks(plane: NDArray[Any]) -> NDArray[Any]:
    """The whole blocks of a plane, one a row: ``(blocks, 40 * 40)``."""
    down, across = (length // _BLOCK for length in plane.shape)
    whole = plane[: down * _BLOCK, : across * _BLOCK]
    return whole.reshape(down, _BLOCK, across, _BLOCK).swapaxes(1, 2).reshape(-1, _BLOCK * _BLOCK)


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
