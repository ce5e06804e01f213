"""What is written into a picture's corners: that a network made it, and what its layers mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from retina_viewer.imaging.layer_art import AMBER, ON_AMBER, Bytes, Legend, Mask

_GROUND, _INK = (16, 16, 16), (240, 240, 240)
_LETTERS = 75
"""Letters are this part of the picture's longer side high."""
_LEAST_LETTERS = 9
_SMALLER = (1.0, 0.75, 0.5)
"""Sizes of a mark that are tried before a corner counts as too small for it."""


@dataclass(frozen=True, eq=False)
class Stamp:
    """A label, ``(h, w, 3)`` uint8 sRGB, opaque; ``x, y``: its upper left corner's place in a
    picture, in the picture's pixels."""

    x: int
    y: int
    pixels: Bytes

    def onto(
        self, part: NDArray[np.uint8] | NDArray[np.uint16], left: int = 0, top: int = 0
    ) -> None:
        """Write it into a part ``(H, W, 3)`` of the picture, in place, as far as it lies there;
        ``left, top``: of the part in the picture."""
        height, width = self.pixels.shape[:2]
        x0, y0 = max(self.x, left), max(self.y, top)
        x1 = min(self.x + width, left + part.shape[1])
        y1 = min(self.y + height, top + part.shape[0])
        if x0 < x1 and y0 < y1:
            widened = 1 if part.dtype == np.uint8 else 257
            piece = self.pixels[y0 - self.y : y1 - self.y, x0 - self.x : x1 - self.x]
            part[y0 - top : y1 - top, x0 - left : x1 - left] = piece.astype(part.dtype) * widened


def ai_stamp(text: str, mask: Mask, scale: int) -> Stamp | None:
    """A small amber label in a corner outside the field of view; None where there is no such.

    Args:
        mask: the field of view in the photograph, ``(H, W)`` bool.
        scale: how many times larger the picture is.
    """
    for smaller in _SMALLER:
        label = _ai_label(text, _letters(mask, scale) * smaller)
        stamp, covered = min(_in_corners(label, mask, scale), key=lambda found: found[1])
        if not covered:
            return stamp
    return None


def stamps_of(
    legends: Sequence[Legend], mask: Mask, scale: int = 1, ai_text: str = ""
) -> list[Stamp]:
    """The legends of a picture with layers (at most three) and what made it (``AI x4``, on amber;
    none where empty), each in a corner of its own, where it covers the least of the field of view.
    ``mask`` and ``scale`` as in :func:`ai_stamp`."""
    letters = _letters(mask, scale)
    labels = [_legend_label(legend, letters) for legend in legends]
    if ai_text:
        labels.append(_ai_label(ai_text, letters))
    stamps: list[Stamp] = []
    free = list(range(4))
    for label in sorted(labels, key=lambda one: -one.size):
        found = _in_corners(label, mask, scale)
        corner = min(free, key=lambda number: found[number][1])
        free.remove(corner)
        stamps.append(found[corner][0])
    return stamps


def _letters(mask: Mask, scale: int) -> float:
    return float(max(_LEAST_LETTERS, max(mask.shape) * scale / _LETTERS))


