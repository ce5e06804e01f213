"""Layers as the panes draw them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.layer_art import Art, SaliencyStyle, Veil, saliency_art, uncertainty_veil
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.vessel_art import VesselArt

Drawn = Pyramid | tuple[VesselArt, ...]


def drawn(art: Art) -> Drawn:
    """A layer ready for the painter. Build it in a worker thread."""
    if isinstance(art, Veil):
        return _pyramid(art)
    return tuple(VesselArt(one.plane, one.threshold, one.colour) for one in art)


def heat_art(
    values: NDArray[np.float32],
    mask: NDArray[np.bool_],
    colour_map: str,
    style: SaliencyStyle = SaliencyStyle.COLOURS,
) -> Drawn:
    """The saliency map ``(H, W)`` float32 inside the field of view ``(H, W)`` bool."""
    return drawn(saliency_art(values, mask, colour_map, style))


def guess_art(expected_error: NDArray[np.float32], mask: NDArray[np.bool_]) -> Pyramid:
    """The map of where detail is a guess, from ``(H, W)`` float32 in grey levels."""
    return _pyramid(uncertainty_veil(expected_error, mask))


def _pyramid(veil: Veil) -> Pyramid:
    bgra = np.asarray(cv2.cvtColor(veil.rgba, cv2.COLOR_RGBA2BGRA), np.uint8)
    return Pyramid(bgra, has_alpha=True)
