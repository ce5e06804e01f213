"""Layers over a photograph: colour maps, blending, outlines. Display and export share them.

The colour maps are inferno (van der Walt and Smith, CC0) and cividis (Nunez, Anderton and Renslow
2018), which keep their order for colour-blind eyes; stored as 33 points, at most five grey levels
from the originals between them.
"""

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Colour = tuple[int, int, int]

CYAN: Colour = (0, 229, 255)
"""Vessels."""

MAGENTA: Colour = (255, 64, 200)
"""Vessels that only the super-resolved image shows."""

_POINTS = {
    "inferno": (
        "0000040403120b0724150b37210c4a2f0a5b3d09654a0c6b57106e64156e71196e7d1e6d8a226a"
        "972766a32c61b0315bbc3754c63d4dd04545da4e3ce35933eb6429f1711ff67e14f98c0afb9b06"
        "fcaa0ffbba1ff9c932f5d949f2e865f3f586fcffa4"
    ),
    "cividis": (
        "00204d00265a002c6900306f06366e1f3c6d2d426c38486b414d6b4a536b52596c595f6d61646f"
        "686a716f70737676767d7c788481798b8779938e789b9477a39a76aca174b4a872bcaf6fc5b56c"
        "cebc68d7c463e0cb5ee9d358f2da50fbe248ffea46"
    ),
}
REVERSED = "-reversed"

COLOUR_MAPS: tuple[str, ...] = tuple(name + end for name in _POINTS for end in ("", REVERSED))
"""The names that :func:`lookup_table` knows."""


@lru_cache(maxsize=8)
def lookup_table(name: str) -> Bytes:
    """``(256, 3)`` uint8 sRGB of a map in :data:`COLOUR_MAPS`, lowest value first; read-only."""
    if name not in COLOUR_MAPS:
        raise ValueError(f"no colour map {name!r}; there are {', '.join(COLOUR_MAPS)}")
    points = np.frombuffer(bytes.fromhex(_POINTS[name.removesuffix(REVERSED)]), np.uint8)
    points = points.reshape(-1, 3)
    at = np.rint(np.linspace(0, 255, len(points)))
    channels = [np.interp(np.arange(256), at, points[:, channel]) for channel in range(3)]
    table = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    if name.endswith(REVERSED):
        table = np.ascontiguousarray(table[::-1])
    table.flags.writeable = False
    return table


def coloured(plane: NDArray[Any], lut: Bytes, levels: tuple[float, float] = (0.0, 1.0)) -> Bytes:
    """A plane of numbers in colour.

    Args:
        plane: ``(H, W)``, any real type; values beyond the levels take the end colours, NaN the
            lowest.
        lut: ``(256, 3)`` uint8.
        levels: the values that take the first and the last colour.

    Returns:
        ``(H, W, 3)`` uint8.
    """
    low, high = levels
    if not high > low:
        raise ValueError(f"the levels {levels} do not rise")
    scaled = (plane.astype(np.float32) - np.float32(low)) * np.float32(255.0 / (high - low))
    index = np.rint(np.clip(np.nan_to_num(scaled, nan=0.0), 0.0, 255.0)).astype(np.uint8)
    result: Bytes = lut[index]
    return result


def overlay(
    rgb8: Bytes,
    plane: NDArray[Any],
    lut: Bytes,
    opacity: float,
    *,
    mask: NDArray[np.bool_] | None = None,
    levels: tuple[float, float] = (0.0, 1.0),
) -> Bytes:
    """A coloured plane over a photograph.

    Args:
        rgb8: ``(H, W, 3)`` uint8 sRGB; not changed.
        plane: ``(H, W)``, usually in [0, 1].
        lut: from :func:`lookup_table`.
        opacity: 0 shows the photograph alone, 1 the plane alone.
        mask: where the plane is meaningful; elsewhere the photograph stays as it is.
        levels: as in :func:`coloured`.

    Returns:
        ``(H, W, 3)`` uint8.
    """
    if plane.shape != rgb8.shape[:2]:
        raise ValueError(f"the plane {plane.shape} does not fit the image {rgb8.shape}")
    if not 0.0 <= opacity <= 1.0:
        raise ValueError(f"the opacity must lie in [0, 1], not {opacity}")
    colours = coloured(plane, lut, levels)
    blended = cv2.addWeighted(rgb8, 1.0 - opacity, colours, opacity, 0.0)
    result: Bytes = np.asarray(blended, dtype=np.uint8)
    return result if mask is None else np.where(mask[..., None], result, rgb8)


def outline(mask: NDArray[np.bool_], thickness: int = 1) -> NDArray[np.bool_]:
    """The pixels just outside a mask, ``(H, W)`` bool.

    Outside, so that what is outlined stays visible even where it is one pixel wide.

    Args:
        thickness: pixels, at least 1.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * thickness + 1, 2 * thickness + 1))
    grown = cv2.dilate(mask.astype(np.uint8), kernel)
    return np.asarray((grown > 0) & ~mask)


def painted(rgb8: Bytes, where: NDArray[np.bool_], colour: Colour, opacity: float = 1.0) -> Bytes:
    """A photograph ``(H, W, 3)`` uint8 with one colour blended in where ``where`` is true."""
    result = rgb8.copy()
    mixed = rgb8[where] * (1.0 - opacity) + np.array(colour) * opacity
    result[where] = np.rint(mixed).astype(np.uint8)
    return result
