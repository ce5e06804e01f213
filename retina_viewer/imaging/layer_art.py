"""What the layers over a photograph look like: one painter for the screen and for every file.

A layer is either a :class:`Veil`, colours that let the photograph through, or :class:`Lines`,
outlines that leave what they enclose unchanged. The screen draws both with its own pens from the
same numbers; files get them from :func:`paint`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Colour = tuple[int, int, int]

CYAN: Colour = (0, 229, 255)
"""Vessels."""


AMBER: Colour = (255, 184, 77)
ON_AMBER: Colour = (26, 17, 0)
"""The ground and the letters of what says that a network made a picture."""

# Inferno (van der Walt and Smith, CC0) and cividis (Nunez, Anderton and Renslow 2018) keep their
# order for colour-blind eyes; 33 points, at most five grey levels from the originals between them.
_POINTS = {
    "inferno": (
        "0000040403120b0724150b37210c4a2f0a5b3d09654a0c6b57106e64156e71196e7d1e6d8a226a"
        "972766a32c61b0315bbc3754c63d4dd04545da4e3ce35933eb6429f1711ff67e14f98c0afb9b06"
        "fcaa0ffbba1ff9c932f5d949f2e865f3f586fcffa4"
    ),
    "cividis": (
        "00204d00265a002c6900306f06366e1f3c6d2d426c38486b414d6b4a536b52596c595f6d61646f"
        "686a716f70737676767d7c788481798b8779938e789b9477a39a76aca174b4a872bcaf6fc5b56c"
        "cebc68d7c463e0cb5ee9d358f2da50fbe248ffea46"
    ),
}
REVERSED = "-reversed"

COLOUR_MAPS: tuple[str, ...] = tuple(name + end for name in _POINTS for end in ("", REVERSED))
"""The names that :func:`lookup_table` knows."""


@lru_cache(maxsize=8)
def lookup_table(name: str) -> Bytes:
    """``(256, 3)`` uint8 sRGB of a map in :data:`COLOUR_MAPS`, lowest value first; read-only."""
    if name not in COLOUR_MAPS:
        raise ValueError(f"no colour map {name!r}; there are {', '.join(COLOUR_MAPS)}")
    points = np.frombuffer(bytes.fromhex(_POINTS[name.removesuffix(REVERSED)]), np.uint8)
    points = points.reshape(-1, 3)
    at = np.rint(np.linspace(0, 255, len(points)))
    channels = [np.interp(np.arange(256), at, points[:, channel]) for channel in range(3)]
    table = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    if name.endswith(REVERSED):
        table = np.flipud(table).copy()
    table.flags.writeable = False
    return table


def outline(mask: NDArray[np.bool_], thickness: float = 1.0) -> NDArray[np.bool_]:
    """The pixels just outside a mask, ``(H, W)`` bool, up to ``thickness`` (1 or more) from it:
    what is outlined stays visible even where it is one pixel wide."""
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray((away > 0) & (away <= thickness))


Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

SALIENCY_OPACITY, VESSEL_OPACITY, UNCERTAINTY_OPACITY = 0.8, 0.9, 0.8
"""How opaque a layer is unless the person chooses otherwise."""

CLEAR_BELOW = 0.85
"""The share of the field of view that the saliency layer leaves as it is. On photographs of four
cameras the 80th percentile still speckles smooth retina, the 90th drops microaneurysms."""
RIM = 0.015
"""The part of the field's diameter at its rim that the saliency layer leaves out."""
CONTOURS = (CLEAR_BELOW, 0.95)
"""The percentiles that the contours enclose, as shares."""
CONTOUR_BLUR = 0.01
"""Contours are of the map averaged over this part of the field's diameter: those of the map itself
would surround every grain."""
_BLUR_PIXELS = 3
_FAINTEST = 0.5
"""How much the least of what is shown covers: less is lost on the retina's own red."""
_FIRST_COLOUR = 0.35
"""Where in its colour map the scale begins: darker colours look like vessels."""
_RANK_BINS = 1 << 16

