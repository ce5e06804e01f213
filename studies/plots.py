"""Plots of figures against scale, drawn with Pillow: no drawing library is needed for this."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from retina_viewer.core.files import atomic_write

WIDTH, HEIGHT = 520, 380
"""Pixels of one panel."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 20, 46, 52
_LEGEND = 190
_SHARP = 2  # drawn so many times larger: Pillow's lines are not smoothed
_INK, _RULE, _PAPER = (22, 22, 22), (224, 224, 224), (255, 255, 255)
_COLOURS = {
    "original": (22, 22, 22), "saliency-gan": (218, 30, 40), "pixel": (15, 98, 254),
    "srgan": (255, 131, 43), "srgan-vgg19": (178, 134, 0), "srcnn": (138, 63, 252),
    "sr-forest": (25, 128, 56), "ssr": (0, 93, 93), "linear": (51, 177, 255),
    "linear-5fold": (166, 200, 255), "bicubic": (120, 120, 120), "lanczos": (190, 190, 190),
}  # fmt: skip
_OTHERS = ((159, 24, 83), (87, 4, 8), (0, 45, 156))

Spread = tuple[float, float]
"""A value and its standard deviation, NaN where there is none."""


@dataclass(frozen=True)
class Panel:
    """One set of axes.

    Args:
        title: above it.
        ticks: names of the places from left to right, e.g. x2, x4.
        series: by name; one value a place, None where there is none.
    """

    title: str
    ticks: Sequence[str]
    series: Mapping[str, Sequence[Spread | None]] = field(default_factory=dict)

    def bounds(self) -> tuple[float, float]:
        """The lowest and highest value that the axis shows, bars of one SD included."""
        values = [value for line in self.series.values() for value in line if value is not None]
        ends = [v + k * (0.0 if math.isnan(sd) else sd) for v, sd in values for k in (-1, 1)]
        if not ends:
            return 0.0, 1.0
        room = 0.06 * (max(ends) - min(ends)) or 0.05 * abs(max(ends)) or 1.0
        return min(ends) - room, max(ends) + room

    def height_of(self, value: float) -> float:
        """Pixels below the panel's upper edge."""
        low, high = self.bounds()
        return HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM)

    def place_of(self, number: int) -> float:
        """Pixels right of the panel's left edge."""
        inner = WIDTH - _LEFT - _RIGHT
        return _LEFT + inner * (number + 0.5) / len(self.ticks)


def save_plot(panels: Sequence[Panel], path: Path, note: str = "") -> None:
    """Panels side by side with one legend, as PNG; an older file is replaced.

    Raises:
        UserError: it cannot be written.
    """
    names = list(dict.fromkeys(name for panel in panels for name in panel.series))
    colours = colours_of(names)
    size = (WIDTH * len(panels) + _LEGEND, HEIGHT)
    picture = Image.new("RGB", (size[0] * _SHARP, size[1] * _SHARP), _PAPER)
    pen = _Pen(ImageDraw.Draw(picture))
    for number, panel in enumerate(panels):
        pen.left = number * WIDTH
        _draw(pen, panel, colours)
    pen.left = len(panels) * WIDTH
    for place, name in enumerate(names):
        y = _TOP + 20 * place
        pen.line(10, y, 34, y, colours[name], 3)
        pen.text(42, y, name, "lm")
    pen.left = 0
    pen.text(12, HEIGHT - 12, note, "lm", size=11)
    stream = BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).save(stream, "PNG", optimize=True)
    with atomic_write(path, replace=True) as target:
        target.write(stream.getvalue())


def colours_of(names: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """One a series; a method has the same in every plot."""
    unknown = [name for name in names if name not in _COLOURS]
    others = {name: _OTHERS[place % len(_OTHERS)] for place, name in enumerate(unknown)}
    return {name: others.get(name) or _COLOURS[name] for name in names}


@dataclass
class _Pen:
    """Draws in the pixels of the finished picture, right of ``left``."""

    draw: ImageDraw.ImageDraw
    left: int = 0

    def line(
        self, x1: float, y1: float, x2: float, y2: float, ink: tuple[int, int, int], wide: int = 1
    ) -> None:
        ends = (x1 + self.left, y1, x2 + self.left, y2)
        self.draw.line([value * _SHARP for value in ends], fill=ink, width=wide * _SHARP)

    def dot(self, x: float, y: float, ink: tuple[int, int, int]) -> None:
        x, y, radius = (x + self.left) * _SHARP, y * _SHARP, 4 * _SHARP
        self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)

    def text(self, x: float, y: float, words: str, anchor: str, size: int = 13) -> None:
        font = ImageFont.load_default(size * _SHARP)
        place = ((x + self.left) * _SHARP, y * _SHARP)
        self.draw.text(place, words, fill=_INK, font=font, anchor=anchor)


def _draw(pen: _Pen, panel: Panel, colours: Mapping[str, tuple[int, int, int]]) -> None:
    pen.text((_LEFT + WIDTH - _RIGHT) / 2, 22, panel.title, "mm", size=15)
    for value in round_steps(*panel.bounds()):
        y = panel.height_of(value)
        pen.line(_LEFT, y, WIDTH - _RIGHT, y, _RULE)
        pen.text(_LEFT - 8, y, f"{value:g}", "rm")
    for number, tick in enumerate(panel.ticks):
        pen.text(panel.place_of(number), HEIGHT - _BOTTOM + 16, tick, "mm")
    count = max(1, len(panel.series))
    for order, (name, values) in enumerate(panel.series.items()):
        aside = (order - (count - 1) / 2) * 8.0  # bars of one SD beside each other
        before: tuple[float, float] | None = None
        for number, spread in enumerate(values):
            if spread is None:
                before = None
                continue
            x, y = panel.place_of(number) + aside, panel.height_of(spread[0])
            if not math.isnan(spread[1]):
                ends = (panel.height_of(spread[0] + k * spread[1]) for k in (-1, 1))
                pen.line(x, next(ends), x, next(ends), colours[name])
            if before is not None:
                pen.line(*before, x, y, colours[name], 2)
            pen.dot(x, y, colours[name])
            before = x, y


def round_steps(low: float, high: float) -> list[float]:
    """About five round numbers between two bounds."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = min((m * power for m in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(n * step, 10) for n in range(first, last + 1)]
