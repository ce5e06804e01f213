"""Vessel outlines that are drawn fast and stay thin at any zoom.

Zoomed out they are a small picture with lines one pixel wide at each of its sizes; from 100 % on
they are polygons drawn with a pen of constant width, which leaves thin vessels visible underneath.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPolygonF

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.overlay import CYAN, outline
from retina_viewer.ui.canvas.pyramid import SMALLEST_SIDE, Pyramid

PIECE = 64
"""Outlines are kept in pieces of so many points, to draw those in view alone."""


@dataclass(frozen=True, eq=False)
class Outline:
    """A piece of a contour, in source pixels."""

    box: Rect
    polygon: QPolygonF


class VesselArt:
    """The outlines of a mask. Build it in a worker thread.

    Args:
        mask: ``(H, W)`` bool.
    """

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self.height, self.width = mask.shape
        self.share = float(mask.mean())
        self.levels = _outline_levels(mask)
        self.outlines = _outlines(mask)

    def level_for(self, zoom: float) -> Pyramid:
        wanted = self.width * zoom
        chosen = self.levels[0]
        for level in self.levels[1:]:
            if level.width < wanted * 0.99:
                break
            chosen = level
        return chosen

    def visible(self, region: Rect) -> list[QPolygonF]:
        """The outlines that touch a region."""
        return [item.polygon for item in self.outlines if item.box.intersected(region).area]


def _outline_levels(mask: NDArray[np.bool_]) -> list[Pyramid]:
    share = mask.astype(np.float32)
    levels = []
    while True:
        levels.append(_outline_picture(share > 0.5))
        if min(share.shape) < 2 * SMALLEST_SIDE:
            return levels
        size = ((share.shape[1] + 1) // 2, (share.shape[0] + 1) // 2)
        share = np.asarray(cv2.resize(share, size, interpolation=cv2.INTER_AREA), np.float32)


def _outline_picture(mask: NDArray[np.bool_]) -> Pyramid:
    bgra = np.zeros((*mask.shape, 4), np.uint8)
    bgra[outline(mask)] = (CYAN[2], CYAN[1], CYAN[0], 255)
    return Pyramid(bgra, has_alpha=True)


def _outlines(mask: NDArray[np.bool_]) -> list[Outline]:
    """Contours near the pixels' outer edges, simplified to a third of a pixel, in short pieces."""
    # Doubled, so that the line runs a quarter pixel inside the edge and not through the centres:
    # a vessel one pixel wide keeps two sides.
    doubled = mask.astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    contours, _ = cv2.findContours(doubled, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    pieces = []
    for contour in contours:
        simple = cv2.approxPolyDP(contour, 2 / 3, True)[:, 0]
        closed = (np.concatenate([simple, simple[:1]]).astype(np.float64) + 0.5) / 2
        pieces += [_outline(closed[i : i + PIECE + 1]) for i in range(0, len(closed) - 1, PIECE)]
    return pieces


def _outline(points: NDArray[np.float64]) -> Outline:
    left, top = np.floor(points.min(axis=0)).astype(int)
    right, bottom = np.ceil(points.max(axis=0)).astype(int)
    polygon = QPolygonF([QPointF(x, y) for x, y in points.tolist()])
    return Outline(Rect(int(left), int(top), int(right - left) + 1, int(bottom - top) + 1), polygon)
