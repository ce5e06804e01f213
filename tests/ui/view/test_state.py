"""Zoom and pan, as properties over any photograph, pane and cursor; and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from retina_viewer.core.geometry import Rect
from retina_viewer.ui.canvas.scene import Camera
from retina_viewer.ui.catalogue import ResultChoice
from retina_viewer.ui.view.state import WHEEL_FACTOR, ViewState

IMAGE = Rect(0, 0, 3504, 2336)
cameras = st.builds(Camera, st.floats(0, 3504), st.floats(0, 2336), st.floats(0.05, 60))
panes = st.tuples(st.floats(50, 4000), st.floats(50, 4000))
parts = st.floats(0, 1)


@given(cameras, panes, parts, parts, st.floats(-8, 8))
def test_zooming_keeps_the_point_under_the_cursor(
    camera: Camera, pane: tuple[float, float], u: float, v: float, notches: float
) -> None:
    cursor = (u * pane[0], v * pane[1])
    before = camera.source(*cursor, pane)
    after = camera.zoomed(camera.zoom * WHEEL_FACTOR**notches, *cursor, pane)
    assert after.source(*cursor, pane) == pytest.approx(
        before, abs=1e-6 * max(1, *map(abs, before))
    )


@given(cameras, panes, st.floats(-400, 400), st.floats(-400, 400))
def test_a_drag_moves_the_picture_with_the_hand(
    camera: Camera, pane: tuple[float, float], dx: float, dy: float
) -> None:
    before = camera.source(100, 100, pane)
    after = camera.panned(dx, dy).source(100 + dx, 100 + dy, pane)
    assert after == pytest.approx(before, abs=1e-6 * max(1, *map(abs, before)))


@given(cameras, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_point_of_the_photograph_stays_at_the_centre(
    camera: Camera, dx: float, dy: float
) -> None:
    kept = camera.panned(dx, dy).kept_in(IMAGE)
    assert 0 <= kept.x <= IMAGE.width
    assert 0 <= kept.y <= IMAGE.height
    assert kept.zoom == camera.zoom


@given(cameras, panes)
def test_visible_covers_every_pixel_on_the_pane(camera: Camera, pane: tuple[float, float]) -> None:
    seen = camera.visible(*pane, IMAGE)
    for u in (0.0, 0.5, 1.0):
        x, y = camera.source(u * pane[0], u * pane[1], pane)
        if 0 <= x < IMAGE.width and 0 <= y < IMAGE.height:
            assert seen.intersected(Rect(int(x), int(y), 1, 1)).area == 1


def test_nonsense_is_refused() -> None:
    state = ViewState()
    with pytest.raises(ValidationError):
        state.scale = 3  # type: ignore[assignment]
    with pytest.raises(ValidationError):
        state.saliency.opacity = 1.5
    with pytest.raises(ValidationError):
        state.camera = Camera(0, 0, 0.0)
    with pytest.raises(ValidationError):
        state.camera = Camera(float("nan"), 0, 1.0)
    with pytest.raises(ValueError, match="fidelity"):
        state.choose(fidelity=1.5)
    for count in (0, 5):
        with pytest.raises(ValidationError):
            state.results = (ResultChoice(),) * count


def test_choices_are_for_the_active_result() -> None:
    state = ViewState(results=(ResultChoice("bicubic"), ResultChoice("pixel")), active=1)
    state.choose(method="lanczos")
    assert [one.method for one in state.results] == ["bicubic", "lanczos"]
    state.results, state.active = state.results[:1], 3  # fewer than there were
    state.choose(method="pixel")
    assert [one.method for one in state.results] == ["pixel"]


def test_another_photograph_is_looked_at_anew() -> None:
    state = ViewState(camera=Camera(1, 2, 3), loupe_at=(1, 2), loupe_locked=True)
    state.ruler = (0, 0, 1, 1)
    state.begin_photo()
    assert not state.loupe_locked
    assert [state.camera, state.loupe_at, state.ruler] == [None] * 3
