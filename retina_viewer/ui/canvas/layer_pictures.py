"""Outlines, of vessels and of what is salient, that are drawn fast and stay thin at any zoom.

Zoomed out they are a small picture with lines one pixel wide at each of its sizes; from 100 % on
they are polygons drawn with a pen of constant width, which leaves thin vessels visible underneath.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPolygonF

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging import layer_art
from retina_viewer.ui.canvas.pyramid import SMALLEST_SIDE, Pyramid

PIECE = 16
"""Outlines are kept in pieces of so many points, to draw those in view alone."""


FINE = 4
"""The outline is found on a grid so many times finer; half as fine on large photographs."""
FINE_LIMIT = 1_500_000


class VesselArt:
    """The outlines of a vessel map, or of another. Build it in a worker thread.

    Args:
        probability: ``(H, W)`` float32 in [0, 1].
        threshold: what is at least as probable is a vessel.
        colour: of the lines.
    """

    def __init__(
        self,
        probability: NDArray[np.float32],
        threshold: float,
        colour: layer_art.Colour = layer_art.CYAN,
    ) -> None:
        self.height, self.width = probability.shape
        self.colour = colour
        self.levels = _outline_levels(probability >= threshold, colour)
        pieces = _outlines(probability, threshold)
        self._boxes = _boxes(pieces)
        self._polygons = [QPolygonF([QPointF(x, y) for x, y in one.tolist()]) for one in pieces]

    def level_for(self, zoom: float) -> Pyramid:
        wanted = self.width * zoom
        chosen = self.levels[0]
        for level in self.levels[1:]:
            if level.width < wanted * 0.99:
                break
            chosen = level
        return chosen

    def visible(self, region: Rect) -> list[QPolygonF]:
        """The pieces of outline that may touch a region, in source pixels."""
        left, top, right, bottom = self._boxes.T
        touching = (
            (left < region.right) & (right > region.x) & (top < region.bottom) & (bottom > region.y)
        )
        return [self._polygons[index] for index in np.flatnonzero(touching).tolist()]


def _outline_levels(mask: NDArray[np.bool_], colour: layer_art.Colour) -> list[Pyramid]:
    share = mask.astype(np.float32)
    levels = []
    while True:
        levels.append(_outline_picture(share > 0.5, colour))
        if min(share.shape) < 2 * SMALLEST_SIDE:
            return levels
        size = ((share.shape[1] + 1) // 2, (share.shape[0] + 1) // 2)
        share = np.asarray(cv2.resize(share, size, interpolation=cv2.INTER_AREA), np.float32)


def _outline_picture(mask: NDArray[np.bool_], colour: layer_art.Colour) -> Pyramid:
    bgra = np.zeros((*mask.shape, 4), np.uint8)
    bgra[layer_art.outline(mask)] = (*colour[::-1], 255)
    return Pyramid(bgra, has_alpha=True)


def _outlines(probability: NDArray[np.float32], threshold: float) -> list[NDArray[np.float64]]:
    """The line where the probability crosses the threshold, to a fraction of a pixel, in pieces."""
    finer = FINE if probability.size <= FINE_LIMIT else FINE // 2
    size = (probability.shape[1] * finer, probability.shape[0] * finer)
    enlarged = cv2.resize(probability, size, interpolation=cv2.INTER_LINEAR)
    inside = (enlarged >= threshold).astype(np.uint8)
    contours, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    pieces = []
    for contour in contours:
        simple = cv2.approxPolyDP(contour, 0.2 * finer, True)[:, 0]
        closed = (np.concatenate([simple, simple[:1]]).astype(np.float64) + 0.5) / finer
        pieces += [closed[i : i + PIECE + 1] for i in range(0, len(closed) - 1, PIECE)]
    return pieces


def _boxes(pieces: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """``(N, 4)``: left, top, right, bottom of each piece."""
    if not pieces:
        return np.empty((0, 4))
    return np.array([(*piece.min(axis=0), *piece.max(axis=0)) for piece in pieces])


Drawn = Pyramid | tuple[VesselArt, ...]


def drawn(art: layer_art.Art) -> Drawn:
    """A layer ready for the painter. Build it in a worker thread."""
    if isinstance(art, layer_art.Veil):
        return _pyramid(art)
    return tuple(VesselArt(one.plane, one.threshold, one.colour) for one in art)


def heat_art(
    values: NDArray[np.float32],
    mask: NDArray[np.bool_],
    colour_map: str,
    style: layer_art.SaliencyStyle = layer_art.SaliencyStyle.COLOURS,
) -> Drawn:
    """The saliency map ``(H, W)`` float32 inside the field of view ``(H, W)`` bool."""
    return drawn(layer_art.saliency_art(values, mask, colour_map, style))


def uncertainty_art(expected_error: NDArray[np.float32], mask: NDArray[np.bool_]) -> Pyramid:
    """The map of uncertainty, from ``(H, W)`` float32 in grey levels."""
    return _pyramid(layer_art.uncertainty_veil(expected_error, mask))


def _pyramid(veil: layer_art.Veil) -> Pyramid:
    bgra = np.asarray(cv2.cvtColor(veil.rgba, cv2.COLOR_RGBA2BGRA), np.uint8)
    return Pyramid(bgra, has_alpha=True)
