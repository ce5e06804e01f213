"""Pictures that are drawn fast at any zoom: a full-size image and its halvings.

QPainter samples bilinearly, so below half size it would skip pixels; each level is the area mean of
four pixels of the one before. Build pyramids in a worker thread, draw them in the GUI thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from retina_viewer.core.geometry import Rect

SMALLEST_SIDE = 64
LARGE = 64_000_000
"""Pixels of a picture that is shown as it is, three bytes a pixel, without a copy: slower to draw,
but a copy of the largest would take a gigabyte more."""


@dataclass(frozen=True, eq=False)
class Level:
    """One size of the picture. ``pixels`` owns the memory that ``image`` shows."""

    image: QImage
    pixels: NDArray[np.uint8]


class Pyramid:
    """One picture at sizes 1, 1/2, 1/4, ... as QImages.

    Args:
        bgra: ``(H, W, 4)`` uint8, blue first; or ``(H, W, 3)``, red first.
        has_alpha: whether the fourth channel counts; the colours are then premultiplied by it.
    """

    def __init__(self, bgra: NDArray[np.uint8], *, has_alpha: bool = False) -> None:
        self.height, self.width = bgra.shape[:2]
        self.has_alpha = has_alpha
        pixels: Any = np.ascontiguousarray(bgra)
        self.levels = [_level(pixels, has_alpha)]
        while min(pixels.shape[:2]) >= 2 * SMALLEST_SIDE:
            size = ((pixels.shape[1] + 1) // 2, (pixels.shape[0] + 1) // 2)
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
            self.levels.append(_level(pixels, has_alpha))

    @classmethod
    def from_rgb(cls, rgb: NDArray[np.uint8]) -> Pyramid:
        """From ``(H, W, 3)`` uint8 sRGB; a large one must not be changed afterwards."""
        if rgb.shape[0] * rgb.shape[1] > LARGE:
            return cls(rgb)
        return cls(
            np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2BGRA), np.uint8)
        )

    @property
    def nbytes(self) -> int:
        return sum(level.pixels.nbytes for level in self.levels)

    def level_for(self, zoom: float) -> Level:
        """The smallest level that need not be enlarged at this zoom; the full one above 1."""
        wanted = self.width * zoom
        chosen = self.levels[0]
        for level in self.levels[1:]:
            if level.image.width() < wanted:
                break
            chosen = level
        return chosen

    def draw(self, painter: QPainter, target: QRectF, part: Rect, zoom: float) -> None:
        """Draw ``part`` (full-size pixels) into ``target``, at ``zoom`` target pixels a pixel."""
        level = self.level_for(zoom)
        fx, fy = level.image.width() / self.width, level.image.height() / self.height
        source = QRectF(part.x * fx, part.y * fy, part.width * fx, part.height * fy)
        painter.drawImage(target, level.image, source)


def _level(pixels: NDArray[np.uint8], has_alpha: bool) -> Level:
    height, width = pixels.shape[:2]
    kind = QImage.Format.Format_ARGB32_Premultiplied if has_alpha else QImage.Format.Format_RGB32
    if pixels.shape[2] == 3:
        kind = QImage.Format.Format_RGB888
    return Level(QImage(pixels.data, width, height, pixels.strides[0], kind), pixels)
