"""Plots of figures against scale, drawn with Pillow: no drawing library is needed for this."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from statistics import fmean, stdev

from PIL import Image, ImageDraw, ImageFont

from retina_viewer.core.files import atomic_write
from retina_viewer.quality.records import Record
from studies.page_tables import widest_set
from studies.report import TableResults
from studies.tables import by_photograph
from studies.vessel_study import ORIGINAL
from studies.vessel_tables import ORIGINALS, OWN

_BASELINE = "bicubic"
_LIKENESS = (("psnr", "PSNR, dB"), ("ssim", "SSIM"), ("lpips", "LPIPS (less is better)"))
_BARS = "Bars: one SD over the photographs."
_BARS_OF_DIFFERENCES = "Bars: one SD of the difference over the photographs."
Values = dict[tuple[str, str], float]
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


def save_plots(results: Mapping[int, TableResults], folder: Path, stem: str = "") -> dict[str, str]:
    """PNG files of table 1 (one a protocol and kernel) and table 2 (one a set).

    Args:
        folder: made if missing.
        stem: begins the files' names.

    Returns:
        Titles by file name.

    Raises:
        UserError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    titles: dict[str, str] = {}
    if 1 in results:
        conditions = [(record["protocol"], record["kernel"]) for record in results[1].records]
        for protocol, kernel in dict.fromkeys(conditions):
            records = [
                record for record in results[1].records
                if (record["protocol"], record["kernel"]) == (protocol, kernel)
            ]  # fmt: skip
            name = f"{stem}likeness_{protocol}_{kernel}.png"
            differs = any(record["method"] == _BASELINE for record in records)
            note = _BARS_OF_DIFFERENCES if differs else _BARS
            save_plot(likeness_panels(records), folder / name, note)
            titles[name] = f"Likeness: {widest_set(results[1])}, {protocol}, {kernel}"
    if 2 in results:
        for dataset in results[2].values("dataset"):
            name = f"{stem}vessels_{dataset}.png"
            records = [one for one in results[2].records if one["dataset"] == dataset]
            save_plot(vessel_panels(records), folder / name, _BARS_OF_DIFFERENCES)
            titles[name] = f"Vessels: {dataset}"
    return titles


def likeness_panels(records: Sequence[Record]) -> list[Panel]:
    """PSNR, SSIM and (where measured) LPIPS against scale: of every photograph the difference to
    interpolation, which its brightness and detail do not move as they do the figures themselves;
    the figures where interpolation was not measured."""
    scales = sorted({int(record["scale"]) for record in records})
    methods = dict.fromkeys(str(record["method"]) for record in records)
    against = f", against {_BASELINE}" if _BASELINE in methods else ""
    panels = []
    for key, title in _LIKENESS:
        lines: dict[str, list[Spread | None]] = {name: [] for name in methods}
        for scale in scales:
            own = [one for one in records if one["scale"] == scale and key in one]
            base = _of(own, key, _BASELINE)
            for name, line in lines.items():
                line.append(_difference(_of(own, key, name), base if against else None))
        if any(spread is not None for line in lines.values() for spread in line):
            panels.append(Panel(f"{title}{against}", [f"x{scale}" for scale in scales], lines))
    return panels


def vessel_panels(records: Sequence[Record]) -> list[Panel]:
    """Dice against scale, for networks of either training: of every photograph the difference to
    what is found in the original by a network that was trained on originals."""
    scales = sorted({int(record["scale"]) for record in records} - {1})
    methods = dict.fromkeys(str(one["method"]) for one in records if one["method"] != ORIGINAL)
    original = _of(records, "dice", ORIGINAL)
    panels = []
    for training in (OWN, ORIGINALS):
        own = [one for one in records if (one["trained_on"] == ORIGINAL) == (training == ORIGINALS)]
        lines: dict[str, list[Spread | None]] = {}
        for name in methods:
            lines[name] = [
                _difference(
                    _of([one for one in own if one["scale"] == scale], "dice", name),
                    original or None,
                )
                for scale in scales
            ]
        against = ", against the original's" if original else ""
        title = f"Vessel Dice{against}, trained on {training}"
        panels.append(Panel(title, [f"x{scale}" for scale in scales], lines))
    return panels


def _of(records: Sequence[Record], key: str, method: str) -> Values:
    return by_photograph((one for one in records if one["method"] == method), key)


def _difference(own: Values, base: Values | None) -> Spread | None:
    """Over the photographs of both; of the values themselves where there is no base."""
    common = own if base is None else own.keys() & base.keys()
    values = [own[name] - (0.0 if base is None else base[name]) for name in common]
    if not values:
        return None
    return fmean(values), stdev(values) if len(values) > 1 else math.nan


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
