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


def source_margins(step_margins: tuple[int, ...]) -> tuple[int, ...]:
    """What each step still needs around the region, in whole source pixels.

    Args:
        step_margins: margin of each step's network, in its own input's pixels.

    Returns:
        For step k (from 0): the source pixels around the region that its input must hold. The
        first is the margin of the whole cascade.
    """
    needed = 0
    around: list[int] = []
    for number in reversed(range(len(step_margins))):
        needed += -(-step_margins[number] // 2**number)  # rounded up to whole source pixels
        around.append(needed)
    return tuple(reversed(around))
