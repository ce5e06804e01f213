"""What tells where an enlargement is a guess: four planes, one value a source pixel.

A network says nothing about how sure it is, but its results do. Per pixel of the photograph, as
means over the ``scale x scale`` result pixels that lie in it, in grey levels of luminance:

- ``residual``: the result, shrunk again by the forward model, against the photograph. Where the
  two differ, the result contradicts what was seen.
- ``disagreement``: the standard deviation of the results under the eight flips and rotations of
  the square. The retina has no preferred orientation, so what depends on it is not in the data
  (the self-ensemble of Lim et al. 2017, here for its spread instead of its mean).
- ``added``: what the network put on top of bicubic interpolation.
- ``contrast``: the mean gradient of the result: misplaced edges cost more than misplaced slopes.

With a second set of weights (the twin of a GAN) also ``difference``: how far the two results are
apart, a guess that the training loss alone decided.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.colour import luminance
from retina_viewer.imaging.formation import STANDARD, form
from retina_viewer.superres.back_projection import BackProjected, shrinking_reach
from retina_viewer.superres.classical import bicubic
from retina_viewer.superres.enhancer import Enhancer, FloatImage

Plane = NDArray[np.float32]
"""``(H, W)`` float32."""

GREY_LEVELS = np.float32(255)


@dataclass(frozen=True, eq=False)
class Evidence:
    """``(h, w)`` float32 planes at the photograph's resolution, grey levels of 0..255."""

    residual: Plane
    disagreement: Plane
    added: Plane
    contrast: Plane
    difference: Plane | None = None

    def planes(self) -> dict[str, Plane]:
        """The planes that are there, by name."""
        return {f.name: p for f in fields(self) if (p := getattr(self, f.name)) is not None}

    def cropped(self, region: Rect) -> "Evidence":
        """The part inside a rectangle."""
        return Evidence(**{name: p[region.slices()] for name, p in self.planes().items()})


def turned(array: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    """The flip or rotation ``number`` (0..7) of an array ``(H, W, ...)``, a view; 0 is none.

    4..7 are mirrored first; then ``number % 4`` quarter turns.
    """
    mirrored = array[:, ::-1] if number >= 4 else array
    return np.rot90(mirrored, number % 4)


def turned_back(array: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    """The inverse of :func:`turned`, a view."""
    upright = np.rot90(array, -(number % 4))
    return upright[:, ::-1] if number >= 4 else upright


def turned_region(region: Rect, width: int, height: int, number: int) -> Rect:
    """Where ``region`` of a ``width x height`` image lies in that image :func:`turned`."""
    x, y, w, h = region.x, region.y, region.width, region.height
    if number >= 4:
        x = width - x - w
    for _ in range(number % 4):  # a quarter turn anticlockwise: the right side becomes the top
        x, y, w, h = y, width - x - w, h, w
        width, height = height, width
    return Rect(x, y, w, h)


def gather_evidence(
    enhancer: Enhancer,
    rgb: FloatImage,
    region: Rect,
    *,
    other: Enhancer | None = None,
    progress: Progress = no_progress,
) -> Evidence:
    """Enlarge a region eight times, and see what the results say about each other.

    Of an enhancer with back-projection it asks the network alone: what back-projection takes back
    is evidence too, and would be hidden by it.

    Args:
        enhancer: fitted to the photograph; any that offers regions.
        rgb: the whole photograph, ``(H, W, 3)`` float32 in [0, 1].
        region: in source pixels, inside the photograph. Tiles of one photograph give the crops of
            the whole.
        other: an enhancer of the other set of weights, of the same scale.
        progress: called before every enlargement; it may cancel.

    Returns:
        Planes of the region's size.

    Raises:
        UserError: as ``Enhancer.enhance_region``.
    """
    height, width = rgb.shape[:2]
    enhancer = unprojected(enhancer)
    reach = shrinking_reach(enhancer.scale, (enhancer.formation or STANDARD).blur)
    outer = region.expanded(reach).intersected(Rect(0, 0, width, height))
    step = _steps(progress, 8 if other is None else 9, f"Consistency x{enhancer.scale}")
    step()
    result = enhancer.enhance_region(rgb, outer)
    scale = enhancer.scale
    inner = Rect(region.x - outer.x, region.y - outer.y, region.width, region.height)
    residual = _residual(enhancer, result, rgb[outer.slices()])[inner.slices()]
    place = inner.scaled(scale).slices()
    steepness = _gradient(luminance(result))[place]
    upright = luminance(result)[place]
    disagreement = _disagreement(enhancer, rgb, region, upright, step)
    smooth = luminance(bicubic(scale).enhance_region(rgb, region))
    difference = None
    if other is not None:
        step()
        theirs = unprojected(other).enhance_region(rgb, region)
        difference = np.abs(luminance(theirs) - upright)
    return Evidence(
        residual * GREY_LEVELS,
        _per_source_pixel(disagreement, scale),
        _per_source_pixel(np.abs(upright - smooth), scale),
        _per_source_pixel(steepness, scale),
        None if difference is None else _per_source_pixel(difference, scale),
    )


def unprojected(enhancer: Enhancer) -> Enhancer:
    """What an enhancer is without its back-projection."""
    return enhancer.inner if isinstance(enhancer, BackProjected) else enhancer


def _steps(progress: Progress, total: int, what: str) -> Callable[[], None]:
    done = 0

    def step() -> None:
        nonlocal done
        progress(done / total, what)
        done += 1

    return step


def _residual(enhancer: Enhancer, result: FloatImage, photograph: FloatImage) -> Plane:
    """``(h, w)``: how far the result is from the photograph once shrunk again, in [0, 1]."""
    formation = enhancer.formation or STANDARD
    again = form(luminance(result), enhancer.scale, formation.blur)
    return np.asarray(np.abs(again - luminance(photograph)), np.float32)


def _disagreement(
    enhancer: Enhancer, rgb: FloatImage, region: Rect, upright: Plane, step: Callable[[], None]
) -> Plane:
    """Standard deviation over the eight results, a value a result pixel, in [0, 1]."""
    height, width = rgb.shape[:2]
    # Sums of deviations from the first result: sums of the values themselves would cancel.
    total, squares = np.zeros_like(upright), np.zeros_like(upright)
    for number in range(1, 8):
        step()
        place = turned_region(region, width, height, number)
        result = enhancer.enhance_region(turned(rgb, number), place)
        deviation = turned_back(luminance(result), number) - upright
        total += deviation
        squares += deviation * deviation
    variance = squares / 8 - np.square(total / 8)
    return np.asarray(np.sqrt(np.maximum(variance, 0)), np.float32)


def _gradient(plane: Plane) -> Plane:
    """Length of the gradient by central differences, per result pixel."""
    across = cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    down = cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _per_source_pixel(plane: Plane, scale: int) -> Plane:
    """Means over blocks of ``scale x scale``, in grey levels."""
    size = (plane.shape[1] // scale, plane.shape[0] // scale)
    mean = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    return np.asarray(mean * GREY_LEVELS, np.float32)
