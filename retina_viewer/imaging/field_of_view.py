"""Where the retina is in a photograph: the disk that the camera's aperture lets through.

The photograph is shrunk, the dark border thresholded against its own darkest corner, and a circle
fitted to the rim of what is left. The circle, not the threshold, makes the mask: retina that lies
in shadow at the rim belongs to the field of view, and a patient's label in a corner does not.
White paper around a photograph counts as border, and several photographs in one picture (both
eyes, a contact sheet) are found one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.circles import Circle, Points, disk_mask, fit_circle_robustly

_WORKING_SIDE = 400
"""The longer side of the shrunken photograph: one of its pixels is a 400th of the frame."""


@dataclass(frozen=True, eq=False)
class FieldOfView:
    """The field of view, in source pixels; pixel (0, 0) reaches from 0.0 to 1.0.

    Attributes:
        mask: ``(H, W)`` bool, true on the retina; of all photographs where the picture holds
            several. The rest is of the largest.
        centre_x, centre_y: of the circle through the rim; of the image where no rim is seen.
        diameter: of that circle, also where the frame cuts it. Where no rim is seen: the frame's
            longer side. Where the rim is no circle: the longer side of the mask's bounding box.
        is_whole_image: no border was found, the mask is true everywhere.
        is_empty: no retina was found (black, one colour, text); the mask is true everywhere.
        doubt: what a person should hear where this may be no photograph of one retina.
        others: the fields of further photographs in the same picture.
    """

    mask: NDArray[np.bool_]
    centre_x: float
    centre_y: float
    diameter: float
    is_whole_image: bool = False
    is_empty: bool = False
    doubt: str = ""
    others: tuple[Circle, ...] = ()

    @property
    def circles(self) -> tuple[Circle, ...]:
        """Every field as a circle around it, the largest first; none where there is no retina."""
        if self.is_empty:
            return ()
        return (Circle(self.centre_x, self.centre_y, self.diameter / 2), *self.others)


@dataclass(frozen=True, eq=False)
class _Part:
    """One photograph in the picture, in working pixels; ``frame``: top, bottom, left, right of what
    is seen of the circle, None where the rim is none."""

    circle: Circle
    region: NDArray[np.bool_]
    frame: tuple[float, float, float, float] | None


def find_field_of_view(rgb8: NDArray[np.uint8]) -> FieldOfView:
    """Find the field of view of any camera in ``(H, W, 3)`` uint8 of any size.

    Works on circles, circles cut by the frame or by straight stops, several of them, and
    photographs cropped so that no border is left. A rim that is no circle gives the thresholded
    region itself. A picture without a retina is no error: the whole frame, ``is_empty``, a doubt.
    """
    height, width = rgb8.shape[:2]
    small, across, down = _shrunk(rgb8)
    paper = paper_in(small)
    level = np.where(paper, 0, small.max(axis=2)).astype(np.uint8)
    level = cv2.medianBlur(level, 5).astype(np.uint8, copy=False)
    if int(level.max()) <= LEAST_CONTRAST and not paper.any():
        return _whole(height, width, "No retina was found: the picture is black.")
    parts = _parts(level, is_paper=bool(paper.any()))
    like = [part for part in parts if not unlike_retina(small, part.region)]
    if not like and (paper.any() or not any(part.frame for part in parts)):
        # Without a round rim in the dark, the look alone tells.
        why = unlike_retina(small, parts[0].region if parts else ~paper)
        if paper.any() and not parts:
            why = "it is a page without a photograph"
        return _whole(height, width, f"No retina was found: {why}." if why else "")
    return _joined(like or parts, (height, width), (down, across), is_alike=bool(like))


def _shrunk(rgb8: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float, float]:
    """The photograph at working size, and how many source pixels one of its pixels is wide, high.

    Large ones shrink by a whole number, which is four times as fast; less than one working pixel
    at the right and the bottom is left out then.
    """
    height, width = rgb8.shape[:2]
    block = round(max(height, width) / _WORKING_SIDE)
    if block >= 4 and min(height, width) >= block:
        size = (width // block, height // block)
        rgb8 = rgb8[: size[1] * block, : size[0] * block]
        across = down = float(block)
    else:
        factor = min(1.0, _WORKING_SIDE / max(height, width))
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        across, down = width / size[0], height / size[1]
    small = cv2.resize(rgb8, size, interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False), across, down


def _whole(height: int, width: int, doubt: str = "") -> FieldOfView:
    """The whole frame; with a doubt, there is no retina in it."""
    mask, diameter = np.ones((height, width), np.bool_), float(max(height, width))
    return FieldOfView(mask, width / 2, height / 2, diameter, True, bool(doubt), doubt)


def _parts(level: NDArray[np.uint8], *, is_paper: bool) -> list[_Part]:
    """The photographs in a picture of that brightness."""
    found: list[_Part] = []
    loose: list[_Part] = []
    taken = np.zeros(level.shape, np.bool_)
    for lit in lit_regions(level, is_paper=is_paper):
        if np.count_nonzero(taken & (lit > 0)) > 0.5 * np.count_nonzero(lit):
            continue  # a shadow cut it off from a disk that is found already
        rims = rim_circles(lit)
        for rim in rims:
            circle = on_steepest_edge(level, rim)
            frame = straight_stops(lit, circle)
            region = disk_mask(level.shape, circle, frame)
            found.append(_Part(circle, region, frame))
            taken |= region
        if not rims:  # the lit region itself
            x, y, width, height = cv2.boundingRect(lit)
            around = Circle(x + width / 2, y + height / 2, max(width, height) / 2)
            loose.append(_Part(around, lit > 0, None))
    largest = max((np.count_nonzero(part.region) for part in found + loose), default=0)
    # Of what is not round, a photograph is large, and it has no bays as shadows make them.
    large = [part for part in loose if np.count_nonzero(part.region) >= 0.5 * largest]
    return found + [part for part in large if _is_convex(part.region)] or loose[:1]


def _is_convex(region: NDArray[np.bool_]) -> bool:
    hull = cv2.convexHull(np.argwhere(region).astype(np.int32))
    filled = cv2.fillConvexPoly(np.zeros(region.shape, np.uint8), hull[..., ::-1], 1)
    return bool(np.count_nonzero(region) >= 0.95 * np.count_nonzero(filled))


def _joined(
    parts: list[_Part], size: tuple[int, int], scale: tuple[float, float], *, is_alike: bool
) -> FieldOfView:
    """The field of view of a picture of ``size`` from its parts; ``scale``: down and across."""
    down, across = scale
    mask = np.zeros(size, np.bool_)
    circles = []
    for part in parts:
        at, radius = part.circle, part.circle.radius * (across + down) / 2
        circles.append(Circle(at.x * across, at.y * down, radius))
        mask |= _enlarged(part, circles[-1], size, scale)
    doubt = "" if is_alike else "This does not look like a photograph of a retina."
    if len(parts) == 1 and parts[0].frame is None and mask.mean() > 0.98:
        return replace(_whole(*size), doubt=doubt)
    if len(circles) > 1:
        doubt += f" There are {len(circles)} photographs in this picture."
    largest, *others = sorted(circles, key=lambda circle: -circle.radius)
    x, y, is_whole = largest.x, largest.y, bool(mask.all())
    diameter = 2 * largest.radius
    return FieldOfView(mask, x, y, diameter, is_whole, False, doubt.strip(), tuple(others))


def _enlarged(
    part: _Part, circle: Circle, size: tuple[int, int], scale: tuple[float, float]
) -> NDArray[np.bool_]:
    """The mask of a part, whose circle is given in source pixels; a free form is smoothed."""
    (height, width), (down, across) = size, scale
    if part.frame is None:
        return np.asarray(cv2.resize(part.region * np.uint8(255), (width, height)) > 127)
    top, bottom, left, right = part.frame
    rows, columns = part.region.shape
    lowest = bottom * down if bottom < rows else height
    rightmost = right * across if right < columns else width
    return disk_mask(size, circle, (top * down, lowest, left * across, rightmost))


LEAST_CONTRAST = 8
"""Grey levels: what stands out from black by less is black."""
_DARKEST_BORDER = 40
"""A border brighter than this (of 255) is taken for retina, unless it is paper."""
_CONTRAST = 0.08
"""What is brighter than the border by this part of the retina's own brightness is retina."""
_PAPER = 170
"""Paper is at least so bright in every channel ..."""
_PAPER_TINT = 40
"""... its channels differ by no more than this ..."""
_PAPER_CORNERS = 3
"""... and it fills so many of the picture's corners."""
_PAPER_SHADE = 30
"""How much darker than its darkest corner paper may be."""
_LEAST_SIDE = 8
"""Working pixels; what is narrower is lettering, or too small to be looked at."""
_LEAST_PART = 0.1
"""Of the largest region's area: labels and logos are smaller."""


