"""Pictures of the same thing in one, labelled: what a slide or a letter needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from retina_viewer.imaging.overlay import AMBER, ON_AMBER, Bytes

GAP = 16
"""Pixels between two pictures, at most."""
HEADROOM = 2 * 96
"""Pixels above and below, at most."""
_GROUND, _INK = (16, 16, 16), (232, 232, 232)


@dataclass(frozen=True)
class Title:
    """What a picture is.

    Attributes:
        marked: on amber: a network made it.
    """

    text: str
    marked: bool = False


def beside(left: Bytes, right: Bytes, titles: tuple[Title, Title], note: str = "") -> Bytes:
    """Two pictures of one size next to each other, each under its title.

    Args:
        left, right: ``(H, W, 3)`` uint8.
        titles: theirs; shortened where they do not fit.
        note: a line under both.

    Returns:
        ``(H', W', 3)`` uint8: both pictures unchanged on a dark ground.
    """
    return sheet((left, right), titles, columns=2, notes=(note,) if note else ())


def sheet(
    pictures: Sequence[Bytes],
    titles: Sequence[Title],
    *,
    columns: int,
    captions: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Bytes:
    """Pictures of one size in rows, each under its title.

    Args:
        pictures: ``(H, W, 3)`` uint8 each.
        titles: one a picture; shortened where they do not fit.
        columns: pictures in a row.
        captions: one a picture, under it; none where empty.
        notes: under all, each on lines of its own.

    Returns:
        ``(H', W', 3)`` uint8: the pictures unchanged on a dark ground.
    """
    height, width = pictures[0].shape[:2]
    for other in pictures:
        if other.shape != pictures[0].shape:
            raise ValueError(f"the pictures differ in size: {pictures[0].shape} and {other.shape}")
    letters = int(np.clip(width / 40, 11, 40))
    bar, gap = round(2.2 * letters), max(2, min(GAP, width // 100))
    font = ImageFont.load_default(letters)
    rows = -(-len(pictures) // columns)
    tall = bar + height + (bar if captions else 0)
    below, across = rows * tall + (rows - 1) * gap, columns * width + (columns - 1) * gap
    under = [line for note in notes for line in _wrapped(note, font, across - 2 * letters)]
    page = Image.new("RGB", (across, below + bar * len(under)), _GROUND)
    draw = ImageDraw.Draw(page)
    corners = [
        (place % columns * (width + gap), place // columns * (tall + gap))
        for place in range(len(pictures))
    ]
    for (x, y), title in zip(corners, titles, strict=True):
        text = _shortened(draw, title.text, font, width - 2 * letters)
        if title.marked:
            end = x + draw.textlength(text, font) + 1.4 * letters
            draw.rectangle((x, y, end, y + bar - 2), fill=AMBER)
        ink = ON_AMBER if title.marked else _INK
        draw.text((x + 0.7 * letters, y + bar / 2), text, ink, font, anchor="lm")
    lines = [
        (x, y + bar + height, text, width)
        for (x, y), text in zip(corners, captions, strict=bool(captions))
    ]
    lines += [(0, below + bar * number, text, across) for number, text in enumerate(under)]
    for x, y, line, room in lines:
        text = _shortened(draw, line, font, room - 2 * letters)
        draw.text((x + 0.7 * letters, y + bar / 2), text, _INK, font, anchor="lm")
    pixels = np.array(page)
    for (x, y), picture in zip(corners, pictures, strict=True):
        pixels[y + bar : y + bar + height, x : x + width] = picture
    return pixels


def _wrapped(
    text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float
) -> list[str]:
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


def _shortened(
    draw: ImageDraw.ImageDraw,
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    room: float,
) -> str:
    """As much of the text as fits, with an ellipsis where some is missing."""
    text = _drawable(text)
    if draw.textlength(text, font) <= room:
        return text
    while text and draw.textlength(text + "…", font) > room:
        text = text[:-1]
    return text + "…" if text else ""
