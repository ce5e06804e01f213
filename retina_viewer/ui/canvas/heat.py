"""Heat maps as pictures that let the photograph show through where their values are low."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.overlay import coloured, lookup_table
from retina_viewer.superres.consistency_export import TOP_LEVEL
from retina_viewer.ui.canvas.pyramid import Pyramid

OPAQUE_FROM = 0.6
"""The value from which a heat map covers the photograph (as far as its opacity lets it)."""
GUESS_COLOURS = "cividis-reversed"
GUESS_TOP = TOP_LEVEL
"""Grey levels of expected error at the end of the scale, the same for every photograph."""


def heat_art(
    values: NDArray[np.float32], mask: NDArray[np.bool_], colour_map: str, *, steepness: int = 1
) -> Pyramid:
    """A heat map inside the field of view. The lower its values, the more of the photograph is
    seen: an even veil would hide what the map points at.

    Args:
        values: ``(H, W)`` float32; 0 to 1 is the whole of the colours.
        mask: ``(H, W)`` bool: where the values mean something.
        steepness: the power by which the map covers the photograph as its values rise.
    """
    rgb = coloured(values, lookup_table(colour_map))
    share = np.clip(values / np.float32(OPAQUE_FROM), np.float32(0), np.float32(1)) ** steepness
    share *= mask
    bgra = np.empty((*values.shape, 4), np.uint8)
    # Premultiplied, as the painter wants it.
    for place, channel in enumerate((2, 1, 0)):
        bgra[..., place] = rgb[..., channel] * share
    bgra[..., 3] = 255 * share
    return Pyramid(bgra, has_alpha=True)


def guess_art(expected_error: NDArray[np.float32], mask: NDArray[np.bool_]) -> Pyramid:
    """The map of where detail is a guess, from ``(H, W)`` float32 in grey levels."""
    values = expected_error / np.float32(GUESS_TOP)
    # The colours of small errors are bright, and nearly all errors are small: no veil of yellow.
    return heat_art(values, mask, GUESS_COLOURS, steepness=2)