UNCERTAINTY_COLOURS = "cividis-reversed"
UNCERTAINTY_TOP = 8.0
"""Grey levels of expected error at the end of the scale, the same for every photograph."""
UNCERTAINTY_FROM = 2.0
"""Grey levels from which the colours are blue: detail that counts as uncertain."""
UNCERTAINTY_CLEAR = 1.5
"""Grey levels below which the photograph stays as it is: less than any field's median plus 1.5."""
_UNCERTAINTY_SHARE = ((UNCERTAINTY_CLEAR - 0.1, 0.0), (UNCERTAINTY_CLEAR, 0.42), (6.0, 0.9))
"""Grey levels, and how much of the photograph they cover: at its default opacity the layer changes
the picture by at least 10 of 255."""
_UNCERTAINTY_HUES = (
    (0.0, 0.0),
    (UNCERTAINTY_FROM, 0.31),
    (UNCERTAINTY_FROM, 0.8),
    (UNCERTAINTY_TOP, 1.0),
)
"""Grey levels, and where in the colour map. The greys in its middle are left out: on a red-free
photograph they would be the photograph's own."""

LINE_PART = 800
"""A line is at least this part of the longer side: one pixel where a screen shows all of it."""


class SaliencyStyle(StrEnum):
    """How the saliency map is shown."""

    COLOURS = "colours"
    CONTOURS = "contours"


@dataclass(frozen=True, eq=False)
class Veil:
    """Colours over a photograph: ``(H, W, 4)`` uint8 RGBA, premultiplied by their alpha."""

    rgba: Bytes


@dataclass(frozen=True, eq=False)
class Lines:
    """Outlines around what of ``plane`` ``(H, W)`` is at least as high as a threshold, on the outer
    side of its edge, ``within`` the field of view, ``(H, W)`` bool."""

    plane: Plane
    threshold: float
    colour: Colour
    within: Mask


Art = Veil | tuple[Lines, ...]


@dataclass(frozen=True)
class Legend:
    """What the colours of a layer mean.

    Attributes:
        name: of the layer, with its unit.
        ramp: ``(256, 3)`` colours from the scale's low end to its high one; empty for lines.
        ticks: places along the ramp, 0 to 1, and what is written there.
        lines: colours of lines, and what each encloses.
        note: what else is to be said, in files alone.
    """

    name: str
    ramp: tuple[Colour, ...] = ()
    ticks: tuple[tuple[float, str], ...] = ()
    lines: tuple[tuple[Colour, str], ...] = ()
    note: str = ""


def percentiles(values: Plane, mask: Mask) -> Plane:
    """Where each value, finite inside the mask, stands among those of the field of view.

    Returns:
        ``(H, W)`` float32 in [0, 1]: the share of the field's values below, equal ones half; 0
        outside. A constant map is 0.5 everywhere: nothing in it stands out.
    """
    result = np.zeros(values.shape, np.float32)
    inside = values[mask]
    if not inside.size:
        return result
    low, span = float(inside.min()), float(np.ptp(inside))
    if span <= 0:
        result[mask] = 0.5
        return result
    bins = ((inside - low) * np.float32((_RANK_BINS - 1) / span)).astype(np.int32)
    counts = np.bincount(bins, minlength=_RANK_BINS)
    ranks = (np.cumsum(counts) - counts / 2) / inside.size
    result[mask] = ranks.astype(np.float32)[bins]
    return result


def saliency_art(values: Plane, mask: Mask, colour_map: str, style: SaliencyStyle) -> Art:
    """The saliency map by percentiles of the field of view; clear below :data:`CLEAR_BELOW`."""
    mask = without_rim(mask)
    if style is SaliencyStyle.CONTOURS:
        smooth = _averaged_percentiles(values, mask)
        return tuple(
            Lines(smooth, share, colour, mask)
            for share, colour in zip(CONTOURS, _contour_colours(colour_map), strict=True)
        )
    above = (percentiles(values, mask) - np.float32(CLEAR_BELOW)) / np.float32(1 - CLEAR_BELOW)
    cover = np.where(above >= 0, np.float32(_FAINTEST) + np.float32(1 - _FAINTEST) * above, 0)
    return _veil(np.clip(above, 0, 1), _saliency_colours(colour_map), cover)


