"""Where the retina is in a photograph: the disk that the camera's aperture lets through.

The photograph is shrunk, the dark border thresholded against its own darkest corner, and a circle
fitted to the rim of what is left. The circle, not the threshold, makes the mask: retina that lies
in shadow at the rim belongs to the field of view, and a patient's label in a corner does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.circles import Circle, Points, disk_mask, fit_circle_robustly

_WORKING_SIDE = 400
"""The longer side of the shrunken photograph: one of its pixels is a 400th of the frame."""
_TOLERANCE = 1.5
"""How far from the circle rim points may lie, in working pixels."""
_DARKEST_BORDER = 40
"""A border brighter than this (of 255) is taken for retina."""
_LEAST_CONTRAST = 8
_CONTRAST = 0.08
"""What is brighter than the border by this part of the retina's own brightness is retina."""


@dataclass(frozen=True, eq=False)
class FieldOfView:
    """The field of view, in source pixels; pixel (0, 0) reaches from 0.0 to 1.0.

    Attributes:
        mask: ``(H, W)`` bool, true on the retina.
        centre_x: of the circle through the rim, or of the image where no rim is seen.
        centre_y: likewise.
        diameter: of that circle, also where the frame cuts it. Where no rim is seen: the frame's
            longer side. Where the rim is no circle: the longer side of the mask's bounding box.
        is_whole_image: no dark border was found, the mask is true everywhere.
        is_black: there is nothing in the image at all; the mask is true everywhere then too.
        doubt: what a person should hear where this may be no photograph of one retina, in a
            sentence or two; empty where it looks like one.
    """

    mask: NDArray[np.bool_]
    centre_x: float
    centre_y: float
    diameter: float
    is_whole_image: bool = False
    is_black: bool = False
    doubt: str = ""


def find_field_of_view(rgb8: NDArray[np.uint8]) -> FieldOfView:
    """Find the field of view of any camera.

    Works on circles, circles cut by the frame or by straight stops, and photographs cropped so
    that no border is left. A rim that is no circle gives the thresholded region itself. An image
    without any contrast to black is no error here: it yields the whole frame, with ``is_black``.

    Args:
        rgb8: ``(H, W, 3)`` uint8, at least 16 pixels a side.
    """
    height, width = rgb8.shape[:2]
    small, across, down = _shrunk(rgb8)
    level = cv2.medianBlur(np.asarray(small.max(axis=2), np.uint8), 5).astype(np.uint8, copy=False)
    lit = _lit(level)
    if lit is None:
        return _whole(height, width, is_black=int(level.max()) <= _LEAST_CONTRAST)
    circle = _rim_circle(lit)
    if circle is not None:
        circle = _on_steepest_edge(level, circle)
    if circle is None:
        return _free_form(lit, height, width)
    source = Circle(circle.x * across, circle.y * down, circle.radius * (across + down) / 2)
    top, bottom, left, right = _straight_stops(lit, circle)
    frame = (
        top * down,
        bottom * down if bottom < lit.shape[0] else height,
        left * across,
        right * across if right < lit.shape[1] else width,
    )
    mask = disk_mask(height, width, source, frame)
    return FieldOfView(mask, source.x, source.y, 2 * source.radius, bool(mask.all()))


def _shrunk(rgb8: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float, float]:
    """The photograph at working size, and how many source pixels one of its pixels is wide, high.

    Large ones shrink by a whole number, which is four times as fast; less than one working pixel
    at the right and the bottom is left out then.
    """
    height, width = rgb8.shape[:2]
    block = round(max(height, width) / _WORKING_SIDE)
    if block >= 4:
        size = (width // block, height // block)
        rgb8 = rgb8[: size[1] * block, : size[0] * block]
        across = down = float(block)
    else:
        factor = min(1.0, _WORKING_SIDE / max(height, width))
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        across, down = width / size[0], height / size[1]
    small = cv2.resize(rgb8, size, interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False), across, down


def _whole(height: int, width: int, *, is_black: bool = False) -> FieldOfView:
    return FieldOfView(
        np.ones((height, width), np.bool_),
        width / 2,
        height / 2,
        float(max(height, width)),
        is_whole_image=True,
        is_black=is_black,
        doubt="No retina was found: the picture is black." if is_black else "",
    )


def _lit(level: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The largest region brighter than the border, holes filled, 0 or 1; None without a border."""
    side = max(3, min(level.shape) // 40)
    corners = [
        level[:side, :side], level[:side, -side:], level[-side:, :side], level[-side:, -side:]
    ]  # fmt: skip
    border = min(float(np.median(corner)) for corner in corners)
    retina = float(np.percentile(level, 80))
    threshold = border + max(_LEAST_CONTRAST, _CONTRAST * (retina - border))
    if border > _DARKEST_BORDER or retina <= threshold:
        return None
    bright = (level > threshold).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=4)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    contours, _ = cv2.findContours(
        (labels == largest).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    filled = np.zeros_like(bright)
    cv2.drawContours(filled, contours, -1, 1, cv2.FILLED)
    return filled


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


def _rim_circle(lit: NDArray[np.uint8]) -> Circle | None:
    points = _rim_points(lit)
    height, width = lit.shape
    longer = max(height, width)
    circle = fit_circle_robustly(points, _TOLERANCE, (0.2 * longer, 2.0 * longer))
    if circle is None:
        return None
    # The outline runs through the centres of the outermost lit pixels.
    circle = Circle(circle.x, circle.y, circle.radius + 0.5)
    disk = disk_mask(height, width, circle)
    common = int(np.count_nonzero(disk & (lit > 0)))
    # Shadow may hide part of the disk, but hardly anything is lit outside it.
    if common < 0.95 * int(lit.sum()) or common < 0.5 * int(disk.sum()):
        return None
    return circle


def _on_steepest_edge(level: NDArray[np.uint8], circle: Circle) -> Circle:
    """Move the circle to where brightness falls off most steeply.

    The threshold follows glare beyond the rim and shadow within; the aperture's edge stays sharp.
    """
    angles = np.linspace(0, 2 * np.pi, 360, endpoint=False)[:, None]
    radii = np.arange(0.93 * circle.radius, 1.05 * circle.radius, 0.25)[None]
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
        (strength >= _LEAST_CONTRAST)
        & (ends.min(axis=1) >= margin)
        & (ends[:, 0] <= width - margin)
        & (ends[:, 1] <= height - margin)
    )
    refined = fit_circle_robustly(ends[usable], 0.75, (0.95 * circle.radius, 1.05 * circle.radius))
    if refined is None:
        return circle
    supported = np.count_nonzero(np.abs(refined.distances(ends[usable])) <= _TOLERANCE)
    return refined if supported >= max(30, 0.5 * np.count_nonzero(usable)) else circle


def _straight_stops(lit: NDArray[np.uint8], circle: Circle) -> tuple[float, float, float, float]:
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


def _free_form(lit: NDArray[np.uint8], height: int, width: int) -> FieldOfView:
    """A rim that is no circle: the lit region itself, smoothed."""
    grown = cv2.resize(lit * np.uint8(255), (width, height), interpolation=cv2.INTER_LINEAR)
    mask = np.asarray(grown > 127)
    if mask.mean() > 0.98:
        return _whole(height, width)
    x, y, box_width, box_height = cv2.boundingRect(mask.astype(np.uint8))
    return FieldOfView(
        mask, x + box_width / 2, y + box_height / 2, float(max(box_width, box_height))
    )
