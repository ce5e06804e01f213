"""Cells and loupe lie on the stage so that the field of view is shown largest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.core.geometry import Rect
from retina_viewer.ui.view.arrange import (
    Arrangement,
    Divider,
    LoupePlace,
    Places,
    Shares,
    arrange,
    automatic,
    dragged,
)

sizes = st.tuples(st.integers(400, 4000), st.integers(300, 3000))
fields = st.tuples(st.floats(0.3, 3), st.just(1.0))
BESIDE_INSPECTOR, WITH_FILMSTRIP = (1300, 930), (1190, 930)
FIELDS = {"CHASE": (940, 940), "DRIVE": (540, 540), "HRF": (3260, 2290), "IDRiD": (3450, 2848)}


def shown_side(places: Places, field: tuple[float, float]) -> float:
    """The larger side of the field of view in the smallest cell."""
    return min(min(c.width / field[0], c.height / field[1]) for c in places.cells) * max(field)


@pytest.mark.parametrize("loupe", [0, 2])
@pytest.mark.parametrize("name", FIELDS)
def test_the_field_of_view_is_large_in_both_panes(name: str, loupe: int) -> None:
    for size, least in ((BESIDE_INSPECTOR, 612), (WITH_FILMSTRIP, 551)):  # with a margin of 2 %
        places = arrange(size, 2, FIELDS[name], parts=loupe)
        assert shown_side(places, FIELDS[name]) >= least
        assert len(places.loupes) == loupe


@given(sizes, st.integers(1, 5), fields, st.booleans(), st.sampled_from(Arrangement))
def test_nothing_overlaps_and_nothing_leaves_the_stage(
    size: tuple[int, int],
    cells: int,
    field: tuple[float, float],
    loupe: bool,
    wish: Arrangement,
) -> None:
    cells = 1 if wish is Arrangement.SLIDER else cells
    places = arrange(size, cells, field, wish, parts=cells if loupe else 0)
    stage = Rect(0, 0, *size)
    beside = () if places.loupe is LoupePlace.INSET else places.loupes
    rects = (*places.cells, *beside)
    for number, rect in enumerate(rects):
        assert rect.area > 0
        assert rect.intersected(stage) == rect
        assert not [other for other in rects[:number] if rect.intersected(other).area]
    for cell in places.cells:
        assert (cell.width, cell.height) == (places.cells[0].width, places.cells[0].height)
    if places.loupe is LoupePlace.INSET:
        for inset in places.loupes:
            assert [cell for cell in places.cells if cell.intersected(inset) == inset]


@given(sizes, st.integers(1, 5), fields)
def test_no_other_wish_shows_more_without_a_loupe(
    size: tuple[int, int], cells: int, field: tuple[float, float]
) -> None:
    best = shown_side(arrange(size, cells, field), field)
    for wish in (Arrangement.COLUMNS, Arrangement.ROWS, Arrangement.GRID):
        assert shown_side(arrange(size, cells, field, wish), field) <= best / 0.98


@given(sizes, st.integers(1, 4), fields)
def test_a_loupe_costs_the_cells_next_to_nothing(
    size: tuple[int, int], cells: int, field: tuple[float, float]
) -> None:
    without = shown_side(arrange(size, cells, field), field)
    assert shown_side(arrange(size, cells, field, parts=cells), field) >= 0.92 * without


def test_what_is_wished_is_done() -> None:
    def shape(wish: Arrangement, cells: int) -> tuple[int, int]:
        places = arrange(BESIDE_INSPECTOR, cells, (1, 1), wish)
        return len(places.columns), len(places.rows)

    assert shape(Arrangement.COLUMNS, 3) == (3, 1)
    assert shape(Arrangement.ROWS, 3) == (1, 3)
    assert shape(Arrangement.GRID, 5) == (3, 2)
    assert shape(Arrangement.AUTO, 2) == (2, 1)


def test_a_foot_stands_under_every_cell() -> None:
    places = arrange(BESIDE_INSPECTOR, 3, (1, 1), foot=76)
    assert [foot.height for foot in places.feet] == [76] * 3
    assert [foot.y for foot in places.feet] == [cell.bottom for cell in places.cells]


def divider(places: Places, kind: str) -> Divider:
    return next(one for one in places.dividers if one.kind == kind)


def test_what_is_dragged_stays_until_it_is_automatic_again() -> None:
    before = arrange(BESIDE_INSPECTOR, 2, (1, 1), parts=2)
    line = divider(before, "columns")
    shares = dragged(before, Shares(), line, 400, 10)
    after = arrange(BESIDE_INSPECTOR, 2, (1, 1), parts=2, shares=shares)
    assert after.cells[0].width == pytest.approx(400, abs=1)
    assert after.cells[1].right == BESIDE_INSPECTOR[0]
    assert [loupe.x for loupe in after.loupes] == [cell.x for cell in after.cells]
    shares = dragged(after, shares, divider(after, "loupe"), 0, 500)
    after = arrange(BESIDE_INSPECTOR, 2, (1, 1), parts=2, shares=shares)
    assert after.cells[0].height == pytest.approx(500, abs=3)
    for kind in ("columns", "loupe"):
        shares = automatic(shares, divider(after, kind))
    assert arrange(BESIDE_INSPECTOR, 2, (1, 1), parts=2, shares=shares) == before


@given(st.floats(-500, 5000), st.floats(-500, 5000))
def test_no_cell_is_dragged_away(x: float, y: float) -> None:
    places = arrange(BESIDE_INSPECTOR, 4, (1, 1), Arrangement.GRID, parts=4)
    shares = Shares()
    for line in places.dividers:
        shares = dragged(places, shares, line, x, y)
    after = arrange(BESIDE_INSPECTOR, 4, (1, 1), Arrangement.GRID, parts=4, shares=shares)
    assert all(min(cell.width, cell.height) >= 20 for cell in after.cells)
