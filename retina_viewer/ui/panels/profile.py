"""The grey level along a line over the photograph and over the tiles of a result. No Qt.

Vessels have most contrast in green, so the profile is that of the green channel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.ui.canvas.tile_requests import RESULT_SIDE

Line = tuple[float, float, float, float]
"""(x0, y0, x1, y1) in source pixels; the first pixel's centre is at (0.5, 0.5)."""
Values = NDArray[np.float32]
Indices = NDArray[np.intp]
GreenAt = Callable[[Indices, Indices], Values]
"""(rows, columns) to green, 0 to 255; NaN where there is none."""
MOST_SAMPLES = 2000


@dataclass(frozen=True, eq=False)
class Profile:
    """Green along a line.

    Attributes:
        distance: ``(n,)`` float64 from the line's start, in source pixels.
        original: ``(n,)`` float32, 0 to 255; NaN off the photograph.
        result: the same of the result; NaN also where it is not computed. None without a result.
    """

    distance: NDArray[np.float64]
    original: Values
    result: Values | None


def profile_along(
    line: Line,
    original: NDArray[np.uint8],
    scale: int = 1,
    tile: Callable[[Rect], NDArray[np.uint8] | None] | None = None,
) -> Profile:
    """Sample both pictures along a line, bilinearly, at the finer one's pixel distance.

    Args:
        line: its ends; they may lie off the photograph.
        original: the photograph, ``(H, W, 3)`` uint8 sRGB.
        scale: result pixels per source pixel.
        tile: the finished pixels of a tile, ``(h * scale, w * scale, 3)`` uint8 sRGB, by its place
            in source pixels; None where it is not computed. Without it there is no result.
    """
    length = math.hypot(line[2] - line[0], line[3] - line[1])
    count = min(math.ceil(length * scale) + 1, MOST_SAMPLES)
    part = np.linspace(0.0, 1.0, max(count, 2))
    x, y = line[0] + part * (line[2] - line[0]), line[1] + part * (line[3] - line[1])
    size = (original.shape[1], original.shape[0])

    def original_at(rows: Indices, columns: Indices) -> Values:
        return np.asarray(original[rows, columns, 1], np.float32)

    result = None
    if tile is not None:
        result = bilinear(TileGreen(tile, scale, size), x, y, size, scale)
    return Profile(part * length, bilinear(original_at, x, y, size), result)


def bilinear(
    green_at: GreenAt,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    size: tuple[int, int],
    scale: int = 1,
) -> Values:
    """Values between the pixels of a picture that is ``scale`` times as fine as the photograph.

    Args:
        green_at: its pixels.
        x, y: ``(n,)``, in source pixels.
        size: (width, height) of the photograph, in source pixels.
        scale: the picture's pixels per source pixel.

    Returns:
        ``(n,)`` float32; NaN off the photograph and where a pixel that counts is NaN. Between the
        outermost pixel centres and the rim the outermost value is held.
    """
    width, height = size
    u = np.clip(x * scale - 0.5, 0, width * scale - 1)
    v = np.clip(y * scale - 0.5, 0, height * scale - 1)
    left, top = np.floor(u).astype(np.intp), np.floor(v).astype(np.intp)
    right = np.minimum(left + 1, width * scale - 1)
    below = np.minimum(top + 1, height * scale - 1)
    across, down = (u - left).astype(np.float32), (v - top).astype(np.float32)
    upper = _between(green_at(top, left), green_at(top, right), across)
    lower = _between(green_at(below, left), green_at(below, right), across)
    values = _between(upper, lower, down)
    values[(x < 0) | (y < 0) | (x > width) | (y > height)] = np.nan
    return values


def _between(first: Values, second: Values, part: Values) -> Values:
    """A pixel that does not count may be NaN."""
    mixed = first + part * (second - first)
    return np.where(part == 0, first, mixed)


class TileGreen:
    """Green of the pixels of a result that exists in tiles; see :func:`profile_along`."""

    def __init__(
        self,
        tile: Callable[[Rect], NDArray[np.uint8] | None],
        scale: int,
        size: tuple[int, int],
    ) -> None:
        self._tile = tile
        self._side = RESULT_SIDE // scale
        self._image = Rect(0, 0, *size)

    def __call__(self, rows: Indices, columns: Indices) -> Values:
        values = np.full(rows.shape, np.nan, np.float32)
        tile_rows, tile_columns = rows // RESULT_SIDE, columns // RESULT_SIDE
        for row, column in {*zip(tile_rows.tolist(), tile_columns.tolist(), strict=True)}:
            place = Rect(column * self._side, row * self._side, self._side, self._side)
            pixels = self._tile(place.intersected(self._image))
            if pixels is not None:
                inside = (tile_rows == row) & (tile_columns == column)
                values[inside] = pixels[
                    rows[inside] - row * RESULT_SIDE, columns[inside] - column * RESULT_SIDE, 1
                ]
        return values
