"""The models' dialog, driven through a real window."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QInputDialog
from pytestqt.qtbot import QtBot

from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store.archive import export_model
from retina_viewer.model_store.defaults import default_model, set_default
from retina_viewer.model_store.own_models import accept, note_of
from retina_viewer.model_store.store import DEFAULT_MODELS, find_model, list_models
from retina_viewer.ui.models.models_dialog import DeleteQuestion, ModelsDialog
from retina_viewer.ui.window import Window
from tests.model_store.models import make_run, make_unet, own, own_pair
from tests.ui.conftest import MakeWindow

WAIT = 20_000
Opened = Callable[[], tuple[Window, ModelsDialog]]


@pytest.fixture
def opened(make: MakeWindow, qtbot: QtBot) -> Opened:
    """Opens the dialog of a new window and waits until it knows what is installed."""

    def open_it() -> tuple[Window, ModelsDialog]:
        window = make()
        window.manager.show()
        dialog = window.manager.dialog
        assert dialog is not None
        settled(dialog, qtbot)
        return window, dialog

    return open_it


def settled(dialog: ModelsDialog, qtbot: QtBot) -> None:
    """Wait until nothing is done any more and the list shows what came of it."""
    jobs = dialog.operations._jobs
    qtbot.waitUntil(
        lambda: not dialog.operations.is_working and not jobs.is_active("models look"), timeout=WAIT
    )
    assert dialog.installed.entries


def test_the_list_and_the_card_say_what_is_in_use(tmp_path: Path, opened: Opened) -> None:
    accept(make_run(tmp_path / "run"), "clinic", "Clinic A", note="left camera")
    set_default("clinic")
    _, dialog = opened()
    assert dialog.list.chosen == "clinic"  # the default comes first
    assert "In use" in dialog.page.about.text()
    assert not dialog.buttons.use.isEnabled()
    assert not dialog.buttons.delete.isEnabled()
    assert not dialog.buttons.compare.isEnabled()  # there is no photograph
    assert dialog.page.card.note.toPlainText() == "left camera"
    dialog.list.choose("pixel")
    assert dialog.buttons.use.isEnabled()
    assert not dialog.buttons.rename.isEnabled()
    assert "shipped" in dialog.page.about.text()


@pytest.mark.slow
def test_another_default_is_used_at_once_and_rolled_back(opened: Opened, qtbot: QtBot) -> None:
    own("clinic")
    window, dialog = opened()
    catalogue = window.view.catalogue
    first = catalogue.networks("pixel")[0].name
    dialog.list.choose("clinic")
    assert not dialog.roll_back_button.isEnabled()
    dialog.buttons.use.click()
    settled(dialog, qtbot)
    assert default_model("superres") == "clinic"
    assert dialog.list.chosen == "clinic"
    assert dialog.outcome.text() == "Model clinic is used from now on."
    assert window.view.catalogue.networks("pixel")[0].name == "clinic"
    settings = window.view.settings
    assert (settings.method, settings.model) == ("pixel", "clinic")  # it was bicubic
    dialog.roll_back_button.click()
    settled(dialog, qtbot)
    assert default_model("superres") == DEFAULT_MODELS["superres"]
    assert window.view.catalogue.networks("pixel")[0].name == first
    assert window.view.settings.model == DEFAULT_MODELS["superres"]
    assert not dialog.roll_back_button.isEnabled()


@pytest.mark.slow
def test_vessels_are_found_anew_with_another_default(
    opened: Opened, photograph: Path, qtbot: QtBot
) -> None:
    make_unet(user_models_dir() / "vein", threshold=0.4)
    make_unet(user_models_dir() / "artery", seed=2, threshold=0.4)
    set_default("vein")
    window, dialog = opened()
    with qtbot.waitSignal(window.library.opened, timeout=WAIT):
        window.open([photograph])
    window.controller.toggle_vessels()
    layers = window.view.layers
    qtbot.waitUntil(lambda: layers.current.vessels is not None, timeout=WAIT)
    assert found_by(window) == "vein"
    dialog.list.choose("artery")
    dialog.buttons.use.click()
    settled(dialog, qtbot)
    qtbot.waitUntil(lambda: found_by(window) == "artery", timeout=WAIT)


def found_by(window: Window) -> str:
    found = window.view.layers.current.vessels
    return "" if found is None else found.model


def test_title_and_note(opened: Opened, qtbot: QtBot) -> None:
    own("clinic")
    _, dialog = opened()
    dialog.list.choose("clinic")
    dialog.buttons.rename.click()
    question = dialog.question
    assert isinstance(question, QInputDialog)
    question.setTextValue("Clinic B")
    question.accept()
    settled(dialog, qtbot)
    assert find_model("clinic").title == dialog.page.heading.text() == "Clinic B"
    assert not dialog.page.card.keep_note.isEnabled()
    dialog.page.card.note.setPlainText("for the left camera")
    dialog.operations.look()  # what is being written is not lost when the list is read again
    settled(dialog, qtbot)
    assert dialog.page.card.note.toPlainText() == "for the left camera"
    dialog.page.card.keep_note.click()
    settled(dialog, qtbot)
    assert note_of(find_model("clinic")) == "for the left camera"
    assert not dialog.page.card.has_unkept_note


def test_a_title_that_is_none_is_explained_where_one_looks(opened: Opened, qtbot: QtBot) -> None:
    own("clinic")
    _, dialog = opened()
    dialog.list.choose("clinic")
    dialog.operations.rename("clinic", "  ")
    settled(dialog, qtbot)
    assert "no title" in dialog.banner.message.text()
    assert dialog.banner.isVisible()
    dialog.buttons.use.click()
    assert not dialog.banner.isVisible()
    settled(dialog, qtbot)


def test_deleting_asks_and_takes_the_twin_along(opened: Opened, qtbot: QtBot) -> None:
    own_pair()
    _, dialog = opened()
    dialog.list.choose("gan")
    dialog.buttons.delete.click()
    question = dialog.question
    assert isinstance(question, DeleteQuestion)
    assert question.defaultButton() is not question.delete
    question.reject()
    assert find_model("gan")
    dialog.buttons.delete.click()
    question = dialog.question
    assert isinstance(question, DeleteQuestion)
    assert question.twin is not None and question.twin.isChecked()
    question.delete.click()
    settled(dialog, qtbot)
    assert not {"gan", "twin"} & {card.name for card in list_models()}
    assert "gan and twin were deleted" in dialog.outcome.text()
    assert dialog.entry is not None


@pytest.mark.slow
def test_a_model_goes_out_and_comes_back_by_drop(
    tmp_path: Path, opened: Opened, qtbot: QtBot
) -> None:
    own("clinic")
    _, dialog = opened()
    dialog.export("clinic", tmp_path / "clinic.rvmodel")
    settled(dialog, qtbot)
    assert (tmp_path / "clinic.rvmodel").is_file()
    drop(dialog, tmp_path / "clinic.rvmodel")
    settled(dialog, qtbot)
    assert dialog.list.chosen == "clinic-v2"
    assert "Not in use yet" in dialog.outcome.text()
    assert default_model("superres") == DEFAULT_MODELS["superres"]
    dialog.export("clinic", tmp_path / "clinic.rvmodel")
    settled(dialog, qtbot)
    assert "exists already" in dialog.banner.message.text()


def test_after_cancelled_work_the_buttons_come_back(
    tmp_path: Path, opened: Opened, qtbot: QtBot
) -> None:
    own("clinic")
    window, dialog = opened()
    dialog.list.choose("clinic")
    dialog.export("clinic", tmp_path / "clinic.rvmodel")
    assert not dialog.buttons.use.isEnabled()
    window.cancel()
    settled(dialog, qtbot)
    assert "Cancelled" in dialog.outcome.text()
    assert dialog.buttons.use.isEnabled()


def test_a_file_that_is_no_model_is_named(tmp_path: Path, opened: Opened, qtbot: QtBot) -> None:
    (tmp_path / "holiday.rvmodel").write_bytes(b"a photograph")
    _, dialog = opened()
    dialog.import_files([tmp_path / "holiday.rvmodel"])
    settled(dialog, qtbot)
    assert "holiday.rvmodel: This is no sound model file" in dialog.banner.message.text()
    assert not user_models_dir().exists() or not list(user_models_dir().iterdir())


@pytest.mark.slow
def test_one_bad_file_of_several_does_not_keep_the_others_out(
    tmp_path: Path, opened: Opened, qtbot: QtBot
) -> None:
    own("clinic")
    good = export_model("clinic", tmp_path)
    holiday, notes = tmp_path / "holiday.rvmodel", tmp_path / "notes.txt"
    holiday.write_bytes(b"a photograph")
    notes.write_text("not even called a model")
    _, dialog = opened()
    drop(dialog, holiday, good, notes)
    settled(dialog, qtbot)
    assert find_model("clinic-v2")
    assert dialog.list.chosen == "clinic-v2"
    assert dialog.outcome.text() == "Installed as clinic-v2. Not in use yet."
    message = dialog.banner.message.text()
    assert message.startswith("2 files were not installed.")
    assert "holiday.rvmodel: This is no sound" in message
    assert "notes.txt: This is no sound" in message
    assert dialog.banner.isVisible()


def test_curves_and_lineage(tmp_path: Path, opened: Opened, qtbot: QtBot) -> None:
    accept(make_run(tmp_path / "run"), "clinic", "Clinic A")
    _, dialog = opened()
    dialog.list.choose("clinic")
    dialog.page.tabs.button(1).click()
    qtbot.waitUntil(lambda: dialog.page.curves.curves is not None, timeout=WAIT)
    assert dialog.page.curves.curves is not None
    assert dialog.page.curves.curves.plot_of(0, "psnr_gaussian").isVisible()
    dialog.list.choose("vessels-unet")
    qtbot.waitUntil(lambda: dialog.page.curves.curves is None, timeout=WAIT)
    dialog.list.choose("clinic")
    dialog.page.tabs.button(2).click()
    dialog.page.lineage.picked.emit("pixel")
    assert dialog.list.chosen == "pixel"


def test_a_training_can_begin_with_a_model(opened: Opened, qtbot: QtBot) -> None:
    own("clinic")
    _, dialog = opened()
    dialog.list.choose("clinic")
    with qtbot.waitSignal(dialog.retrain_wanted) as caught:
        dialog.buttons.retrain.click()
    assert caught.args[0].name == "clinic"
    dialog.list.choose("formation")
    assert not dialog.buttons.retrain.isEnabled()


def test_menu_and_key_open_it(window: Window, qtbot: QtBot) -> None:
    window.toolbar.models_menu.aboutToShow.emit()
    texts = [action.text() for action in window.toolbar.models_menu.actions()]
    assert any(text.startswith("Models…") for text in texts)
    qtbot.keyClick(window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.manager.dialog is not None)


def drop(dialog: ModelsDialog, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(50, 50), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    dialog.dropEvent(event)
