"""Colour maps and outlines, of which layers over a photograph are made.

The colour maps are inferno (van der Walt and Smith, CC0) and cividis (Nunez, Anderton and Renslow
2018), which keep their order for colour-blind eyes; stored as 33 points, at most five grey levels
from the originals between them.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Colour = tuple[int, int, int]

CYAN: Colour = (0, 229, 255)
"""Vessels."""

MAGENTA: Colour = (255, 64, 200)
"""Vessels that only the super-resolved image shows."""

AMBER: Colour = (255, 184, 77)
ON_AMBER: Colour = (26, 17, 0)
"""The ground and the letters of what says that a network made a picture."""

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


def outline(mask: NDArray[np.bool_], thickness: float = 1.0) -> NDArray[np.bool_]:
    """The pixels just outside a mask, ``(H, W)`` bool.

    Outside, so that what is outlined stays visible even where it is one pixel wide.

    Args:
        thickness: pixels, at least 1.
    """
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray((away > 0) & (away <= thickness))
