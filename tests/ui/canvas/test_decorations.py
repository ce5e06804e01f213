"""Lengths that are written on the picture are true."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from retina_viewer.imaging.layer_art import Legend
from retina_viewer.ui.canvas.decorations import (
    CHIP_HEIGHT,
    MARGIN,
    SCALE_BAR,
    length_label,
    paint_chips,
    paint_legend,
    paint_ruler,
    scale_bar_length,
)
from retina_viewer.ui.canvas.scene import (
    Camera,
    Chip,
    LayerArt,
    LayerName,
    Scene,
    Source,
    UncertaintyArt,
)


@given(st.floats(0.005, 200), st.one_of(st.none(), st.floats(0.5, 40)))
def test_the_scale_bar_is_as_long_as_it_says(
    px_per_logical: float, um_per_px: float | None
) -> None:
    length, label = scale_bar_length(px_per_logical, um_per_px)
    assert SCALE_BAR / 2.6 < length <= SCALE_BAR * 1.000001
    number, unit = re.fullmatch(r"([\d.e+-]+) (px|µm nominal|mm nominal)", label).groups()  # type: ignore[union-attr]
    px = length * px_per_logical
    expected = {"px": px, "µm nominal": px * (um_per_px or 0), "mm nominal": px * (um_per_px or 0)}
    factor = 1000 if unit == "mm nominal" else 1
    assert float(number) * factor == pytest.approx(expected[unit])
    assert number.replace(".", "").strip("0")[0] in "125"


def test_distances_are_in_source_pixels_and_nominal_micrometres() -> None:
    assert length_label((0, 0, 30, 40), None) == "50.0 px"
    assert length_label((0, 0, 30, 40), 4.0) == "50.0 px = 200 µm nominal"
    assert length_label((0, 0, 300, 400), 4.0) == "500.0 px = 2.00 mm nominal"


@pytest.mark.parametrize("end", [20.0, 250.0, 390.0])
def test_the_ruler_s_label_stays_in_the_pane_beside_its_end(qapp: QApplication, end: float) -> None:
    image = QImage(400, 100, QImage.Format.Format_RGB32)
    image.fill(QColor(200, 60, 20))
    painter = QPainter(image)
    paint_ruler(painter, QPointF(end, 50), QPointF(end, 40), "107.0 px", 400.0)
    painter.end()
    white = [x for x in range(400) for y in range(100) if image.pixelColor(x, y).blue() > 180]
    assert max(white) < 398
    assert max(white) - min(white) > 30
    assert min(white) > end - 100


def test_a_chip_without_room_stands_below_the_others(qapp: QApplication) -> None:
    chips = (
        Chip("INTERPOLATED", Source.INTERPOLATED),
        Chip("PENDING AI x4", Source.PENDING),
        Chip("DAMAGED FILE", Source.DAMAGED),
    )
    image = QImage(240, 120, QImage.Format.Format_RGB32)
    image.fill(QColor(0, 0, 0))
    painter = QPainter(image)
    bottom = paint_chips(painter, chips, 0, 240, MARGIN)
    painter.end()
    assert bottom >= MARGIN + 2 * CHIP_HEIGHT  # in one row there is no room
    red = [
        y for x in range(240) for y in range(120) if image.pixelColor(x, y).red() > 220
        and image.pixelColor(x, y).blue() < 190
    ]  # fmt: skip
    assert min(red) > MARGIN + CHIP_HEIGHT  # the last is there, below
    assert max(red) < bottom


def test_one_row_of_chips_stays_one_row(qapp: QApplication) -> None:
    image = QImage(600, 120, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    chips = (Chip("ORIGINAL", Source.CAMERA), Chip("RED-FREE", Source.CAMERA))
    assert paint_chips(painter, chips, 0, 600, MARGIN) == MARGIN + CHIP_HEIGHT
    assert paint_chips(painter, chips, 0, 20, MARGIN) == MARGIN + CHIP_HEIGHT
    painter.end()


def test_a_legend_wider_than_its_pane_is_made_smaller(qapp: QApplication) -> None:
    layer = LayerArt(LayerName.VESSELS, 1.0, UncertaintyArt(), Legend("a name of many words " * 3))
    image = QImage(160, 80, QImage.Format.Format_RGB32)
    image.fill(QColor(200, 60, 20))
    painter = QPainter(image)
    paint_legend(painter, Scene(Camera(0, 0, 1), layers=(layer,)), 152, 4)
    painter.end()
    ground = QColor(200, 60, 20).rgb()
    changed = {x for x in range(160) for y in range(80) if image.pixel(x, y) != ground}
    assert min(changed) >= 4
    assert max(changed) <= 152
