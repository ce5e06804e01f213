"""Halvings of a picture, drawn in the right place."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from retina_viewer.core.geometry import Rect
from retina_viewer.core.paths import resources_dir
from retina_viewer.imaging.readers import open_image
from retina_viewer.ui.canvas import pyramid
from retina_viewer.ui.canvas.pyramid import Pyramid


@pytest.fixture(scope="module")
def rgb() -> NDArray[np.uint8]:
    return open_image(resources_dir() / "samples" / "chase_14L.jpg").display_rgb


def _drawn(picture: Pyramid, part: Rect, zoom: float) -> NDArray[np.int_]:
    width, height = round(part.width * zoom), round(part.height * zoom)
    canvas = QImage(width, height, QImage.Format.Format_RGB888)
    canvas.fill(Qt.GlobalColor.green)
    painter = QPainter(canvas)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    picture.draw(painter, QRectF(0, 0, width, height), part, zoom)
    painter.end()
    rows = np.frombuffer(canvas.constBits(), np.uint8).reshape(height, canvas.bytesPerLine())
    return rows[:, : 3 * width].reshape(height, width, 3).astype(int)


def test_at_full_size_pixels_are_exact(qtbot: QtBot, rgb: NDArray[np.uint8]) -> None:
    part = Rect(400, 380, 90, 70)
    drawn = _drawn(Pyramid.from_rgb(rgb), part, 1.0)
    np.testing.assert_array_equal(drawn, rgb[part.slices()])


@pytest.mark.parametrize("zoom", [0.25, 0.7, 1.0, 2.3])
def test_a_large_picture_is_shown_without_a_copy_and_looks_the_same(
    qtbot: QtBot, rgb: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, zoom: float
) -> None:
    part = Rect(400, 380, 90, 70)
    usual = _drawn(Pyramid.from_rgb(rgb), part, zoom)
    monkeypatch.setattr(pyramid, "LARGE", rgb.shape[0] * rgb.shape[1] - 1)
    large = Pyramid.from_rgb(rgb)
    assert np.shares_memory(large.levels[0].pixels, rgb)
    assert np.abs(_drawn(large, part, zoom) - usual).max() <= 1


@pytest.mark.parametrize("zoom", [0.5, 0.25, 0.125])
def test_shrunk_it_shows_means_in_place(qtbot: QtBot, rgb: NDArray[np.uint8], zoom: float) -> None:
    part = Rect(320, 320, 320, 320)
    drawn = _drawn(Pyramid.from_rgb(rgb), part, zoom)
    step = round(1 / zoom)
    blocks = rgb[part.slices()].reshape(320 // step, step, 320 // step, step, 3)
    means = blocks.mean(axis=(1, 3))
    # The photograph's odd size shifts a level by a fraction of a pixel; no more.
    assert np.abs(drawn - means).mean() < 4


def test_level_is_never_enlarged_below_full_size(rgb: NDArray[np.uint8]) -> None:
    picture = Pyramid.from_rgb(rgb)
    for zoom in (0.1, 0.3, 0.49, 0.51, 0.9, 1.0):
        level = picture.level_for(zoom)
        assert level.image.width() >= picture.width * zoom
    assert picture.level_for(16).image.width() == picture.width
    assert picture.nbytes < rgb.shape[0] * rgb.shape[1] * 4 * 1.4
