"""Rows of the inspector show all that they say."""

import pytest
from PySide6.QtWidgets import QApplication, QScrollArea, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from retina_viewer.ui.panels.information import InformationPanel
from retina_viewer.ui.theme import apply_theme
from retina_viewer.ui.widgets.choices import NumberBox


@pytest.mark.parametrize("width", [280, 300, 321])
def test_a_value_that_grows_gets_its_lines(qtbot: QtBot, qapp: QApplication, width: int) -> None:
    panel, body, area = InformationPanel(), QWidget(), QScrollArea()
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