def paper_in(small: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where white paper is: ``(h, w)`` bool for ``(h, w, 3)``; nowhere unless it fills the corners:
    those of a retina that fills its frame are red, or grey but darker."""
    darkest, brightest = small.min(axis=2).astype(np.int16), small.max(axis=2)
    neutral = brightest - darkest <= _PAPER_TINT
    white = neutral & (darkest >= _PAPER)
    papers = [np.median(darkest[box]) for box in _corners(small) if white[box].mean() > 0.5]
    if len(papers) < _PAPER_CORNERS:
        return np.zeros_like(white)
    return np.asarray(neutral & (darkest >= min(papers) - _PAPER_SHADE))


def _corners(plane: NDArray[np.uint8]) -> list[tuple[slice, slice]]:
    """A fortieth of the shorter side in each corner, at least three pixels."""
    side = max(3, min(plane.shape[:2]) // 40)
    ends = slice(None, side), slice(-side, None)
    return [(rows, columns) for rows in ends for columns in ends]


def lit_regions(level: NDArray[np.uint8], *, is_paper: bool) -> list[NDArray[np.uint8]]:
    """The regions brighter than the border, holes filled, the largest first: ``(h, w)`` uint8, 0 or
    1; none without a border. ``level`` is 0 where paper is."""
    threshold = _threshold(level, is_paper)
    if threshold is None:
        return []
    bright = (level > threshold).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA]
    sides = np.minimum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    least = min(_LEAST_SIDE, *level.shape)
    chosen = [number for number in range(1, count) if sides[number] >= least]
    chosen.sort(key=lambda number: -int(areas[number]))
    return [
        _filled(labels == number)
        for number in chosen
        if areas[number] >= _LEAST_PART * areas[chosen[0]]
    ]


def _threshold(level: NDArray[np.uint8], is_paper: bool) -> float | None:
    """The level above which there is retina; None without a border."""
    if is_paper:
        shown = level[level > 0]
        if not shown.size:
            return None
        # Around the photograph there may be paper at once, or its own dark surround first.
        border = min(2.0 * LEAST_CONTRAST, float(np.percentile(shown, 1)))
        return border + max(LEAST_CONTRAST, _CONTRAST * float(np.percentile(shown, 80)))
    border = min(float(np.median(level[box])) for box in _corners(level))
    retina = float(np.percentile(level, 80))
    if retina <= border + LEAST_CONTRAST and (lit := level > border + LEAST_CONTRAST).any():
        retina = float(np.percentile(level[lit], 80))  # less than a fifth of the picture is lit
    threshold = border + max(LEAST_CONTRAST, _CONTRAST * (retina - border))
    if border > _DARKEST_BORDER or retina <= threshold:
        return None
    return threshold


def _filled(region: NDArray[np.bool_]) -> NDArray[np.uint8]:
    found = region.astype(np.uint8)
    contours, _ = cv2.findContours(found, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(found, contours, -1, 1, cv2.FILLED)
    return found


_TOLERANCE = 1.5
"""How far from the circle rim points may lie, in working pixels."""
_MOST_TOUCHING = 12
"""Photographs whose rims touch are told apart up to so many."""


def _rim_points(lit: NDArray[np.uint8]) -> Points:
    """Where the lit region ends inside the frame: x, y of the outermost lit pixels' outer edges."""
    contours, _ = cv2.findContours(lit, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = np.concatenate([contour[:, 0] for contour in contours]).astype(np.float64)
    height, width = lit.shape
    inside = ((outline >= 2) & (outline <= (width - 3, height - 3))).all(axis=1)
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
    disk = disk_mask(lit.shape, circle)
    common = np.count_nonzero(disk & (lit > 0))
    # Shadow may hide part of the disk, but hardly anything is lit outside it.
    if common >= max(0.95 * np.count_nonzero(lit), 0.5 * np.count_nonzero(disk)):
        return [circle]
    return _touching_circles(lit, points, max(width, height) / (2 * _MOST_TOUCHING))


def _fitted(points: Points, radii: tuple[float, float]) -> Circle | None:
    circle = fit_circle_robustly(points, _TOLERANCE, radii)
    # The outline runs through the centres of the outermost lit pixels.
    return circle and replace(circle, radius=circle.radius + 0.5)


def _touching_circles(lit: NDArray[np.uint8], points: Points, least: float) -> list[Circle]:
    """Disks side by side that make up the lit region together, or none."""
    found: list[Circle] = []
    union = np.zeros(lit.shape, np.bool_)
    while len(found) < _MOST_TOUCHING:
        circle = _fitted(points, (least, max(lit.shape)))
        if circle is None or any(
            np.hypot(circle.x - one.x, circle.y - one.y) < 0.8 * (circle.radius + one.radius)
            for one in found
        ):
            return []
        disk = disk_mask(lit.shape, circle)
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
    light, across, down = (plane.astype(np.float32) for plane in (level, x - 0.5, y - 0.5))
    profile = cv2.remap(light, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    reach = 4  # samples on either side: one working pixel
    fall = profile[:, : -2 * reach] - profile[:, 2 * reach :]
    steepest = np.argmax(fall, axis=1)
    rows = np.arange(len(steepest))
    strength = fall[rows, steepest]
    ends = np.column_stack([x[rows, steepest + reach], y[rows, steepest + reach]])
    height, width = level.shape
    inside = (ends >= 2) & (ends <= (width - 2, height - 2))
    usable = (strength >= LEAST_CONTRAST) & inside.all(axis=1)
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
    disk = disk_mask(lit.shape, circle)
    top, bottom = _dark_ends(lit, disk)
    left, right = _dark_ends(lit.T, disk.T)
    return float(top), float(height - bottom), float(left), float(width - right)


def _dark_ends(lit: NDArray[np.uint8], disk: NDArray[np.bool_]) -> tuple[int, int]:
    """How many rows at the top and at the bottom belong to a stop; 0 where there is none.

    A stop is a run of rows that are dark along the disk's chord and then, within two rows, lit
    along most of it. Shadow at the rim is round and fades, so it does not look like this.
    """
    chord = disk.sum(axis=1)
    filled = (disk & (lit > 0)).sum(axis=1) / np.maximum(chord, 1)

    def rows_of(part: NDArray[np.float64], length: NDArray[np.integer]) -> int:
        first = int((part > 0.1).argmax())
        soon = min(first + 2, len(part) - 1)
        return first if length[first] > 0.3 * length.max() and part[soon] > 0.8 else 0

    return rows_of(filled, chord), rows_of(filled[::-1], chord[::-1])


_RIM = 6
"""Pixels from the rim of a field that its edge is felt."""
_LEAST_CORE = 50
"""Pixels; with fewer inside the rim, the rim is looked at too."""
_LEAST_SPREAD = 1.5
"""Grey levels: standard deviation of the smoothed picture in its most varied channel."""
_BLUER = 10
"""Grey levels of blue above red: more than any pixel of a retina has."""
_MOST_BLUE = 0.1
_WHITE = 200
_MOST_WHITE = 0.6
_MOST_DETAIL, _SHARPEST = 0.08, 0.4
"""Departure from the smoothed picture, of its brightness, in the mean and in the sharpest
hundredth: up to .04 and .34 on retinas, .07 and .34 where their contrast is stretched; a page of
text has .11 and .40."""


def unlike_retina(small: NDArray[np.uint8], region: NDArray[np.bool_]) -> str:
    """Why what ``small`` ``(h, w, 3)``, some 400 pixels wide, shows in the region ``(h, w)`` is no
    retina, as the end of a sentence; empty where it can be one: only a doubt.

    The limits lie outside of what the photographs of five public data sets show, whole, cropped,
    dark, noisy, as one grey channel or with stretched contrast, so that a doubt about a retina is
    rare; pictures of other things may pass.
    """
    x, y, width, height = cv2.boundingRect(region.astype(np.uint8))
    if not width:
        return "the picture is too small"
    box = slice(y, y + height), slice(x, x + width)
    rgb, inside = small[box].astype(np.float32), region[box]
    square = np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)
    core = cv2.erode(inside.astype(np.uint8), square, borderValue=0)
    if np.count_nonzero(core) > _LEAST_CORE:
        inside = core > 0
    smooth = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 2.0), np.float32)
    if float(smooth[inside].std(axis=0).max()) < _LEAST_SPREAD:
        return "it shows a single colour"
    red, blue, darkest = rgb[inside, 0], rgb[inside, 2], rgb[inside].min(axis=1)
    if float((blue > red + _BLUER).mean()) > _MOST_BLUE:
        return "its colours are not those of a retina"
    level = rgb.max(axis=2)[inside]
    departure = np.abs(level - smooth.max(axis=2)[inside]) / max(np.percentile(level, 90), 1.0)
    is_drawn = departure.mean() > _MOST_DETAIL or np.percentile(departure, 99) > _SHARPEST
    if is_drawn or (darkest > _WHITE).mean() > _MOST_WHITE:
        return "it looks like a page, a drawing or a photograph of something else"
    return ""
