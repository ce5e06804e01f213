"""The list of methods: grouped, marked, each with its sentence."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication, QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from retina_viewer.superres.methods import METHODS
from retina_viewer.ui.theme import apply_theme
from retina_viewer.ui.widgets.method_chooser import GROUPS, ID, WIDTH, MethodChooser


@pytest.fixture
def chooser(qtbot: QtBot, qapp: QApplication) -> MethodChooser:
    apply_theme(qapp, "dark")
    chooser = MethodChooser(METHODS)
    qtbot.addWidget(chooser)
    return chooser


def test_every_method_stands_under_its_group(chooser: MethodChooser) -> None:
    listed: list[tuple[str, str]] = []
    group = ""
    for row in range(chooser.count()):
        if chooser.itemData(row, ID) is None:
            group = chooser.itemText(row)
        else:
            listed.append((chooser.itemData(row, ID), group))
    assert sorted(listed) == sorted((one.id, GROUPS[one.character]) for one in METHODS)


def test_keys_walk_from_method_to_method(chooser: MethodChooser, qtbot: QtBot) -> None:
    chooser.show()
    last_that_draws = [one.id for one in METHODS if one.character == "draws"][-1]
    first_that_restores = next(one.id for one in METHODS if one.character == "restores")
    chooser.set_method(last_that_draws)
    with qtbot.waitSignal(chooser.chosen) as chosen:
        qtbot.keyClick(chooser, Qt.Key.Key_Down)
    assert chosen.args == [first_that_restores]
    qtbot.keyClick(chooser, Qt.Key.Key_Home)
    assert chooser.method == METHODS[0].id


def test_the_choice_stays_where_the_list_changes(chooser: MethodChooser) -> None:
    chooser.set_method("bicubic")
    chooser.offer([one for one in METHODS if one.id != "srgan"])
    assert chooser.method == "bicubic"
    chooser.offer([one for one in METHODS if one.id != "bicubic"])
    assert chooser.method == METHODS[0].id


def test_what_is_ai_is_told_to_screen_readers(chooser: MethodChooser) -> None:
    for one in METHODS:
        row = chooser.findData(one.id, ID)
        spoken = chooser.itemData(row, Qt.ItemDataRole.AccessibleTextRole)
        assert ("made by AI" in spoken) == one.learned
        assert one.sentence in spoken


def painted(chooser: MethodChooser, row: int, height: int) -> QImage:
    """An entry as the open list draws it, in a room of this height."""
    image = QImage(WIDTH, height, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.black)
    option = QStyleOptionViewItem()
    option.font, option.rect = chooser.view().font(), image.rect()
    painter = QPainter(image)
    chooser.itemDelegate().paint(painter, option, chooser.model().index(row, 0))
    painter.end()
    return image


def test_no_sentence_is_cut_off(chooser: MethodChooser) -> None:
    option = QStyleOptionViewItem()
    option.font = chooser.view().font()
    for row in range(chooser.count()):
        index = chooser.model().index(row, 0)
        height = chooser.itemDelegate().sizeHint(option, index).height()
        if index.data(ID) is not None:
            tall = painted(chooser, row, 3 * height)
            assert tall.copy(0, 0, WIDTH, height) == painted(chooser, row, height)
            below = tall.copy(0, height, WIDTH, 2 * height)
            assert below == painted(chooser, row, 5 * height).copy(0, 3 * height, WIDTH, 2 * height)
