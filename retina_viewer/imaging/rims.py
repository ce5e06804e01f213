"""The circular rims of the lit regions of a picture, in working pixels.

Kept apart from :mod:`retina_viewer.imaging.field_of_view`, which puts the regions together.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.circles import Circle, Points, disk_mask, fit_circle_robustly
from retina_viewer.imaging.lit_regions import LEAST_CONTRAST

_TOLERANCE = 1.5
"""How far from the circle rim points may lie, in working pixels."""
_MOST_TOUCHING = 12
"""Photographs whose rims touch are told apart up to so many."""


def _rim_points(lit: NDArray[np.uint8]) -> Points:
    """Where the lit region ends inside the frame: x, y of the outermost lit pixels' outer edges."""
    contours, _ = cv2.findContours(lit, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = np.concatenate([contour[:, 0] for contour in contours]).astype(np.float64)
    height, width = lit.shape
    inside = (
        (outline[:, 0] >= 2)
        & (outline[:, 0] <= width - 3)
        & (outline[:, 1] >= 2)
        & (outline[:, 1] <= height - 3)
    )
    return np.asarray(outline[inside] + 0.5)


def rim_circles(lit: NDArray[np.uint8]) -> list[Circle]:
    """The circle of a lit region, or those of several that touch; none where the rim is none."""
    points = _rim_points(lit)
    longer = max(lit.shape)
    _, _, width, height = cv2.boundingRect(lit)
    least = min(0.2 * longer, 0.4 * max(width, height))
    circle = _fitted(points, (least, 2.0 * longer))
    if circle is None:
        return []
    if _is_all(circle, lit):
        return [circle]
    return _touching_circles(lit, points, max(width, height) / (2 * _MOST_TOUCHING))


def _fitted(points: Points, radii: tuple[float, float]) -> Circle | None:
    circle = fit_circle_robustly(points, _TOLERANCE, radii)
    # The outline runs through the centres of the outermost lit pixels.
    return circle and Circle(circle.x, circle.y, circle.radius + 0.5)


def _is_all(circle: Circle, lit: NDArray[np.uint8]) -> bool:
    """Whether the disk is what is lit."""
    height, width = lit.shape
    disk = disk_mask(height, width, circle)
    common = int(np.count_nonzero(disk & (lit > 0)))
    # Shadow may hide part of the disk, but hardly anything is lit outside it.
    return common >= 0.95 * int(lit.sum()) and common >= 0.5 * int(disk.sum())


def _touching_circles(lit: NDArray[np.uint8], points: Points, least: float) -> list[Circle]:
    """Disks side by side that make up the lit region together, or none."""
    found: list[Circle] = []
    union = np.zeros(lit.shape, np.bool_)
    height, width = lit.shape
    while len(found) < _MOST_TOUCHING:
        circle = _fitted(points, (least, max(height, width)))
        if circle is None or any(
            np.hypot(circle.x - one.x, circle.y - one.y) < 0.8 * (circle.radius + one.radius)
            for one in found
        ):
            return []
        disk = disk_mask(height, width, circle)
        if np.count_nonzero(disk & (lit > 0)) < 0.9 * np.count_nonzero(disk):
            return []
        found.append(circle)
        union |= disk
        if np.count_nonzero(union & (lit > 0)) >= 0.95 * np.count_nonzero(lit):
            return found
        points = points[np.abs(circle.distances(points)) > 2 * _TOLERANCE]
    return []


def on_steepest_edge(level: NDArray[np.uint8], circle: Circle) -> Circle:
    """Move the circle to where brightness falls off most steeply.

    The threshold follows glare beyond the rim and shadow within; the aperture's edge stays sharp.
    """
    angles = np.linspace(0, 2 * np.pi, 360, endpoint=False)[:, None]
    # A small circle is looked at two pixels to either side at least.
    inner = min(0.93 * circle.radius, circle.radius - 2)
    outer = max(1.05 * circle.radius, circle.radius + 2)
    radii = np.arange(max(inner, 0.0), outer, 0.25)[None]
    x = circle.x + radii * np.cos(angles)
    y = circle.y + radii * np.sin(angles)
    # Sample positions count from the centre of the first pixel; outside the frame nothing falls.
    profile = cv2.remap(
        level.astype(np.float32),
        (x - 0.5).astype(np.float32),
        (y - 0.5).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    reach = 4  # samples on either side: one working pixel
    fall = profile[:, : -2 * reach] - profile[:, 2 * reach :]
    steepest = np.argmax(fall, axis=1)
    rows = np.arange(len(steepest))
    strength = fall[rows, steepest]
    ends = np.column_stack([x[rows, steepest + reach], y[rows, steepest + reach]])
    height, width = level.shape
    margin = 2.0
    usable = (
        (strength >= LEAST_CONTRAST)
        & (ends.min(axis=1) >= margin)
        & (ends[:, 0] <= width - margin)
        & (ends[:, 1] <= height - margin)
    )
    refined = fit_circle_robustly(ends[usable], 0.75, (0.95 * circle.radius, 1.05 * circle.radius))
    if refined is None:
        return circle
    supported = np.count_nonzero(np.abs(refined.distances(ends[usable])) <= _TOLERANCE)
    return refined if supported >= max(30, 0.5 * np.count_nonzero(usable)) else circle


def straight_stops(lit: NDArray[np.uint8], circle: Circle) -> tuple[float, float, float, float]:
    """Top, bottom, left, right of a frame-parallel stop inside the picture, else the frame.

    Some cameras cut the circle by a straight edge and fill the rest of the frame with black.
    """
    height, width = lit.shape
    disk = disk_mask(height, width, circle)
    top, bottom = _dark_ends(lit, disk)
    left, right = _dark_ends(lit.T, disk.T)
    return float(top), float(height - bottom), float(left), float(width - right)


def _dark_ends(lit: NDArray[np.uint8], disk: NDArray[np.bool_]) -> tuple[int, int]:
    """How many rows at the top and at the bottom belong to a stop; 0 where there is none.

    A stop is a run of rows that are dark along the disk's chord and then, within two rows, lit
    along most of it. Shadow at the rim is round and fades, so it does not look like this.
    """
    chord = disk.sum(axis=1)
    filled = np.divide(
        (disk & (lit > 0)).sum(axis=1), chord, out=np.zeros(len(chord)), where=chord > 0
    )
    found = []
    for part, length in ((filled, chord), (filled[::-1], chord[::-1])):
        lit_rows = np.flatnonzero(part > 0.1)
        first = int(lit_rows[0]) if len(lit_rows) else 0
        soon = min(first + 2, len(part) - 1)
        is_stop = length[first] > 0.3 * length.max() and part[soon] > 0.8
        found.append(first if is_stop else 0)
    return found[0], found[1]
