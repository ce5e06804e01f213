"""Rows of the inspector show all that they say."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QScrollArea, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from retina_viewer.superres.enhance_settings import SCALES
from retina_viewer.ui.panels.information import InformationPanel
from retina_viewer.ui.panels.toolbar import LAYOUTS, SLIDER
from retina_viewer.ui.theme import apply_theme
from retina_viewer.ui.widgets.choices import NumberBox
from tests.ui.conftest import MakeWindow
from tests.ui.test_window import finish


@pytest.mark.parametrize("width", [280, 300, 321])
def test_a_value_that_grows_gets_its_lines(
    qtbot: QtBot, make: MakeWindow, qapp: QApplication, width: int
) -> None:
    panel, body, area = InformationPanel(make().view), QWidget(), QScrollArea()
    column = QVBoxLayout(body)
    column.addWidget(panel)
    column.addStretch(1)
    area.setWidgetResizable(True)
    area.setWidget(body)
    area.resize(width, 400)
    qtbot.addWidget(area)
    area.show()
    for text in ("…", "There are 2 photographs in this picture.", "919 px across"):
        panel._values["Field of view"].setText(text)
        for _ in range(8):
            qapp.processEvents()
        for row, value in panel._values.items():
            assert value.height() >= value.heightForWidth(value.width()), (text, row)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_arrows_of_a_number_are_seen(qtbot: QtBot, qapp: QApplication, theme: str) -> None:
    tokens = apply_theme(qapp, theme)
    box = NumberBox("Picture")
    box.setRange(1, 3)
    box.setValue(2)
    box.resize(120, 32)
    qtbot.addWidget(box)
    box.show()
    image = box.grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(100, 116) for y in range(2, 30)}
    assert tokens.text in seen


def test_the_toolbar_s_words_are_whole_at_every_width(make: MakeWindow, qtbot: QtBot) -> None:
    window = make(None)
    window.show()
    qtbot.waitUntil(lambda: window.looks.has_icons, timeout=20_000)
    for width in (1600, 1040, 1250, 1400, 1600):
        window.resize(width, 700)
        qtbot.wait(50)
        bar = window.toolbar
        for scale in SCALES:
            button = bar.scales.button(scale)
            assert button.width() >= button.fontMetrics().horizontalAdvance(button.text()) + 16
        for layout in LAYOUTS:
            button = bar.layouts.button(layout)
            if button.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextBesideIcon:
                assert button.width() >= button.sizeHint().width()
        style = bar.layouts.button(SLIDER).toolButtonStyle()
        assert width != 1600 or style is Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        assert width != 1040 or style is Qt.ToolButtonStyle.ToolButtonIconOnly
    finish(window, qtbot)
