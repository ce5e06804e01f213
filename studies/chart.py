"""A scatter chart as SVG, written by hand: figures of the documents need no drawing library."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 30, 50, 60
_FONT = 'font-family="sans-serif" font-size="12" fill="#161616"'
_LETTER, _LINE = 7, 14  # px, about the width of a letter and the height of a line
_COLOURS = ("#0f62fe", "#da1e28", "#198038")


@dataclass(frozen=True)
class Point:
    """One measured thing: its place, and the words beside it."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Series:
    """Points of one colour, told in the legend; the best of them joined by a line."""

    title: str
    points: Sequence[Point]


def scatter(title: str, x_title: str, y_title: str, series: Sequence[Series]) -> str:
    """An SVG document: x logarithmic, y linear, less x and more y are better.

    The line of each series joins the points that no other beats in both.
    """
    everything = [point for one in series for point in one.points]
    xs, ys = [point.x for point in everything], [point.y for point in everything]
    span = max(ys) - min(ys) or 1.0
    low_y, high_y = min(ys) - 0.1 * span, max(ys) + 0.15 * span
    low_x, high_x = math.log10(min(xs) / 1.3), math.log10(max(xs) * 1.9)  # room for labels

    def place(x: float, y: float) -> tuple[float, float]:
        right = (math.log10(x) - low_x) / (high_x - low_x)
        up = (y - low_y) / (high_y - low_y)
        inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return _LEFT + right * inner_width, _HEIGHT - _BOTTOM - up * inner_height

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_FONT}>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_WIDTH / 2, 22, title, "middle", size=15),
        _text(_WIDTH / 2, _HEIGHT - 14, x_title, "middle"),
        f'<g transform="rotate(-90 18 {_HEIGHT / 2})">'
        + _text(18, _HEIGHT / 2, y_title, "middle")
        + "</g>",
    ]
    for x in _decades(10**low_x, 10**high_x):
        across, _ = place(x, low_y)
        parts.append(_line(across, _TOP, across, _HEIGHT - _BOTTOM))
        parts.append(_text(across, _HEIGHT - _BOTTOM + 18, f"{x:g}", "middle"))
    for y in _round_steps(low_y, high_y):
        _, down = place(10**low_x, y)
        parts.append(_line(_LEFT, down, _WIDTH - _RIGHT, down))
        parts.append(_text(_LEFT - 8, down + 4, f"{y:g}", "end"))
    labels: list[tuple[float, float, str]] = []
    for number, one in enumerate(series):
        colour = _COLOURS[number % len(_COLOURS)]
        parts.append(_text(_LEFT + 8, _TOP + 16 * number - 6, f"● {one.title}", "start", colour))
        joined = " ".join(
            "{:.1f},{:.1f}".format(*place(point.x, point.y)) for point in unbeaten(one.points)
        )
        parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}"/>')
        for point in one.points:
            across, down = place(point.x, point.y)
            parts.append(f'<circle cx="{across:.1f}" cy="{down:.1f}" r="5" fill="{colour}"/>')
            labels.append((across + 9, down + 4, point.label))
    parts += [_text(x, y, words, "start") for x, y, words in apart(labels)]
    return "\n".join([*parts, "</svg>", ""])


def apart(labels: Sequence[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """The same labels ``(x, y, words)``, moved down where they would cover one above them."""
    placed: list[tuple[float, float, str]] = []
    for x, y, words in sorted(labels, key=lambda label: label[1]):
        for other_x, other_y, other in placed:
            across = x < other_x + _LETTER * len(other) and other_x < x + _LETTER * len(words)
            if across and y < other_y + _LINE:
                y = other_y + _LINE
        placed.append((x, y, words))
    return placed


def unbeaten(points: Sequence[Point]) -> list[Point]:
    """Those to whose left none is as high, from the left."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (p.x, -p.y)):
        if not kept or point.y > kept[-1].y:
            kept.append(point)
    return kept


def _text(
    x: float, y: float, words: str, anchor: str, colour: str = "#161616", size: int = 12
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        f'font-size="{size}">{escape(words)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#e0e0e0" '
        'stroke-width="1"/>'
    )


def _decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten between two bounds."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [m * 10**p for p in powers for m in (1, 2, 5) if low <= m * 10**p <= high]


def _round_steps(low: float, high: float) -> list[float]:
    """About five round numbers between two bounds."""
    rough = (high - low) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = min((m * power for m in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
    return [round(n * step, 6) for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