def _in_corners(label: Bytes, mask: Mask, scale: int) -> list[tuple[Stamp, int]]:
    """The label in each corner, and how many source pixels of the field it would touch there."""
    height, width = mask.shape[0] * scale, mask.shape[1] * scale
    gap = max(2, max(height, width) // 200)
    right = max(0, width - label.shape[1] - gap)
    bottom = max(0, height - label.shape[0] - gap)
    left, top = min(gap, right), min(gap, bottom)
    found = []
    for x, y in ((right, bottom), (left, bottom), (right, top), (left, top)):
        rows = slice(max(0, y - gap) // scale, -(-(y + label.shape[0] + gap) // scale))
        columns = slice(max(0, x - gap) // scale, -(-(x + label.shape[1] + gap) // scale))
        found.append((Stamp(x, y, label), int(np.count_nonzero(mask[rows, columns]))))
    return found


def _ai_label(text: str, letters: float) -> Bytes:
    letters = max(_LEAST_LETTERS, letters)
    font = ImageFont.load_default(letters)
    size = round(font.getlength(text) + letters), round(1.7 * letters)
    page = Image.new("RGB", size, AMBER)
    ImageDraw.Draw(page).text((size[0] / 2, size[1] / 2), text, ON_AMBER, font, anchor="mm")
    return np.array(page)


def _legend_label(legend: Legend, letters: float) -> Bytes:
    font = ImageFont.load_default(letters)
    side, line, sample = letters / 2, 1.5 * letters, 1.5 * letters
    lines = [font.getlength(text) + sample + letters for _, text in legend.lines]
    ticks = font.getlength("   ".join(text for _, text in legend.ticks))
    texts = [font.getlength(text) for text in (legend.name, legend.note)]
    width = round(max(*texts, sum(lines), ticks, 12 * letters) + 2 * side)
    rows = (2.7 if legend.ramp else 2) + bool(legend.note)
    page = Image.new("RGB", (width, round(rows * line + side)), _GROUND)
    draw = ImageDraw.Draw(page)
    write = partial(draw.text, fill=_INK, font=font, anchor="lm")
    write((side, side + line / 2), legend.name)
    y = side + line
    x = side
    for (colour, text), room in zip(legend.lines, lines, strict=True):
        draw.line((x, y + line / 2, x + sample, y + line / 2), colour, round(letters / 5) + 1)
        write((x + sample + letters / 4, y + line / 2), text)
        x += room
    if legend.ramp:
        left, top, right, bottom = map(round, (side, y, width - side, y + 0.7 * line))
        places = np.rint(np.linspace(0, 255, right - left)).astype(int)
        row = np.array(legend.ramp, np.uint8)[None, places]
        page.paste(Image.fromarray(np.repeat(row, bottom - top, axis=0)), (left, top))
        for place, text in legend.ticks:
            long = font.getlength(text)
            at = side + place * (width - 2 * side) - long / 2
            write((min(max(at, side), width - side - long), y + 1.2 * line), text)
    write((side, page.height - line / 2 - side / 2), legend.note)
    return np.array(page)


GAP = 16
"""Pixels between two pictures, at most."""
HEADROOM = 2 * 96
"""Pixels above and below, at most."""
_PAGE_INK = (232, 232, 232)
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Title:
    """What a picture is; ``marked``, on amber, where a network made it."""

    text: str
    marked: bool = False


def beside(left: Bytes, right: Bytes, titles: tuple[Title, Title], note: str = "") -> Bytes:
    """Two pictures of one size next to each other, a note under both: see :func:`sheet`."""
    return sheet((left, right), titles, columns=2, notes=(note,) if note else ())


def sheet(
    pictures: Sequence[Bytes],
    titles: Sequence[Title],
    *,
    columns: int,
    captions: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Bytes:
    """Pictures of one size in rows of ``columns``, unchanged on a dark ground.

    Args:
        pictures: ``(H, W, 3)`` uint8 each, as is the sheet.
        titles: one above each picture; shortened where they do not fit.
        captions: one under each picture; none where empty.
        notes: under all, each on lines of its own.
    """
    height, width = pictures[0].shape[:2]
    if len(sizes := {picture.shape for picture in pictures}) > 1:
        raise ValueError(f"the pictures differ in size: {sizes}")
    letters = int(np.clip(width / 40, 11, 40))
    bar, gap = round(2.2 * letters), max(2, min(GAP, width // 100))
    font = ImageFont.load_default(letters)
    rows = -(-len(pictures) // columns)
    tall = bar + height + (bar if captions else 0)
    below, across = rows * tall + (rows - 1) * gap, columns * width + (columns - 1) * gap
    under = [line for note in notes for line in _wrapped(note, font, across - 2 * letters)]
    page = Image.new("RGB", (across, below + bar * len(under)), _GROUND)
    draw = ImageDraw.Draw(page)
    places = (divmod(number, columns) for number in range(len(pictures)))
    corners = [(column * (width + gap), row * (tall + gap)) for row, column in places]
    for (x, y), title in zip(corners, titles, strict=True):
        text = _shortened(title.text, font, width - 2 * letters)
        if title.marked:
            end = x + font.getlength(text) + 1.4 * letters
            draw.rectangle((x, y, end, y + bar - 2), fill=AMBER)
        ink = ON_AMBER if title.marked else _PAGE_INK
        draw.text((x + 0.7 * letters, y + bar / 2), text, ink, font, anchor="lm")
    lines = [
        (x, y + bar + height, text, width)
        for (x, y), text in zip(corners, captions, strict=bool(captions))
    ]
    lines += [(0, below + bar * number, text, across) for number, text in enumerate(under)]
    for x, y, line, room in lines:
        text = _shortened(line, font, room - 2 * letters)
        draw.text((x + 0.7 * letters, y + bar / 2), text, _PAGE_INK, font, anchor="lm")
    pixels = np.array(page)
    for (x, y), picture in zip(corners, pictures, strict=True):
        pixels[y + bar : y + bar + height, x : x + width] = picture
    return pixels


def _wrapped(text: str, font: Font, room: float) -> list[str]:
    """The text on as many lines as it needs; a word that is too long for one stays whole."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(_drawable(longer)) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _drawable(text: str) -> str:
    """In the letters that Pillow's own font has."""
    return text.replace("×", "x")


def _shortened(text: str, font: Font, room: float) -> str:
    """As much of the text as fits, with an ellipsis where some is missing."""
    text = _drawable(text)
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return text and text + "…"
