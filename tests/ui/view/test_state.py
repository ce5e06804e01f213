"""Zoom, pan and resolve, as properties over any photograph, pane and cursor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from retina_viewer.core.geometry import Rect
from retina_viewer.ui.view.picture import resolve
from retina_viewer.ui.view.state import (
    MAX_ZOOM,
    LayerName,
    ViewState,
    fit_zoom,
    shown_zoom,
    zoom_limits,
)

sides = st.integers(1, 6000)
panes = st.floats(50, 4000)
parts = st.floats(0, 1)


@st.composite
def states(draw: st.DrawFn) -> ViewState:
    state = ViewState(pane_width=draw(panes), pane_height=draw(panes))
    state.set_image(draw(sides), draw(sides))
    state.zoom_at_centre(fit_zoom(state) * draw(st.floats(1.0, 30.0)))
    state.centre_on(draw(parts) * state.image_width, draw(parts) * state.image_height)
    return state


@given(states(), parts, parts, st.floats(0.1, 8))
def test_zooming_in_keeps_the_point_under_the_cursor(
    state: ViewState, u: float, v: float, notches: float
) -> None:
    # A point of the photograph; over the empty surround the edge limit may win.
    x, y = u * state.image_width, v * state.image_height
    cursor = (
        state.pane_width / 2 + (x - state.centre_x) * state.zoom,
        state.pane_height / 2 + (y - state.centre_y) * state.zoom,
    )
    state.zoom_by(notches, *cursor)
    assert state.source_at(*cursor) == pytest.approx((x, y), abs=1e-6 * max(1, x, y))


@given(states(), parts, parts, st.floats(-8, 8))
def test_the_pane_s_centre_always_shows_the_photograph(
    state: ViewState, u: float, v: float, notches: float
) -> None:
    state.zoom_by(notches, u * state.pane_width, v * state.pane_height)
    state.pan(u * 5000, -v * 5000)
    assert 0 <= state.centre_x <= state.image_width
    assert 0 <= state.centre_y <= state.image_height
    low, high = zoom_limits(state)
    assert low <= state.zoom <= high


@given(states(), st.floats(-400, 400), st.floats(-400, 400))
def test_a_drag_moves_the_picture_with_the_hand(state: ViewState, dx: float, dy: float) -> None:
    state.centre_on(state.image_width / 2, state.image_height / 2)
    before = state.source_at(100, 100)
    state.pan(dx, dy)
    if 0 < state.centre_x < state.image_width and 0 < state.centre_y < state.image_height:
        after = state.source_at(100 + dx, 100 + dy)
        assert after == pytest.approx(before, abs=1e-6 * max(1, *map(abs, before)))


@given(states())
def test_fit_shows_the_whole_photograph_and_follows_the_pane(state: ViewState) -> None:
    state.show_whole()
    state.pane_width *= 1.5
    view = resolve(state)
    assert view.main.visible(state.pane_width, state.pane_height, view.image) == view.image
    assert shown_zoom(state) <= MAX_ZOOM


@given(states())
def test_visible_covers_every_pixel_on_the_pane(state: ViewState) -> None:
    view = resolve(state)
    seen = view.main.visible(state.pane_width, state.pane_height, view.image)
    for u in (0.0, 0.5, 1.0):
        x, y = state.source_at(u * state.pane_width, u * state.pane_height)
        if 0 <= x < state.image_width and 0 <= y < state.image_height:
            assert seen.intersected(Rect(int(x), int(y), 1, 1)).area == 1


def test_nonsense_is_refused() -> None:
    state = ViewState()
    with pytest.raises(ValidationError):
        state.scale = 3  # type: ignore[assignment]
    with pytest.raises(ValidationError):
        state.saliency.opacity = 1.5
    with pytest.raises(ValidationError):
        state.zoom = 0.0


def test_held_keys_hide_layers_without_turning_them_off() -> None:
    state = ViewState()
    state.saliency.on = state.vessels.on = True
    state.holding_layers_hidden = True
    view = resolve(state)
    assert view.layers == ()
    assert view.layers_on == (LayerName.SALIENCY, LayerName.VESSELS)
    state.holding_layers_hidden = False
    assert tuple(layer.name for layer in resolve(state).layers) == view.layers_on


def test_without_a_photograph_there_is_nothing_to_show() -> None:
    view = resolve(ViewState())
    assert not view.has_image
    assert view.main.zoom == 1.0


def test_the_loupe_never_shows_less_than_the_main_pane() -> None:
    state = ViewState(pane_width=500, pane_height=500)
    state.set_image(500, 500)
    state.zoom_at_centre(40)
    assert resolve(state).loupe.zoom == pytest.approx(40)
    state.loupe_x, state.loupe_y = 10.0, 20.0
    assert (resolve(state).loupe.x, resolve(state).loupe.y) == (10.0, 20.0)