def without_rim(mask: Mask) -> Mask:
    """The field of view but for its edge, which the camera's aperture makes, and no retina."""
    away = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(mask & (away > RIM * _diameter(mask)))


def _diameter(mask: Mask) -> float:
    """Of the disk of the same area."""
    return math.sqrt(4 / math.pi * np.count_nonzero(mask))


def _contour_colours(colour_map: str) -> tuple[Colour, ...]:
    """One a contour: those of its own percentile would be the retina's."""
    return _as_colours(lookup_table(colour_map)[[64, 242]])


def _saliency_colours(colour_map: str) -> tuple[Colour, ...]:
    """256 colours, of the percentile :data:`CLEAR_BELOW` to the highest."""
    places = np.rint(np.linspace(_FIRST_COLOUR, 1, 256) * 255).astype(int)
    return _as_colours(lookup_table(colour_map)[places])


def _as_colours(table: Bytes) -> tuple[Colour, ...]:
    return tuple((red, green, blue) for red, green, blue in table.tolist())


def _averaged_percentiles(values: Plane, mask: Mask) -> Plane:
    """The percentiles of the map averaged inside the field of view, where nothing outside counts.

    At a size where the average spans few pixels: at the photograph's own it takes seconds.
    """
    height, width = mask.shape
    sigma = CONTOUR_BLUR * _diameter(mask)
    shrink = max(1.0, sigma / _BLUR_PIXELS)
    size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    inside = mask.astype(np.float32)
    total, weight = (
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (values * inside, inside)
    )
    small = np.asarray(weight > 0.5)
    sigma = max(0.5, sigma / shrink)
    total, weight = (cv2.GaussianBlur(plane, (0, 0), sigma) for plane in (total, weight))
    average = np.asarray(total / np.maximum(weight, np.float32(1e-6)), np.float32)
    ranks = percentiles(average, small)
    # Continued over the rim, whose steps at this size would be contours otherwise.
    around = np.asarray(cv2.dilate(ranks, np.ones((5, 5), np.uint8)), np.float32)
    ranks = np.where(small, ranks, around)
    whole = cv2.resize(ranks, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole, np.float32) * inside


def uncertainty_veil(expected_error: Plane, mask: Mask) -> Veil:
    """Where detail is uncertain, on one scale for all photographs: ``(H, W)`` float32, grey levels
    of 0..255; the mask says where it is known and means something."""
    levels, shares = zip(*_UNCERTAINTY_SHARE, strict=True)
    cover = np.interp(expected_error, levels, shares) * mask
    place = (expected_error - UNCERTAINTY_CLEAR) / (UNCERTAINTY_TOP - UNCERTAINTY_CLEAR)
    return _veil(np.clip(place, 0, 1), _uncertainty_colours(), cover.astype(np.float32))


def _uncertainty_colours() -> tuple[Colour, ...]:
    """256 colours, of :data:`UNCERTAINTY_CLEAR` to :data:`UNCERTAINTY_TOP` grey levels."""
    levels, places = zip(*_UNCERTAINTY_HUES, strict=True)
    wanted = np.interp(np.linspace(UNCERTAINTY_CLEAR, UNCERTAINTY_TOP, 256), levels, places)
    return _as_colours(lookup_table(UNCERTAINTY_COLOURS)[np.rint(wanted * 255).astype(int)])


def vessel_lines(probability: Plane, threshold: float, mask: Mask) -> tuple[Lines, ...]:
    """The outlines of what is at least as probable as ``threshold``, inside the field of view."""
    return (Lines(probability, threshold, CYAN, mask),)


