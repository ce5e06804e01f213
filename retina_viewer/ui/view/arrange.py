"""Where cells and loupe lie on the stage, so that the field of view is shown largest. Pure.

All in logical pixels of the stage. The loupe shows each cell's detail once more: in a strip below,
in a column at the right, or inset in the cells' corners where either would cost them size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from retina_viewer.core.geometry import Rect

GAP = 2
GRIP = 8
"""The width of what is grabbed between two cells."""
LEAST_CELL = 80
LEAST_LOUPE = 150
MOST_LOUPE = 0.42
"""The part of the stage that the loupe takes at most unless the person drags it larger."""
INSET_PART, INSET_HEIGHTS, INSET_MARGIN = 0.34, (110, 300), 8
INSET_SHAPE = 1.35
"""Width to height: chips have room."""
INSET_COST = 0.95
"""An inset hides a part of the picture: another place is better where it costs less than this."""
ALIKE = 0.985
"""Of arrangements that show the field nearly as large, the first is taken."""
Size = tuple[float, float]


class Arrangement(StrEnum):
    AUTO = "automatic"
    COLUMNS = "columns"
    ROWS = "rows"
    GRID = "grid"
    SLIDER = "slider"
    """One cell: the original left of a line, the result right of it."""


class LoupePlace(StrEnum):
    NONE = "none"
    STRIP = "strip"
    COLUMN = "column"
    INSET = "inset"


@dataclass(frozen=True)
class Shares:
    """What the person has dragged; empty where the sizes are automatic.

    Attributes:
        shape, place: columns and rows, and the loupe, as they were when they were dragged: the
            panes must not jump to where they would be shown larger now.
    """

    columns: tuple[float, ...] = ()
    rows: tuple[float, ...] = ()
    loupe: float | None = None
    shape: tuple[int, int] = (0, 0)
    place: LoupePlace = LoupePlace.NONE


@dataclass(frozen=True)
class Divider:
    """What is dragged: a line between two columns, two rows, or the cells and the loupe."""

    kind: Literal["columns", "rows", "loupe"]
    index: int
    rect: Rect
    is_upright: bool


@dataclass(frozen=True)
class Places:
    """The arrangement. Of each cell, part of the loupe and foot, its rectangle."""

    cells: tuple[Rect, ...] = ()
    loupes: tuple[Rect, ...] = ()
    feet: tuple[Rect, ...] = ()
    loupe: LoupePlace = LoupePlace.NONE
    dividers: tuple[Divider, ...] = ()
    columns: tuple[int, ...] = ()
    rows: tuple[int, ...] = ()
    size: tuple[int, int] = (0, 0)
    """Of the stage."""


@dataclass(frozen=True)
class _Plan:
    """One way to do it: columns and rows of cells in a room, and the loupe beside them."""

    columns: tuple[int, ...]
    rows: tuple[int, ...]
    loupe: LoupePlace

    def zoom(self, field: Size, foot: int) -> float:
        width, height = min(self.columns) / field[0], (min(self.rows) - foot) / field[1]
        return max(min(width, height), 1e-6)


def arrange(
    size: tuple[int, int],
    cells: int,
    field: Size,
    wish: Arrangement = Arrangement.AUTO,
    *,
    parts: int = 0,
    foot: int = 0,
    shares: Shares = Shares(),
) -> Places:
    """Choose and lay out.

    Args:
        size: of the stage.
        cells: how many, at least one.
        field: width and height of what is to be seen whole in every cell, in any unit.
        parts: of the loupe; 0 without one.
        foot: the height of what stands under every cell.
    """
    kinds = [LoupePlace.STRIP, LoupePlace.COLUMN, LoupePlace.INSET] if parts else [LoupePlace.NONE]
    shapes = _shapes(wish, cells)
    plans = [
        _plan(size, shape, field, kind, foot, shares)
        for shape in ([shares.shape] if shares.shape in shapes else shapes)
        for kind in ([shares.place] if shares.place in kinds else kinds)
    ]
    scores = [
        plan.zoom(field, foot) * (INSET_COST if plan.loupe is LoupePlace.INSET else 1)
        for plan in plans
    ]
    best = next(
        plan for plan, score in zip(plans, scores, strict=True) if score >= ALIKE * max(scores)
    )
    return _laid_out(best, size, cells, parts, foot)


def _shapes(wish: Arrangement, cells: int) -> list[tuple[int, int]]:
    """(columns, rows), wide ones first; none with an empty column."""
    if wish is Arrangement.ROWS:
        return [(1, cells)]
    if wish is Arrangement.GRID:
        columns = math.ceil(math.sqrt(cells))
        return [(columns, math.ceil(cells / columns))]
    if wish is not Arrangement.AUTO:
        return [(cells, 1)]
    shapes = [(columns, math.ceil(cells / columns)) for columns in range(cells, 0, -1)]
    return [(c, r) for c, r in shapes if math.ceil(cells / r) == c]


def _plan(
    size: tuple[int, int],
    shape: tuple[int, int],
    field: Size,
    kind: LoupePlace,
    foot: int,
    shares: Shares,
) -> _Plan:
    (width, height), (columns, rows) = size, shape
    room_x, room_y = width, height
    if kind is LoupePlace.STRIP:
        one = (width - GAP * (columns - 1)) / columns
        needed = rows * (one * field[1] / field[0] + foot + GAP)
        room_y = height - GAP - _loupe_size(height, height - needed, shares)
    elif kind is LoupePlace.COLUMN:
        one = (height - GAP * (rows - 1)) / rows - foot
        needed = columns * (one * field[0] / field[1] + GAP)
        room_x = width - GAP - _loupe_size(width, width - needed, shares)
    return _Plan(
        _divided(room_x, columns, shares.columns), _divided(room_y, rows, shares.rows), kind
    )


def _loupe_size(room: int, free: float, shares: Shares) -> int:
    if shares.loupe is not None:
        return min(max(round(shares.loupe * room), LEAST_CELL), max(room - LEAST_CELL, LEAST_CELL))
    return min(max(int(free), LEAST_LOUPE), max(int(MOST_LOUPE * room), LEAST_CELL))


def _divided(room: int, count: int, shares: Sequence[float]) -> tuple[int, ...]:
    """Equal parts, or by shares where there are as many: all cells show the same part then."""
    free = max(room - GAP * (count - 1), count)
    if len(shares) != count:
        return (free // count,) * count
    sides = [max(round(share * free), 1) for share in shares[:-1]]
    return (*sides, max(free - sum(sides), 1))


def _laid_out(plan: _Plan, size: tuple[int, int], cells: int, parts: int, foot: int) -> Places:
    lefts, tops = _starts(plan.columns), _starts(plan.rows)
    right, bottom = lefts[-1] + plan.columns[-1], tops[-1] + plan.rows[-1]
    rects, feet = [], []
    for number in range(cells):
        row, column = divmod(number, len(plan.columns))
        width, height = plan.columns[column], max(plan.rows[row] - foot, 1)
        rects.append(Rect(lefts[column], tops[row], width, height))
        if foot:
            feet.append(Rect(lefts[column], tops[row] + height, width, foot))
    dividers = [
        Divider("columns", i, Rect(x - (GAP + GRIP) // 2, 0, GRIP, bottom), is_upright=True)
        for i, x in enumerate(lefts[1:])
    ]
    dividers += [
        Divider("rows", i, Rect(0, y - (GAP + GRIP) // 2, right, GRIP), is_upright=False)
        for i, y in enumerate(tops[1:])
    ]
    loupes: list[Rect] = []
    if plan.loupe is LoupePlace.INSET:
        loupes = _insets(rects, parts)
    elif plan.loupe is LoupePlace.STRIP:
        below = bottom + GAP
        widths = plan.columns if len(plan.columns) == parts else _divided(size[0], parts, ())
        height = max(size[1] - below, 1)
        loupes = [Rect(x, below, w, height) for x, w in zip(_starts(widths), widths, strict=True)]
        bar = Rect(0, below - (GAP + GRIP) // 2, size[0], GRIP)
        dividers.append(Divider("loupe", 0, bar, is_upright=False))
    elif plan.loupe is LoupePlace.COLUMN:
        beside = right + GAP
        heights = plan.rows if len(plan.rows) == parts else _divided(size[1], parts, ())
        width = max(size[0] - beside, 1)
        loupes = [Rect(beside, y, width, h) for y, h in zip(_starts(heights), heights, strict=True)]
        bar = Rect(beside - (GAP + GRIP) // 2, 0, GRIP, size[1])
        dividers.append(Divider("loupe", 0, bar, is_upright=True))
    return Places(
        tuple(rects), tuple(loupes), tuple(feet), plan.loupe, tuple(dividers),
        plan.columns, plan.rows, size,
    )  # fmt: skip


def _starts(sides: Sequence[int]) -> list[int]:
    return [sum(sides[:i]) + GAP * i for i in range(len(sides))]


def _insets(cells: Sequence[Rect], parts: int) -> list[Rect]:
    """In the lower right corner of every cell; of a single cell, all side by side there."""
    found = []
    for number in range(parts):
        cell = cells[min(number, len(cells) - 1)]
        low, high = INSET_HEIGHTS
        inside = parts if len(cells) < parts else 1
        part = INSET_PART * min(cell.width, cell.height)
        room = min(cell.height, MOST_LOUPE * cell.width / inside) - 2 * INSET_MARGIN
        height = max(int(min(max(part, low), high, room)), 1)
        width = max(int(min(INSET_SHAPE * height, cell.width / inside - 2 * INSET_MARGIN)), 1)
        back = inside - number if inside > 1 else 1
        x = cell.right - back * width - INSET_MARGIN - (back - 1) * GAP
        found.append(Rect(x, cell.bottom - INSET_MARGIN - height, width, height))
    return found


def dragged(places: Places, shares: Shares, divider: Divider, x: float, y: float) -> Shares:
    """The shares after a divider was dragged to a place of the stage."""
    shape = (len(places.columns), len(places.rows))
    shares = replace(shares, shape=shape, place=places.loupe)
    at, side = (x, places.size[0]) if divider.is_upright else (y, places.size[1])
    if divider.kind == "loupe":
        return replace(shares, loupe=min(max((side - at) / side, 0.08), 0.75))
    sides = list(places.columns if divider.kind == "columns" else places.rows)
    start = _starts(sides)[divider.index]
    both = sides[divider.index] + sides[divider.index + 1]
    least = min(LEAST_CELL, both // 2)
    sides[divider.index] = int(min(max(at - start, least), both - least))
    sides[divider.index + 1] = both - sides[divider.index]
    parts = tuple(one / sum(sides) for one in sides)
    if divider.kind == "columns":
        return replace(shares, columns=parts)
    return replace(shares, rows=parts)


def automatic(shares: Shares, divider: Divider) -> Shares:
    """The shares with what this divider parts automatic again."""
    if divider.kind == "loupe":
        shares = replace(shares, loupe=None)
    elif divider.kind == "columns":
        shares = replace(shares, columns=())
    else:
        shares = replace(shares, rows=())
    is_empty = not shares.columns and not shares.rows and shares.loupe is None
    return Shares() if is_empty else shares
