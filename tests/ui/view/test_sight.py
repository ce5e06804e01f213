"""What is computed of the uncertainty in view, in which order, and what it looks like."""

from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.core.geometry import Rect
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.ui.canvas.scene import (
    Camera,
    Tone,
)
from retina_viewer.ui.canvas.tile_requests import TileRequest
from retina_viewer.ui.view.sight import (
    MOST_SPOTS,
    SPOT,
    SPOTS_APART,
    TILE,
    Sight,
    is_tile,
    spot_of,
    tile_at,
)

REQUEST = TileRequest("photo", EnhanceSettings("saliency-gan", 4, model="gan"), Tone.COLOUR)
PANE = 700.0, 900.0


@st.composite
def sights(draw: st.DrawFn) -> Sight:
    image = Rect(0, 0, draw(st.integers(1, 5000)), draw(st.integers(1, 4000)))
    fit = min(PANE[0] / image.width, PANE[1] / image.height)
    zoom = draw(st.floats(fit, max(fit, 16.0)))
    camera = Camera(draw(st.floats(0, image.width)), draw(st.floats(0, image.height)), zoom)
    return Sight(REQUEST, camera, camera.visible(*PANE, image), image)


@given(sights())
def test_a_view_gets_spots_all_over_of_which_few_come_before_the_tiles(sight: Sight) -> None:
    assert len(set(sight.spots)) == len(sight.spots)
    for spot in sight.spots:
        tile = tile_at(spot.x, spot.y, sight.image)
        assert spot_of(tile) == spot.intersected(tile) == spot  # one tile holds it
        assert is_tile(tile)
        assert not is_tile(spot) or spot == tile
        assert max(spot.width, spot.height) <= 2 * SPOT
    if sight.is_whole:
        assert 1 <= len(sight.spots) <= MOST_SPOTS
        assert sum(tile.intersected(sight.region).area for tile in sight.tiles) == sight.region.area
    else:
        assert sight.apart * sight.camera.zoom >= SPOTS_APART
        assert sight.apart == TILE or sight.apart * sight.camera.zoom < 2 * SPOTS_APART


@given(sights())
def test_the_first_spot_is_where_the_eye_is(sight: Sight) -> None:
    first = max(sight.spots, key=sight.coarseness)
    column, row = (int(at) // sight.apart for at in (sight.camera.x, sight.camera.y))
    middle = [s for s in sight.spots if (s.x // sight.apart, s.y // sight.apart) == (column, row)]
    assert all(sight.coarseness(spot) == sight.coarseness(first) for spot in middle)


def test_zooming_out_keeps_every_spot_a_spot() -> None:
    image = Rect(0, 0, 4288, 2848)
    near, far = (
        Sight(REQUEST, Camera(2144, 1424, zoom), image, image)
        for zoom in (SPOTS_APART / TILE, 0.0625)
    )
    assert near.apart < far.apart
    assert set(far.spots) < set(near.spots)
