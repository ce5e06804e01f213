"""Two pictures of the same thing in one, labelled: what a slide or a letter needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from retina_viewer.imaging.overlay import Bytes

GAP = 16
"""Pixels between the two, at most."""
HEADROOM = 2 * 96
"""Pixels above and below, at most."""
_GROUND, _INK, _AMBER, _ON_AMBER = (16, 16, 16), (232, 232, 232), (255, 184, 77), (26, 17, 0)


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
    if left.shape != right.shape:
        raise ValueError(f"the pictures differ in size: {left.shape} and {right.shape}")
    height, width = left.shape[:2]
    letters = int(np.clip(width / 40, 11, 40))
    bar, gap = round(2.2 * letters), max(2, min(GAP, width // 100))
    font = ImageFont.load_default(letters)
    size = (2 * width + gap, bar + height + (bar if note else 0))
    sheet = Image.new("RGB", size, _GROUND)
    draw = ImageDraw.Draw(sheet)
    for x, title in zip((0, width + gap), titles, strict=True):
        text = _shortened(draw, title.text, font, width - 2 * letters)
        if title.marked:
            end = x + draw.textlength(text, font) + 1.4 * letters
            draw.rectangle((x, 0, end, bar - 2), fill=_AMBER)
        ink = _ON_AMBER if title.marked else _INK
        draw.text((x + 0.7 * letters, bar / 2), text, ink, font, anchor="lm")
    if note:
        text = _shortened(draw, note, font, size[0] - 2 * letters)
        draw.text((0.7 * letters, size[1] - bar / 2), text, _INK, font, anchor="lm")
    pixels = np.array(sheet)
    pixels[bar : bar + height, :width] = left
    pixels[bar : bar + height, width + gap :] = right
    return pixels


def _shortened(
    draw: ImageDraw.ImageDraw,
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    room: float,
) -> str:
    """As much of the text as fits, with an ellipsis where some is missing."""
    if draw.textlength(text, font) <= room:
        return text
    while text and draw.textlength(text + "…", font) > room:
        text = text[:-1]
    return text + "…" if text else ""
