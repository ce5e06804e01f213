"""What is computed of the guesses in view, in which order, and what it looks like."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from retina_viewer.core.geometry import Rect
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Camera, Mapping, Tone
from retina_viewer.ui.canvas.tiles import TileRequest
from retina_viewer.ui.view.sight import (
    MOST_SPOTS,
    SPOT,
    SPOTS_APART,
    TILE,
    GuessArt,
    Sight,
    is_tile,
    paint_guesses,
    spot_of,
    tile_at,
)

RECIPE = TileRequest("photo", EnhanceSettings("saliency-gan", 4, model="gan"), Tone.COLOUR)
PANE = 700.0, 900.0


@st.composite
def sights(draw: st.DrawFn) -> Sight:
    image = Rect(0, 0, draw(st.integers(1, 5000)), draw(st.integers(1, 4000)))
    fit = min(PANE[0] / image.width, PANE[1] / image.height)
    zoom = draw(st.floats(fit, max(fit, 16.0)))
    camera = Camera(draw(st.floats(0, image.width)), draw(st.floats(0, image.height)), zoom)
    return Sight(RECIPE, camera, camera.visible(*PANE, image), image)


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
        Sight(RECIPE, Camera(2144, 1424, zoom), image, image)
        for zoom in (SPOTS_APART / TILE, 0.0625)
    )
    assert near.apart < far.apart
    assert set(far.spots) < set(near.spots)


def painted(art: GuessArt, opacity: float = 0.8) -> np.ndarray:
    """On a grey ground of 200 x 200 device pixels, one source pixel each."""
    image = QImage(200, 200, QImage.Format.Format_RGB888)
    image.fill(QColor(90, 90, 90))
    painter = QPainter(image)
    painter.setOpacity(opacity)
    paint_guesses(painter, art, Mapping(Camera(100, 100, 1), 200, 200))
    assert painter.opacity() == opacity
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(200, image.bytesPerLine())
    return rows[:, :600].reshape(200, 200, 3).astype(int) - 90


def picture(side: int, alpha: int) -> Pyramid:
    bgra = np.zeros((side, side, 4), np.uint8)
    bgra[..., 0] = bgra[..., 3] = alpha
    return Pyramid(bgra, has_alpha=True)


def test_pending_certain_and_guessed_look_different(qtbot: QtBot) -> None:
    art = GuessArt(
        tiles=((Rect(0, 0, 96, 96), picture(96, 0)), (Rect(96, 0, 96, 96), picture(96, 255))),
        pending=(Rect(0, 96, 96, 96),),
    )
    change = painted(art)
    assert not change[:96, :96].any()  # certain: the picture as it is
    assert change[8:88, 104:184, 2].min() > 100  # guessed: blue all over
    pending = change[96:192, :96].reshape(-1, 3)
    assert 0.05 < (pending.max(axis=1) > 20).mean() < 0.9  # lines
    assert not change[100:, 100:].any()
    thin = painted(GuessArt(pending=art.pending), opacity=0.05)
    assert (thin[96:192, :96] == change[96:192, :96]).all()  # at any opacity of the layer


def test_a_spot_is_outlined_and_never_too_small_to_be_seen(qtbot: QtBot) -> None:
    change = painted(GuessArt(spots=((Rect(99, 99, 2, 2), picture(2, 0)),)))
    rows, columns = np.nonzero(change.any(axis=2))
    assert 8 <= np.ptp(rows) <= 14
    assert 8 <= np.ptp(columns) <= 14
    assert not change[98:103, 98:103].any()  # low, and computed
    full = painted(GuessArt(spots=((Rect(99, 99, 2, 2), picture(2, 255)),)))
    assert full[98:103, 98:103, 2].min() > 80
