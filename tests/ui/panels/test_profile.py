"""Green along a line, against what a straight calculation gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.ui.canvas.tile_requests import RESULT_SIDE
from retina_viewer.ui.panels.profile import MOST_SAMPLES, profile_along

WIDTH, HEIGHT, SCALE = 230, 140, 4
places = st.tuples(
    st.floats(1, WIDTH - 1), st.floats(1, HEIGHT - 1),
    st.floats(1, WIDTH - 1), st.floats(1, HEIGHT - 1),
)  # fmt: skip


@given(places)
def test_a_line_over_even_green_is_even(line: tuple[float, float, float, float]) -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 77, np.uint8)
    profile = profile_along(line, flat)
    assert np.all(profile.original == 77)
    assert profile.result is None
    length = np.hypot(line[2] - line[0], line[3] - line[1])
    assert profile.distance[-1] == pytest.approx(length)
    assert len(profile.distance) <= MOST_SAMPLES


def test_pixel_centres_and_the_places_between_them() -> None:
    rgb = np.zeros((4, 5, 3), np.uint8)
    rgb[2, :, 1] = (10, 30, 50, 70, 90)
    profile = profile_along((0.5, 2.5, 4.5, 2.5), rgb)
    assert profile.original.tolist() == [10, 30, 50, 70, 90]
    between = profile_along((1.0, 2.5, 2.0, 2.5), rgb)
    assert between.original.tolist() == [20, 40]
    rim = profile_along((0.0, 2.5, 5.0, 2.5), rgb)
    assert (rim.original[0], rim.original[-1]) == (10, 90)


def test_off_the_photograph_there_is_nothing() -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 9, np.uint8)
    profile = profile_along((-10.0, 50.0, 10.0, 50.0), flat)
    assert np.isnan(profile.original[profile.distance < 9.9]).all()
    assert (profile.original[profile.distance >= 10] == 9).all()


@given(places)
def test_tiles_give_what_the_whole_result_gives(line: tuple[float, float, float, float]) -> None:
    generator = np.random.default_rng(3)
    whole = generator.integers(0, 256, (HEIGHT * SCALE, WIDTH * SCALE, 3)).astype(np.uint8)
    original = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image = Rect(0, 0, WIDTH, HEIGHT)

    def tile(rect: Rect) -> NDArray[np.uint8]:
        assert rect.intersected(image) == rect
        rows = slice(rect.y * SCALE, rect.bottom * SCALE)
        return whole[rows, rect.x * SCALE : rect.right * SCALE]

    from_tiles = profile_along(line, original, SCALE, tile).result
    # The whole as a photograph of its own: the same line in its own pixels.
    enlarged = tuple(SCALE * value for value in line)
    as_photograph = profile_along(enlarged, whole).original  # type: ignore[arg-type]
    assert from_tiles is not None
    assert from_tiles == pytest.approx(as_photograph, abs=1e-2)


def test_where_a_tile_is_missing_the_line_has_a_gap() -> None:
    side = RESULT_SIDE // SCALE
    flat = np.full((RESULT_SIDE, RESULT_SIDE, 3), 50, np.uint8)
    original = np.zeros((HEIGHT, WIDTH, 3), np.uint8)

    def tile(rect: Rect) -> NDArray[np.uint8] | None:
        return flat[: rect.height * SCALE, : rect.width * SCALE] if rect.x == 0 else None

    profile = profile_along((0.0, 20.0, float(WIDTH), 20.0), original, SCALE, tile)
    assert profile.result is not None
    assert (profile.result[profile.distance < side - 1] == 50).all()
    assert np.isnan(profile.result[profile.distance > side]).all()
