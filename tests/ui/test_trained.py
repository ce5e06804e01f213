"""The window with the networks that the program ships."""

import numpy as np
import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from retina_viewer.superres.classical import bicubic
from retina_viewer.ui.canvas.scene import Camera, Source
from retina_viewer.ui.canvas.tile_requests import TileKey, tile_side, tiles_over
from retina_viewer.ui.view.enhancer_cache import enhance_part
from tests.ui.conftest import SAMPLES, MakeWindow


def test_a_tile_and_the_vessels_of_the_shipped_networks(make: MakeWindow, qtbot: QtBot) -> None:
    window = make(method="pixel", scale=2)
    window.view.change(loupe_shown=False)
    window.open([SAMPLES / "chase_14L.jpg"])
    qtbot.waitUntil(lambda: window.view.photo is not None)
    view = window.view
    photo = view.photo
    assert photo is not None
    side = tile_side(2)
    view.state.camera = Camera(2.5 * side, 2.5 * side, 24.0)  # the middle of one tile
    view.apply()
    qtbot.waitUntil(lambda: view.sharp >= 1, timeout=60_000)
    view.tiles.stop()  # not the ring around it
    (chip,) = window.stage.result.scene.result_chips
    assert (chip.source, chip.text[:5]) == (Source.NETWORK, "AI ×2")
    request = view.request
    assert request is not None
    (place,) = [
        rect
        for rect in tiles_over(photo.bounds, photo.bounds, side)
        if (rect.x, rect.y) == (2 * side, 2 * side)
    ]
    assert TileKey(request, place) in view.tiles.cache
    made = view.enhancers.finished(request, place)
    assert made is not None
    smooth = enhance_part(bicubic(2), photo.image, place) * 255
    difference = np.abs(made.astype(float) - smooth)
    assert 0.2 < difference.mean() < 12  # the same place, and not interpolation
    view.layers.failed.connect(lambda name, error: pytest.fail(str(error)))
    window.controller.toggle_vessels()
    qtbot.waitUntil(lambda: bool(window.stage.result.scene.layers), timeout=120_000)
    window.controller.fit()
    view.tiles.stop()
    shown = window.stage.result.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), -1)
    rgb = rows[:, : shown.width() * 3].reshape(shown.height(), -1, 3).astype(int)
    cyan = (rgb[100:, :, 2] - rgb[100:, :, 0] > 20).sum()
    assert cyan > 500
