"""Circles in the plane of an image: fitted to points of which many do not lie on it, and filled."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""``(N, 2)``: x, y."""


@dataclass(frozen=True)
class Circle:
    """A circle; the units are those of the points that it was fitted to."""

    x: float
    y: float
    radius: float

    def distances(self, points: Points) -> NDArray[np.float64]:
        """How far each point lies outside (positive) or inside (negative) the circle, ``(N,)``."""
        radii = np.hypot(points[:, 0] - self.x, points[:, 1] - self.y)
        return np.asarray(radii - self.radius)


def fit_circle(points: Points) -> Circle | None:
    """The least-squares circle (Kasa 1976: linear in the coefficients of x^2 + y^2); None for fewer
    than three points or points on a line."""
    if len(points) < 3:
        return None
    middle = points.mean(axis=0)
    centred = points - middle
    size = float(np.abs(centred).max())
    if size == 0:
        return None
    centred = centred / size
    system = np.column_stack([2 * centred, np.ones(len(centred))])
    solution, _, rank, _ = np.linalg.lstsq(system, (centred**2).sum(axis=1), rcond=1e-9)
    if rank < 3:
        return None
    x, y, rest = (float(value) for value in solution)
    radius = math.sqrt(rest + x * x + y * y)
    return Circle(x * size + float(middle[0]), y * size + float(middle[1]), radius * size)


def fit_circle_robustly(
    points: Points, tolerance: float, radii: tuple[float, float], trials: int = 300
) -> Circle | None:
    """The circle that most points lie on (RANSAC, Fischler and Bolles 1981), then least squares;
    None where no circle of such a radius passes through three drawn points.

    The draws are the same every time, so the same points give the same circle.

    Args:
        tolerance: how far from the circle a point may lie and still count.
        radii: the smallest and the largest that is considered.
    """
    if len(points) < 3:
        return None
    draw = np.random.default_rng(0)
    triples = points[draw.integers(0, len(points), (trials, 3))]
    centres, sizes = _through_three(triples)
    usable = np.isfinite(sizes) & (sizes >= radii[0]) & (sizes <= radii[1])
    if not usable.any():
        return None
    centres, sizes = centres[usable], sizes[usable]
    offsets = points[None] - centres[:, None]
    misses = np.abs(np.hypot(offsets[..., 0], offsets[..., 1]) - sizes[:, None])
    best = int(np.argmax((misses <= tolerance).sum(axis=1)))
    circle = Circle(float(centres[best, 0]), float(centres[best, 1]), float(sizes[best]))
    for _ in range(5):
        refined = fit_circle(points[np.abs(circle.distances(points)) <= tolerance])
        if refined is None or not radii[0] <= refined.radius <= radii[1]:
            break
        circle = refined
    return circle


def _through_three(triples: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Circumcentres ``(T, 2)`` and radii ``(T,)`` of ``(T, 3, 2)``; infinite on a line."""
    first = triples[:, 0]
    b, c = triples[:, 1] - first, triples[:, 2] - first
    cross = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    bb, cc = (b**2).sum(axis=1), (c**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (c[:, 1] * bb - b[:, 1] * cc) / cross
        y = (b[:, 0] * cc - c[:, 0] * bb) / cross
    radii = np.hypot(x, y)
    return np.column_stack([x, y]) + first, np.where(np.isfinite(radii), radii, np.inf)


def disk_mask(
    shape: tuple[int, ...], circle: Circle, frame: tuple[float, float, float, float] | None = None
) -> NDArray[np.bool_]:
    """The pixels of ``shape`` ``(H, W)`` whose centres lie in the circle, and in the frame (top,
    bottom, left, right) where one is given; pixel (0, 0) reaches from 0.0 to 1.0."""
    height, width = shape
    top, bottom, left, right = frame or (0.0, height, 0.0, width)
    mask = np.zeros(shape, np.bool_)
    first = max(0, round(top), math.floor(circle.y - circle.radius))
    last = min(height, round(bottom), math.ceil(circle.y + circle.radius))
    rows = np.arange(first, last) + 0.5 - circle.y
    half = np.sqrt(np.maximum(circle.radius**2 - rows**2, 0))
    starts = np.ceil(np.clip(circle.x - half, left, right) - 0.5).astype(int)
    ends = np.ceil(np.clip(circle.x + half, left, right) - 0.5).astype(int)
    for row, start, end in zip(range(first, last), starts, ends, strict=True):
        mask[row, start:end] = True
    return mask
