import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.core.geometry import Rect, tiles_covering

rects = st.builds(
    Rect,
    x=st.integers(-50, 50),
    y=st.integers(-50, 50),
    width=st.integers(0, 60),
    height=st.integers(0, 60),
)


def pixels(rect: Rect) -> set[tuple[int, int]]:
    return {(x, y) for x in range(rect.x, rect.right) for y in range(rect.y, rect.bottom)}


@given(rects, rects)
def test_intersection_holds_the_common_pixels(first: Rect, second: Rect) -> None:
    common = first.intersected(second)
    assert pixels(common) == pixels(first) & pixels(second)
    assert common.area == len(pixels(common))


@given(rects, st.integers(0, 9))
def test_expansion_is_undone_by_its_opposite(rect: Rect, margin: int) -> None:
    grown = rect.expanded(margin)
    assert grown.expanded(-margin) == rect
    assert pixels(rect) <= pixels(grown)


@given(rects, st.sampled_from([2, 4, 8, 16]))
def test_scaling_multiplies_edges_and_area(rect: Rect, factor: int) -> None:
    scaled = rect.scaled(factor)
    assert (scaled.right, scaled.bottom) == (rect.right * factor, rect.bottom * factor)
    assert scaled.area == rect.area * factor**2


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 40))
def test_tiles_partition_the_image(width: int, height: int, tile: int) -> None:
    counts = np.zeros((height, width), int)
    tiles = list(tiles_covering(width, height, tile))
    for rect in tiles:
        assert 0 < rect.width <= tile
        assert 0 < rect.height <= tile
        counts[rect.slices()] += 1
    assert (counts == 1).all()
    assert tiles == sorted(tiles, key=lambda rect: (rect.y, rect.x))


def test_a_negative_size_has_no_area() -> None:
    assert Rect(0, 0, 5, 5).expanded(-4).area == 0
