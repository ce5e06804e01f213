"""Comparing methods, named by what a person does."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot
from retina_viewer.ui.comparison.dialog import EMPTY, MethodsDialog
from retina_viewer.ui.comparison.reference_choice import NONE

from retina_viewer.imaging.readers import open_image
from retina_viewer.imaging.writers import read_provenance, sidecar_path
from retina_viewer.ui.canvas.scene import Content, Source
from retina_viewer.ui.window import Window
from tests.ui.comparison.conftest import WAIT, compare, finish


def press(dialog: MethodsDialog, qtbot: QtBot, key: Qt.Key) -> None:
    qtbot.keyClick(dialog.stage, key)


def test_two_methods_at_one_place(dialog: MethodsDialog, qtbot: QtBot) -> None:
    finish(dialog, qtbot)
    left, right = (pane.scene for pane in dialog.stage.panes[:2])
    assert left.camera == right.camera
    assert [chip.text for scene in (left, right) for chip in scene.result_chips] == [
        "×2 · Bicubic",
        "×2 · Lanczos",
    ]
    assert left.result_chips[0].source is Source.INTERPOLATED
    before = left.camera
    dialog.stage.panes[1].dragged.emit(40.0, 0.0)
    left, right = (pane.scene for pane in dialog.stage.panes[:2])
    assert before != left.camera == right.camera


def test_the_cursor_is_seen_in_the_other_panes(dialog: MethodsDialog) -> None:
    dialog.stage.panes[0].hovered.emit(50.0, 60.0)
    assert dialog.stage.panes[0].scene.pointer is None
    assert dialog.stage.panes[1].scene.pointer == (50.0, 60.0)
    dialog.stage.panes[0].left.emit()
    assert dialog.stage.panes[1].scene.pointer is None


def test_a_network_is_marked_with_its_scale_and_fidelity(with_photo: Window, qtbot: QtBot) -> None:
    dialog = compare(with_photo, "saliency-gan", "bicubic")
    dialog.comparison.linked.state.zoom_at_centre(40.0)
    dialog.comparison.refresh()
    finish(dialog, qtbot)
    (chip,) = dialog.stage.panes[0].scene.result_chips
    assert chip.source is Source.NETWORK
    assert chip.text.startswith("AI ×2 · Saliency GAN, fidelity ")


def test_two_to_four_chips_are_pressed(dialog: MethodsDialog, qtbot: QtBot) -> None:
    chips = dialog.header.chips
    qtbot.mouseClick(chips.chip("bicubic"), Qt.MouseButton.LeftButton)
    assert chips.chip("bicubic").isChecked()  # two at least
    for name in ("saliency-gan", "pixel"):
        qtbot.mouseClick(chips.chip(name), Qt.MouseButton.LeftButton)
    assert dialog.comparison.choice.chosen == ["bicubic", "lanczos", "saliency-gan", "pixel"]
    assert dialog.stage.shown == [0, 1, 2, 3]
    rest = [m.id for m in dialog.comparison.choice.catalogue.methods]
    rest = [name for name in rest if name not in dialog.comparison.choice.chosen]
    assert all(not chips.chip(name).isEnabled() for name in rest)
    qtbot.mouseClick(chips.chip("bicubic"), Qt.MouseButton.LeftButton)
    assert dialog.stage.shown == [0, 1, 2]
    sizes = {(pane.width(), pane.height()) for pane in dialog.stage.panes[:3]}
    assert len(sizes) == 1


def test_keys_show_one_alone_the_next_in_its_place_and_swap(
    dialog: MethodsDialog, qtbot: QtBot
) -> None:
    press(dialog, qtbot, Qt.Key.Key_2)
    assert dialog.stage.shown == [1]
    assert dialog.stage.panes[1].width() == dialog.stage.width()
    press(dialog, qtbot, Qt.Key.Key_Space)
    assert dialog.stage.shown == [0]
    press(dialog, qtbot, Qt.Key.Key_X)
    assert dialog.comparison.choice.chosen == ["lanczos", "bicubic"]
    press(dialog, qtbot, Qt.Key.Key_Escape)
    assert dialog.stage.shown == [0, 1]
    assert dialog.isVisible()
    press(dialog, qtbot, Qt.Key.Key_B)
    assert dialog.header.blink.isChecked()
    qtbot.waitUntil(lambda: dialog.stage.shown == [1], timeout=3000)
    press(dialog, qtbot, Qt.Key.Key_B)
    assert dialog.stage.shown == [0, 1]


def test_holding_o_shows_the_original(dialog: MethodsDialog, qtbot: QtBot) -> None:
    finish(dialog, qtbot)
    qtbot.keyPress(dialog.stage, Qt.Key.Key_O)
    assert [pane.scene.content for pane in dialog.stage.panes[:2]] == [Content.ORIGINAL] * 2
    assert dialog.stage.panes[1].scene.chips[0].text.startswith("ORIGINAL")
    qtbot.keyRelease(dialog.stage, Qt.Key.Key_O)
    assert [pane.scene.content for pane in dialog.stage.panes[:2]] == [Content.RESULT] * 2


def test_what_was_enlarged_before_is_named_at_once(dialog: MethodsDialog, qtbot: QtBot) -> None:
    """Back in the comparison its tiles are there: they are not called interpolated."""
    finish(dialog, qtbot)
    named = dialog.stage.panes[1].scene.result_chips
    assert named[0].text == "×2 · Lanczos"
    dialog.comparison.enlargings[1].end()
    assert dialog.stage.panes[1].scene.original is None
    dialog.comparison.refresh()
    assert dialog.stage.panes[1].scene.result_chips == named


def test_without_a_reference_it_says_that_no_figure_exists(dialog: MethodsDialog) -> None:
    assert dialog.header.words.text() == NONE
    assert not any(strip.isVisible() for strip in dialog.stage.strips)


def measured(dialog: MethodsDialog, qtbot: QtBot) -> list[str]:
    """What the strips say when all is measured."""
    count = len(dialog.comparison.choice.chosen)

    def texts() -> list[str]:
        return [strip.spoken for strip in dialog.stage.strips[:count]]

    qtbot.waitUntil(
        lambda: all(text.count("dB") == 2 and "…" not in text for text in texts()), timeout=WAIT
    )
    return texts()


def test_the_photograph_itself_is_shrunk_and_measured(dialog: MethodsDialog, qtbot: QtBot) -> None:
    place = dialog.comparison.linked.view.main
    dialog.comparison.reference.use_photo_itself()
    qtbot.waitUntil(lambda: dialog.comparison.truth is not None, timeout=WAIT)
    assert "shrunk to 64 × 60 px" in dialog.header.words.text()
    assert dialog.comparison.photo is not None
    assert dialog.comparison.photo.bounds.width == 64
    now = dialog.comparison.linked.view.main
    assert now.x == pytest.approx(place.x / 2)
    assert now.zoom == pytest.approx(place.zoom * 2)
    said = measured(dialog, qtbot)
    assert said[0] != said[1]
    assert "SSIM 0." in said[0]
    # They are this reference's: of the next one nothing is known before it is measured.
    settings, region = dialog.comparison.choice.contenders[0].settings, dialog.comparison.region
    truth, measuring = dialog.comparison.truth, dialog.comparison.measuring
    assert truth is not None
    assert measuring.figures(truth, settings, region) is not None
    assert measuring.figures(replace(truth, name="another"), settings, region) is None
    qtbot.keyPress(dialog.stage, Qt.Key.Key_O)
    assert dialog.stage.panes[0].scene.result_chips[0].text == "REFERENCE ×2"
    qtbot.keyRelease(dialog.stage, Qt.Key.Key_O)
    dialog.comparison.reference.clear()
    assert dialog.comparison.photo.bounds.width == 128
    assert not dialog.stage.strips[0].isVisible()


def drop(dialog: MethodsDialog, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    place, none = QPoint(300, 300), Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(dialog, QDragEnterEvent(place, copy, data, left, none))
    assert "Let go" in dialog.footer.outcome.text()
    QApplication.sendEvent(dialog, QDropEvent(QPointF(place), copy, data, left, none))


def test_another_photograph_is_refused_as_a_reference(
    dialog: MethodsDialog, qtbot: QtBot, photographs: list[Path]
) -> None:
    drop(dialog, photographs[1])
    qtbot.waitUntil(dialog.banner.isVisible, timeout=WAIT)
    assert "a reference of this photograph has 256 × 240 (×2)" in dialog.banner.message.text()
    assert dialog.comparison.truth is None


def test_the_comparison_is_saved_with_labels_and_provenance(
    dialog: MethodsDialog, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(dialog, qtbot)
    path = tmp_path / "both.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(path), ""))
    qtbot.keyClick(dialog.stage, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: "Written" in dialog.footer.outcome.text(), timeout=WAIT)
    page = open_image(path)
    region = dialog.comparison.region
    assert page.width > 2 * 2 * region.width
    provenance = read_provenance(path)
    assert provenance is not None
    assert provenance.method == "comparison of bicubic, lanczos"
    assert provenance.compared is not None
    assert [one.method for one in provenance.compared] == ["bicubic", "lanczos"]
    assert sidecar_path(path).exists()


def test_a_method_that_fails_leaves_the_other_alone(with_photo: Window, qtbot: QtBot) -> None:
    dialog = compare(with_photo, "bicubic", "lanczos")
    choice = dialog.comparison.choice
    choice.device = "nonsense"  # only networks ask for one
    choice.chosen = ["pixel", "bicubic"]
    dialog.comparison.refresh()
    qtbot.waitUntil(dialog.banner.isVisible, timeout=WAIT)
    finish_one = dialog.comparison.enlargings[1]
    qtbot.waitUntil(
        lambda: finish_one.is_finished and finish_one.pane.scene.request is not None, timeout=WAIT
    )
    assert dialog.stage.panes[0].scene.result_chips[-1].text.startswith("failed")
    assert dialog.stage.panes[1].scene.result_chips[0].text == "×2 · Bicubic"


def test_closing_it_ends_its_work(dialog: MethodsDialog, with_photo: Window) -> None:
    dialog.comparison.toggle("pixel")
    dialog.close()
    assert with_photo.comparisons.dialog is None
    assert not [job for job in with_photo.jobs.active if job.key.startswith("methods")]


def test_without_a_photograph_it_says_what_to_do(window: Window) -> None:
    window.comparisons.show()
    dialog = window.comparisons.dialog
    assert dialog is not None
    assert not dialog.stage.isVisible()
    assert EMPTY in [child.text() for child in dialog.findChildren(type(dialog.header.words))]
    assert not dialog.header.export.isEnabled()
