"""The export dialog: the mark, where there is no corner for it, and what is remembered."""

from pathlib import Path

import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from retina_viewer.ui.dialogs.export_dialog import ExportDialog
from retina_viewer.ui.window import Window
from tests.ui.conftest import SAMPLES, MakeWindow
from tests.ui.test_window import finish, show
from tests.ui.tiny_models import GAN, install_pair


def dialog_of(window: Window, qtbot: QtBot) -> ExportDialog:
    window.export()
    dialog = window.findChildren(ExportDialog)[-1]
    qtbot.waitUntil(dialog.save.isEnabled)
    return dialog


def is_marked(dialog: ExportDialog) -> bool:
    return dialog.request.mark


@pytest.fixture
def gan_window(make: MakeWindow, qtbot: QtBot, photograph: Path) -> Window:
    install_pair()
    window = make(None, method="saliency-gan", model=GAN, scale=2)
    show(window, qtbot, photograph)
    return window


def test_the_mark_is_on_by_default_and_its_choice_is_remembered(
    gan_window: Window, qtbot: QtBot
) -> None:
    window = gan_window
    dialog = dialog_of(window, qtbot)
    assert dialog.mark.isVisible()
    assert is_marked(dialog)
    assert not dialog.no_corner.isVisible()
    dialog.product.setCurrentIndex(dialog.product.findData("beside"))
    dialog.product.activated.emit(dialog.product.currentIndex())
    assert not dialog.mark.isVisible()  # the pair has its own labels
    assert not is_marked(dialog)
    dialog.product.setCurrentIndex(dialog.product.findData("result"))
    dialog.product.activated.emit(dialog.product.currentIndex())
    dialog.mark.click()
    assert not is_marked(dialog)
    dialog.reject()
    assert not window.settings.export_mark
    dialog = dialog_of(window, qtbot)
    assert not dialog.mark.isChecked()
    dialog.reject()
    finish(window, qtbot)


def test_without_a_free_corner_the_pair_is_offered(
    gan_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    window, crop = gan_window, tmp_path / "crop.png"
    with Image.open(SAMPLES / "chase_14L.jpg") as image:
        image.crop((300, 300, 500, 460)).save(crop)
    show(window, qtbot, crop)
    dialog = dialog_of(window, qtbot)
    assert not dialog.mark.isVisible()
    assert not is_marked(dialog)
    assert "corner" in dialog.no_corner.text()
    assert dialog.no_corner.isVisible()
    assert dialog.pair.isVisible()
    dialog.pair.click()
    assert dialog.product.currentData() == "beside"
    assert dialog.save.isEnabled()
    assert not dialog.pair.isVisible()
    dialog.reject()
    finish(window, qtbot)


def test_interpolation_is_offered_no_mark(window: Window, qtbot: QtBot, photograph: Path) -> None:
    show(window, qtbot, photograph)
    dialog = dialog_of(window, qtbot)
    assert not dialog.mark.isVisible()
    assert not dialog.no_corner.isVisible()
    assert not is_marked(dialog)
    dialog.reject()
    finish(window, qtbot)


def test_both_names_of_a_saliency_export_are_read(gan_window: Window, qtbot: QtBot) -> None:
    dialog = dialog_of(gan_window, qtbot)
    dialog.product.setCurrentIndex(dialog.product.findData("saliency"))
    dialog.product.activated.emit(dialog.product.currentIndex())
    qtbot.wait(50)
    assert "\n" in dialog.names.text()
    assert dialog.names.height() >= dialog.names.heightForWidth(dialog.names.width())
    dialog.reject()
    finish(gan_window, qtbot)
