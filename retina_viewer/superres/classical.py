"""Interpolation: what a result is compared with, and what is shown where nothing better is ready.

Every kernel is separable. An output pixel ``o`` at scale ``s`` lies at the source coordinate
``(o + 0.5) / s - 0.5`` (pixels are areas, the half-pixel convention of Pillow, MATLAB and
``align_corners=False``), so there are ``s`` phases with fixed weights, and any region is exact:
each output pixel is the same sum in the same order wherever the region begins.

Enlarging only, so the question of antialiasing does not arise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.superres.enhancer import FloatImage


def reflected(start: int, stop: int, size: int) -> NDArray[np.intp]:
    """The indices ``start..stop - 1`` mirrored into ``0..size - 1``, the border pixel not doubled,
    as ``numpy.pad(mode="reflect")``: back and forth beyond the size; a single pixel repeats."""
    period = max(1, 2 * (size - 1))
    index = np.arange(start, stop, dtype=np.intp) % period
    return np.minimum(index, period - index)


def reflected_window(rgb: FloatImage, window: Rect) -> FloatImage:
    """The pixels of a window that may reach beyond the image, ``(h, w, 3)`` float32, a copy."""
    rows = reflected(window.y, window.bottom, rgb.shape[0])
    columns = reflected(window.x, window.right, rgb.shape[1])
    return rgb[rows[:, None], columns[None, :]]


def source_margins(step_margins: tuple[int, ...]) -> tuple[int, ...]:
    """For each step, the source pixels around the region that its input must hold; the first is the
    whole cascade's margin. ``step_margins`` are in each step's own pixels."""
    wholes = [-(-margin // 2**number) for number, margin in enumerate(step_margins)]  # rounded up
    return tuple(sum(wholes[number:]) for number in range(len(wholes)))


class FixedEnhancer:
    """The part of an Enhancer that asks nothing of the photograph and offers no choice."""

    whole_image_only = False
    degradation = None
    fidelity = None
    back_projection = None

    def fitted_to(self, rgb: FloatImage) -> Self:
        return self


def cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel (1981, equation 15) by distance in source pixels.

    a = -0.5 (Catmull-Rom) is the one that reproduces quadratics, and that Pillow and MATLAB use;
    OpenCV and torch use -0.75, which overshoots more.
    """
    a = -0.5
    x = np.abs(distance)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = a * (((x - 5) * x + 8) * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def lanczos3(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sinc windowed by its own main lobe stretched to three pixels (Duchon 1979)."""
    return np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0.0)


def phase_weights(
    kernel: Callable[[NDArray[np.float64]], NDArray[np.float64]], support: int, scale: int
) -> NDArray[np.float32]:
    """The weights around each phase, ``(scale, 2 * support + 1)`` float32: row ``p`` weighs the
    source pixels ``-support`` to ``support`` relative to the one that output pixel ``p`` lies in.
    Rows sum to 1."""
    position = (np.arange(scale) + 0.5) / scale - 0.5
    taps = np.arange(-support, support + 1)
    weights = kernel(position[:, None] - taps[None, :])
    normalised: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return normalised.astype(np.float32)


@dataclass(frozen=True)
class Interpolation(FixedEnhancer):
    """An :class:`~retina_viewer.superres.enhancer.Enhancer` without weights or memory."""

    method: str
    scale: int
    margin: int
    weights: NDArray[np.float32] = field(repr=False, compare=False)
    model: str | None = None

    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        window = reflected_window(rgb, region.expanded(self.margin))
        result = interpolated(window, self.weights)
        return np.clip(result, 0.0, 1.0, out=result)


def interpolated(window: FloatImage, weights: NDArray[np.float32]) -> FloatImage:
    """Enlarge by the weights of :func:`phase_weights`; nothing is clamped. ``(h + 2 * support, w +
    2 * support)`` or the same with channels, float32, to ``(h * scale, w * scale)`` likewise. What
    lies beyond a pixel's support never changes a bit of it."""
    # Columns first: what is turned is then the small image, and the large one lies in order.
    wide = enlarged_rows(window.swapaxes(0, 1), weights).swapaxes(0, 1)
    return enlarged_rows(np.ascontiguousarray(wide), weights)


def enlarged_rows(window: FloatImage, weights: NDArray[np.float32]) -> FloatImage:
    """``(h + 2 * support, w, ...)`` to ``(h * scale, w, ...)``; one weighted sum a phase."""
    scale, taps = weights.shape
    height = window.shape[0] - taps + 1
    result = np.empty((height, scale, *window.shape[1:]), dtype=np.float32)
    for phase in range(scale):
        used = np.flatnonzero(weights[phase])
        total = window[used[0] : used[0] + height] * weights[phase, used[0]]
        for tap in used[1:]:
            total += window[tap : tap + height] * weights[phase, tap]
        result[:, phase] = total
    return result.reshape(height * scale, *window.shape[1:])


def bicubic(scale: int) -> Interpolation:
    """Cubic convolution, a = -0.5; two source pixels around a region matter."""
    return Interpolation("bicubic", scale, 2, phase_weights(cubic, 2, scale))


def lanczos(scale: int) -> Interpolation:
    """Lanczos with three lobes; three source pixels around a region matter."""
    return Interpolation("lanczos", scale, 3, phase_weights(lanczos3, 3, scale))
