"""Beyond the image's border: reflection, the same for every method."""

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.superres.enhancer import FloatImage


def reflected(start: int, stop: int, size: int) -> NDArray[np.intp]:
    """The indices ``start..stop - 1`` mirrored into ``0..size - 1``, the border pixel not doubled.

    As ``numpy.pad(mode="reflect")``; distances beyond the size go back and forth, and a single
    pixel repeats.
    """
    if size == 1:
        return np.zeros(stop - start, dtype=np.intp)
    period = 2 * (size - 1)
    index = np.arange(start, stop, dtype=np.intp) % period
    return np.minimum(index, period - index)


def reflected_window(rgb: FloatImage, window: Rect) -> FloatImage:
    """The pixels of a window that may reach beyond the image, ``(h, w, 3)`` float32, a copy."""
    rows = reflected(window.y, window.bottom, rgb.shape[0])
    columns = reflected(window.x, window.right, rgb.shape[1])
    return rgb[rows[:, None], columns[None, :]]