def _veil(place: Plane, colours: tuple[Colour, ...], cover: Plane) -> Veil:
    """Colours by their place along a scale, 0 to 1, as opaque as ``cover`` says."""
    shown = cover > 0
    share, table = cover[shown][:, None], np.array(colours, np.float32)
    rgba = np.zeros((*cover.shape, 4), np.uint8)
    rgba[shown, :3] = np.rint(table[np.rint(place[shown] * 255).astype(np.uint8)] * share)
    rgba[shown, 3] = np.rint(share[:, 0] * 255)
    return Veil(rgba)


def saliency_legend(colour_map: str, style: SaliencyStyle) -> Legend:
    """What the colours of :func:`saliency_art` mean."""
    name = "saliency (percentile of the field)"
    if style is SaliencyStyle.CONTOURS:
        texts = (f"{share * 100:.0f}" for share in CONTOURS)
        return Legend(name, lines=tuple(zip(_contour_colours(colour_map), texts, strict=True)))
    ticks = ((0.0, f"clear below {CLEAR_BELOW * 100:.0f}"), (1.0, "100"))
    return Legend(name, _saliency_colours(colour_map), ticks)


def uncertainty_legend() -> Legend:
    """What the colours of :func:`uncertainty_veil` mean."""
    low = f"clear below {UNCERTAINTY_CLEAR:g}, blue from {UNCERTAINTY_FROM:g}"
    ticks = ((0.0, low), (1.0, f"{UNCERTAINTY_TOP:g}+"))
    return Legend("uncertainty (expected error, grey levels)", _uncertainty_colours(), ticks)


VESSEL_LEGEND = Legend("vessels", lines=((CYAN, "AI outline"),))


def paint(picture: Bytes, layers: Sequence[tuple[Art, float]], scale: int = 1) -> None:
    """Draw layers into a picture, in place, in bands: what a large one needs stays small.

    Args:
        picture: ``(H * scale, W * scale, 3)`` uint8 sRGB, of the photograph or its enlargement.
        layers: ``(H, W)``, each with its opacity, 0 to 1; the first lies lowest.
    """
    height, width = picture.shape[0] // scale, picture.shape[1] // scale
    # A little over one: the outline of a slanting edge is thinner than its pixels.
    thickness = max(1.5, scale * max(1.0, max(height, width) / LINE_PART))
    rows = max(1, _BAND_PIXELS // (width * scale * scale))
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        band = picture[top * scale : bottom * scale]
        for art, opacity in layers:
            for one in (art,) if isinstance(art, Veil) else art:
                margin = 1 if isinstance(one, Veil) else 2 + math.ceil(thickness / scale)
                above, below = min(margin, top), min(margin, height - bottom)
                part = slice(top - above, bottom + below)
                inner = slice(above * scale, (above + bottom - top) * scale)
                if isinstance(one, Veil):
                    _lay(band, _enlarged(one.rgba[part], scale)[inner], opacity)
                else:
                    line = _line(one, part, scale, thickness)[inner]
                    mixed = band[line] * (1 - opacity) + np.array(one.colour) * opacity
                    band[line] = np.rint(mixed).astype(np.uint8)


_BAND_PIXELS = 4_000_000
"""Of the picture, painted at once."""


def _lay(band: Bytes, rgba: Bytes, opacity: float) -> None:
    """Blend premultiplied colours into a band, in place."""
    shown = rgba[..., 3] > 0
    over = rgba[shown] * np.float32(opacity)
    mixed = band[shown] * (1 - over[:, 3:] / np.float32(255)) + over[:, :3]
    band[shown] = np.rint(np.minimum(mixed, 255))


def _line(lines: Lines, part: slice, scale: int, thickness: float) -> Mask:
    above = _enlarged(lines.plane[part], scale) >= np.float32(lines.threshold)
    within = _enlarged(lines.within[part].astype(np.float32), scale) > 0.5
    return outline(np.asarray(above & within), thickness) & within


def _enlarged(values: NDArray[Any], scale: int) -> NDArray[Any]:
    """Bilinear, as the screen enlarges."""
    if scale == 1:
        return values
    size = (values.shape[1] * scale, values.shape[0] * scale)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), values.dtype)
