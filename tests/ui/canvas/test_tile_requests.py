"""Which tiles are computed, and which are kept."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.core.geometry import Rect
from retina_viewer.superres.enhance_settings import SCALES, EnhanceSettings, Scale
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Camera, Tone
from retina_viewer.ui.canvas.tile_requests import (
    TileCache,
    TileKey,
    TileRequest,
    Wanted,
    is_worthwhile,
    nearest,
    scale_for,
    tile_side,
    tiles_over,
)

REQUEST = TileRequest("photo", EnhanceSettings("bicubic", 4), Tone.COLOUR)


@st.composite
def regions(draw: st.DrawFn) -> tuple[Rect, Rect]:
    image = Rect(0, 0, draw(st.integers(1, 700)), draw(st.integers(1, 700)))
    x, y = draw(st.integers(0, image.width - 1)), draw(st.integers(0, image.height - 1))
    width = draw(st.integers(1, image.width - x))
    return image, Rect(x, y, width, draw(st.integers(1, image.height - y)))


@given(regions(), st.sampled_from(SCALES))
def test_tiles_cover_a_region_once_and_lie_on_one_grid(
    both: tuple[Rect, Rect], scale: Scale
) -> None:
    image, region = both
    side = tile_side(scale)
    tiles = list(tiles_over(region, image, side))
    assert sum(tile.intersected(region).area for tile in tiles) == region.area
    assert len(set(tiles)) == len(tiles)
    for tile in tiles:
        assert tile.x % side == 0
        assert tile.y % side == 0
        assert tile.intersected(image) == tile
        assert tile in set(tiles_over(image, image, side))


def test_an_empty_region_needs_no_tile() -> None:
    image = Rect(0, 0, 100, 100)
    assert list(tiles_over(Rect(10, 10, 0, 5), image, 24)) == []


def test_placeholders_are_of_their_own_request_alone() -> None:
    cache, image, side = TileCache(), Rect(0, 0, 200, 90), tile_side(4)
    first, second = Rect(0, 0, 96, 90), Rect(96, 0, 96, 90)
    made, before, other = (Pyramid.from_rgb(np.zeros((8, 8, 3), np.uint8)) for _ in range(3))
    old = replace(REQUEST, settings=EnhanceSettings("bicubic", 4, device="cpu"))
    cache.put(TileKey(REQUEST, first), made)
    cache.put(TileKey(old, first), other)
    cache.put(TileKey(old, second), before)
    cache.put(TileKey(replace(old, photo="another"), Rect(192, 0, 8, 90)), other)
    assert side == 96
    wanted = Wanted(REQUEST, image, 0, 0)
    assert [tile for _, tile in cache.in_view(wanted, image)] == [made, None, None]
    shown = cache.in_view(wanted, image, placeholder=old)
    assert shown == ((first, made), (second, before), (Rect(192, 0, 8, 90), None))


@given(regions(), st.floats(-100, 800), st.floats(-100, 800))
def test_nearest_is_nearest(both: tuple[Rect, Rect], x: float, y: float) -> None:
    image, region = both
    tiles = list(tiles_over(region, image, 48))
    chosen = nearest(tiles, x, y)

    def distance(tile: Rect) -> float:
        return float(np.hypot(tile.x + tile.width / 2 - x, tile.y + tile.height / 2 - y))

    assert all(distance(chosen) <= distance(tile) + 1e-9 for tile in tiles)


@given(st.floats(0.01, 64), st.sampled_from(SCALES))
def test_the_computed_scale_is_chosen_or_enough_for_the_screen(zoom: float, wanted: Scale) -> None:
    scale = scale_for(Camera(0, 0, zoom), wanted)
    assert scale <= wanted
    assert scale == wanted or scale >= zoom
    # and no smaller one would do
    assert scale == 2 or scale / 2 < zoom


def test_large_photographs_wait_until_their_pixels_can_be_seen() -> None:
    small, large = Rect(0, 0, 565, 584), Rect(0, 0, 4288, 2848)
    assert is_worthwhile(Camera(0, 0, 0.1), small)
    assert not is_worthwhile(Camera(0, 0, 0.2), large)
    assert is_worthwhile(Camera(0, 0, 1.0), large)


def _tile() -> Pyramid:
    return Pyramid.from_rgb(np.zeros((32, 32, 3), np.uint8))


def _key(x: int) -> TileKey:
    return TileKey(REQUEST, Rect(x, 0, 8, 8))


def test_the_cache_forgets_what_was_not_drawn_for_longest() -> None:
    size = _tile().nbytes
    cache = TileCache(capacity=3 * size)
    for x in range(3):
        cache.put(_key(x), _tile())
    assert cache.get(_key(0)) is not None
    cache.put(_key(3), _tile())
    assert [_key(x) in cache for x in range(4)] == [True, False, True, True]
    assert cache.nbytes == 3 * size
    cache.put(_key(3), _tile())
    assert cache.nbytes == 3 * size
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)
