"""A photograph as the window holds it. Made and toned in worker threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.colour import red_free
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Point, Tone

CELLS = 8
CLIP = 2.0
_BAND_ROWS = 256


class ToneMap:
    """One tone for one photograph.

    Args:
        rgb: the whole original, ``(H, W, 3)`` uint8 sRGB.
        tone: what to show.
    """

    def __init__(self, rgb: NDArray[np.uint8], tone: Tone) -> None:
        self.tone = tone
        self._height, self._width = rgb.shape[:2]
        self._curves = _curves(rgb) if tone is Tone.CLAHE else None

    def apply(
        self, rgb: NDArray[np.uint8], *, x: float = 0.0, y: float = 0.0, scale: float = 1.0
    ) -> NDArray[np.uint8]:
        """Tone a part of the photograph or of its enlargement.

        Args:
            rgb: ``(h, w, 3)`` uint8 sRGB.
            x, y: the part's top left corner in source pixels.
            scale: pixels of ``rgb`` per source pixel.

        Returns:
            ``(h, w, 3)`` uint8 sRGB.
        """
        if self.tone is Tone.RED_FREE:
            return red_free(rgb)
        if self._curves is None:
            return rgb
        bands = [
            self._equalise(rgb[top : top + _BAND_ROWS], x, y + top / scale, scale)
            for top in range(0, rgb.shape[0], _BAND_ROWS)
        ]
        return np.concatenate(bands)

    def _equalise(
        self, rgb: NDArray[np.uint8], x: float, y: float, scale: float
    ) -> NDArray[np.uint8]:
        assert self._curves is not None
        lab = np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB), np.uint8)
        lightness = lab[..., 0]
        rows, row_part = _cell_position(rgb.shape[0], y, scale, self._height)
        columns, column_part = _cell_position(rgb.shape[1], x, scale, self._width)
        lower_rows = np.minimum(rows + 1, CELLS - 1)[:, None]
        right_columns = np.minimum(columns + 1, CELLS - 1)[None]
        rows, columns = rows[:, None], columns[None]
        u, v = column_part[None], row_part[:, None]
        curves = self._curves
        top = (1 - u) * curves[rows, columns, lightness] + u * curves[
            rows, right_columns, lightness
        ]
        bottom = (1 - u) * curves[lower_rows, columns, lightness] + u * curves[
            lower_rows, right_columns, lightness
        ]
        lab[..., 0] = ((1 - v) * top + v * bottom + 0.5).astype(np.uint8)
        return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def _cell_position(
    count: int, start: float, scale: float, length: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Per pixel along an axis: the cell centre before it, and the part of the way to the next."""
    places = (start + (np.arange(count) + 0.5) / scale) * CELLS / length - 0.5
    places = places.clip(0, CELLS - 1)
    first = places.astype(np.intp)
    return first, (places - first).astype(np.float32)


def _curves(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """``(CELLS, CELLS, 256)`` float32 in 0..255: the new lightness for each cell and lightness."""
    lab = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB)
    lightness = np.asarray(lab, np.uint8)[..., 0]
    rows = np.linspace(0, rgb.shape[0], CELLS + 1).astype(int)
    columns = np.linspace(0, rgb.shape[1], CELLS + 1).astype(int)
    curves = np.empty((CELLS, CELLS, 256), np.float32)
    for i in range(CELLS):
        for j in range(CELLS):
            cell = lightness[rows[i] : rows[i + 1], columns[j] : columns[j + 1]]
            histogram = np.bincount(cell.ravel(), minlength=256).astype(np.float32)
            histogram /= max(1, cell.size)
            limit = CLIP / 256
            excess = np.maximum(histogram - limit, 0).sum()
            histogram = np.minimum(histogram, limit) + excess / 256
            curves[i, j] = 255 * np.cumsum(histogram)
    return np.clip(curves, 0, 255)


@dataclass(frozen=True, eq=False)
class TonedPhoto:
    """The original in one tone: what is drawn, and how tiles are toned to match it."""

    tone: Tone
    pyramid: Pyramid
    tone_map: ToneMap


@dataclass(frozen=True, eq=False)
class Photo:
    """A photograph, its pixels, and the tones that were asked for.

    Attributes:
        label: what its pixels are called, where they are not what the image says.
    """

    image: FundusImage
    key: str
    label: str = ""
    _toned: dict[Tone, TonedPhoto] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def bounds(self) -> Rect:
        return self.image.bounds

    def toned(self, tone: Tone) -> TonedPhoto:
        """The photograph in a tone; slow the first time, so call it in a worker."""
        with self._lock:
            if tone not in self._toned:
                rgb = self.image.display_rgb
                tone_map = ToneMap(rgb, tone)
                pyramid = Pyramid.from_rgb(tone_map.apply(rgb))
                self._toned[tone] = TonedPhoto(tone, pyramid, tone_map)
            return self._toned[tone]

    def toned_if_ready(self, tone: Tone) -> TonedPhoto | None:
        """The same where it is there already, without waiting: for the GUI thread."""
        return self._toned.get(tone)

    def ready(self) -> list[TonedPhoto]:
        """The tones that are there already, the first made first."""
        return list(self._toned.values())

    def colour_at(self, x: float, y: float) -> tuple[int, int, int] | None:
        """The original's 8-bit sRGB under a source point; None off the photograph."""
        if not (0 <= x < self.bounds.width and 0 <= y < self.bounds.height):
            return None
        red, green, blue = self.image.display_rgb[int(y), int(x)].tolist()
        return red, green, blue


def detailed_place(image: FundusImage) -> Point:
    """Where the loupe has most to show: the place inside the field of view with most fine contrast
    in green, where vessels are seen best. In source pixels; takes most of a second where large."""
    green = image.display_rgb[..., 1].astype(np.float32)
    detail = np.abs(green - cv2.GaussianBlur(green, (0, 0), 3))
    field = image.field_of_view
    inside = np.hypot(
        np.arange(green.shape[1])[None] - field.centre_x,
        np.arange(green.shape[0])[:, None] - field.centre_y,
    )
    detail[inside > 0.4 * field.diameter] = 0  # the rim has the sharpest edge and no vessels
    spread = cv2.GaussianBlur(detail, (0, 0), 12)
    y, x = np.unravel_index(int(np.argmax(spread)), spread.shape)
    return float(x), float(y)
