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

from retina_viewer.imaging.circles import Circle, disk_mask
from retina_viewer.imaging.fundus_look import unlike_retina
from retina_viewer.imaging.lit_regions import LEAST_CONTRAST, lit_regions, paper_in
from retina_viewer.imaging.rims import on_steepest_edge, rim_circles, straight_stops

_WORKING_SIDE = 400
"""The longer side of the shrunken photograph: one of its pixels is a 400th of the frame."""


@dataclass(frozen=True, eq=False)
class FieldOfView:
    """The field of view, in source pixels; pixel (0, 0) reaches from 0.0 to 1.0.

    Where a picture holds several photographs, the mask covers them all; centre and diameter are
    those of the largest.

    Attributes:
        mask: ``(H, W)`` bool, true on the retina.
        centre_x: of the circle through the rim, or of the image where no rim is seen.
        centre_y: likewise.
        diameter: of that circle, also where the frame cuts it. Where no rim is seen: the frame's
            longer side. Where the rim is no circle: the longer side of the mask's bounding box.
        is_whole_image: no border was found, the mask is true everywhere.
        is_empty: no retina was found: black, one colour, a page of text; the mask is true
            everywhere.
        doubt: what a person should hear where this may be no photograph of one retina, in a
            sentence or two; empty where it looks like one.
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
    """One photograph in the picture: its place and its mask, both in working pixels.

    ``frame``: top, bottom, left, right of what of a circle is seen; None where the rim is none.
    """

    circle: Circle
    region: NDArray[np.bool_]
    frame: tuple[float, float, float, float] | None


def find_field_of_view(rgb8: NDArray[np.uint8]) -> FieldOfView:
    """Find the field of view of any camera.

    Works on circles, circles cut by the frame or by straight stops, several of them, and
    photographs cropped so that no border is left. A rim that is no circle gives the thresholded
    region itself. A picture without a retina is no error here: it yields the whole frame, with
    ``is_empty`` and a ``doubt``.

    Args:
        rgb8: ``(H, W, 3)`` uint8, of any size.
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
    return FieldOfView(
        np.ones((height, width), np.bool_),
        width / 2,
        height / 2,
        float(max(height, width)),
        is_whole_image=True,
        is_empty=bool(doubt),
        doubt=doubt,
    )


def _parts(level: NDArray[np.uint8], *, is_paper: bool) -> list[_Part]:
    """The photographs in a picture of that brightness."""
    found: list[_Part] = []
    loose: list[_Part] = []
    height, width = level.shape
    taken = np.zeros(level.shape, np.bool_)
    for lit in lit_regions(level, is_paper=is_paper):
        if np.count_nonzero(taken & (lit > 0)) > 0.5 * np.count_nonzero(lit):
            continue  # a shadow cut it off from a disk that is found already
        rims = rim_circles(lit)
        for rim in rims:
            circle = on_steepest_edge(level, rim)
            frame = straight_stops(lit, circle)
            region = disk_mask(height, width, circle, frame)
            found.append(_Part(circle, region, frame))
            taken |= region
        if not rims:
            loose.append(_free_form(lit))
    largest = max((np.count_nonzero(part.region) for part in found + loose), default=0)
    # Of what is not round, a photograph is large, and it has no bays as shadows make them.
    whole = [
        part
        for part in loose
        if np.count_nonzero(part.region) >= 0.5 * largest and _is_convex(part.region)
    ]
    return found + whole or loose[:1]


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
    return FieldOfView(
        mask,
        largest.x,
        largest.y,
        2 * largest.radius,
        bool(mask.all()),
        doubt=doubt.strip(),
        others=tuple(others),
    )


def _enlarged(
    part: _Part, circle: Circle, size: tuple[int, int], scale: tuple[float, float]
) -> NDArray[np.bool_]:
    """The mask of a part, whose circle is given in source pixels; a free form is smoothed."""
    (height, width), (down, across) = size, scale
    if part.frame is None:
        return np.asarray(cv2.resize(part.region * np.uint8(255), (width, height)) > 127)
    top, bottom, left, right = part.frame
    rows, columns = part.region.shape
    frame = (
        top * down,
        bottom * down if bottom < rows else height,
        left * across,
        right * across if right < columns else width,
    )
    return disk_mask(height, width, circle, frame)


def _free_form(lit: NDArray[np.uint8]) -> _Part:
    """A rim that is no circle: the lit region itself."""
    x, y, width, height = cv2.boundingRect(lit)
    around = Circle(x + width / 2, y + height / 2, max(width, height) / 2)
    return _Part(around, lit > 0, None)
