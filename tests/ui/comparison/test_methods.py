"""Comparing methods, named by what a person does."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from retina_viewer.imaging.readers import open_image
from retina_viewer.imaging.writers import read_provenance, sidecar_path
from retina_viewer.superres.methods import METHODS
from retina_viewer.ui.canvas.pane import Pane
from retina_viewer.ui.canvas.scene import Content, LayerName, Source, Tone
from retina_viewer.ui.catalogue import Catalogue
from retina_viewer.ui.comparison.comparison_controller import JOBS, ComparisonController
from retina_viewer.ui.comparison.measuring import why_not
from retina_viewer.ui.comparison.reference import NONE
from retina_viewer.ui.window import Window
from tests.ui.comparison.conftest import WAIT, compare, finish
from tests.ui.conftest import MakeWindow

NO, SHIFT, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
CTRL = Qt.KeyboardModifier.ControlModifier


def press(window: Window, qtbot: QtBot, key: Qt.Key, modifier: Qt.KeyboardModifier = NO) -> None:
    qtbot.keyClick(window.stage, key, modifier)


def shown(window: Window) -> list[int]:
    """The places of the cells on the screen: 0 for the original."""
    return [place for place, pane in enumerate(window.stage.mains) if pane.isVisible()]


def results(window: Window) -> list[Pane]:
    return window.stage.mains[1 : len(window.view.state.results) + 1]


def methods(window: Window) -> list[str]:
    return [one.method for one in window.view.state.results]


def test_two_methods_at_one_place(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot
) -> None:
    finish(with_photo, qtbot)
    assert shown(with_photo) == [0, 1, 2]
    left, right = (pane.scene for pane in results(with_photo))
    assert left.camera == right.camera == with_photo.stage.original.scene.camera
    assert [chip.text for scene in (left, right) for chip in scene.result_chips] == [
        "INTERPOLATED ×2 · Bicubic",
        "INTERPOLATED ×2 · Lanczos",
    ]
    assert left.result_chips[0].source is Source.INTERPOLATED
    before = left.camera
    with_photo.stage.mains[2].dragged.emit(40.0, 0.0)
    left, right = (pane.scene for pane in results(with_photo))
    assert before != left.camera == right.camera


def test_the_cursor_is_seen_in_the_other_panes(
    with_photo: Window, comparison: ComparisonController
) -> None:
    with_photo.view.change(loupe_shown=False)
    first, second = results(with_photo)
    first.hovered.emit(50.0, 60.0)
    assert first.scene.pointer is None
    assert second.scene.pointer == with_photo.stage.original.scene.pointer == (50.0, 60.0)
    first.left.emit()
    assert second.scene.pointer is None


def test_a_network_is_marked_with_its_scale_and_fidelity(with_photo: Window, qtbot: QtBot) -> None:
    compare(with_photo, "saliency-gan", "bicubic")
    with_photo.view.change(loupe_shown=False)
    with_photo.controller.zoom_to(40.0)
    finish(with_photo, qtbot)
    (chip,) = results(with_photo)[0].scene.result_chips
    assert chip.source is Source.NETWORK
    assert chip.text.startswith("AI ×2 · Saliency GAN, fidelity ")


def test_two_to_four_chips_are_pressed(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot
) -> None:
    chips = comparison.header.chips
    qtbot.mouseClick(chips.chip("bicubic"), Qt.MouseButton.LeftButton)
    assert chips.chip("bicubic").isChecked()  # two at least
    for name in ("saliency-gan", "pixel"):
        qtbot.mouseClick(chips.chip(name), Qt.MouseButton.LeftButton)
    assert methods(with_photo) == ["bicubic", "lanczos", "saliency-gan", "pixel"]
    assert shown(with_photo) == [0, 1, 2, 3, 4]
    rest = [one.id for one in METHODS if one.id not in methods(with_photo)]
    rest = [key for key in rest if key in {one.key for one in comparison.offer.options}]
    assert rest
    assert all(not chips.chip(name).isEnabled() for name in rest)
    qtbot.mouseClick(chips.chip("bicubic"), Qt.MouseButton.LeftButton)
    assert shown(with_photo) == [0, 1, 2, 3]
    sizes = {(pane.width(), pane.height()) for pane in with_photo.stage.mains[:4]}
    assert len(sizes) == 1


def test_without_the_original(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot
) -> None:
    original = comparison.header.original
    assert original.isChecked()
    qtbot.mouseClick(original, Qt.MouseButton.LeftButton)
    assert shown(with_photo) == [1, 2]
    comparison.stop()
    assert shown(with_photo) == [0, 1]


def test_keys_show_one_alone_the_next_in_its_place_and_swap(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot
) -> None:
    with_photo.view.change(original_shown=False)
    with_photo.view.change(loupe_shown=False)
    press(with_photo, qtbot, Qt.Key.Key_2, ALT)
    assert shown(with_photo) == [2]
    assert with_photo.stage.mains[2].width() == with_photo.stage.width()
    press(with_photo, qtbot, Qt.Key.Key_3, ALT)  # there is no third
    assert shown(with_photo) == [2]
    press(with_photo, qtbot, Qt.Key.Key_N)
    assert shown(with_photo) == [1]
    press(with_photo, qtbot, Qt.Key.Key_N, SHIFT)
    assert shown(with_photo) == [2]
    press(with_photo, qtbot, Qt.Key.Key_X)
    assert methods(with_photo) == ["lanczos", "bicubic"]
    assert with_photo.toolbar.method.method == "bicubic"  # the active one stays active
    press(with_photo, qtbot, Qt.Key.Key_Escape)
    assert shown(with_photo) == [1, 2]
    press(with_photo, qtbot, Qt.Key.Key_1, ALT)
    press(with_photo, qtbot, Qt.Key.Key_0)
    assert shown(with_photo) == [1, 2]


def test_blinking(with_photo: Window, comparison: ComparisonController, qtbot: QtBot) -> None:
    press(with_photo, qtbot, Qt.Key.Key_K)
    assert comparison.header.blink.isChecked()
    assert shown(with_photo) == [0]
    qtbot.waitUntil(lambda: shown(with_photo) == [1], timeout=3000)
    qtbot.waitUntil(lambda: shown(with_photo) == [2], timeout=3000)
    press(with_photo, qtbot, Qt.Key.Key_K)
    assert not comparison.header.blink.isChecked()
    assert shown(with_photo) == [0, 1, 2]
    qtbot.mouseClick(comparison.header.blink, Qt.MouseButton.LeftButton)
    assert shown(with_photo) == [0]
    press(with_photo, qtbot, Qt.Key.Key_Escape)
    assert not comparison.header.blink.isChecked()


def test_what_a_view_can_do_works_here_too(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot
) -> None:
    """Layers, tones, loupe and the panel's choices, which are for the active result."""
    with_photo.stage.mains[2].clicked.emit(60.0, 60.0)
    assert with_photo.toolbar.method.method == "lanczos"
    assert with_photo.stage.mains[2].scene.is_active
    with_photo.controller.set_method("pixel")
    assert methods(with_photo) == ["bicubic", "pixel"]
    with_photo.controller.set_fidelity(0.3)
    press(with_photo, qtbot, Qt.Key.Key_G)
    press(with_photo, qtbot, Qt.Key.Key_S)
    qtbot.waitUntil(
        lambda: all(
            [layer.name for layer in pane.scene.layers] == [LayerName.SALIENCY]
            for pane in results(with_photo)
        ),
        timeout=WAIT,
    )
    assert with_photo.view.picture.shown_tone is Tone.RED_FREE
    assert [cell.place for cell in with_photo.view.picture.loupes] == [0, 1, 2]


def test_holding_o_shows_the_original(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot
) -> None:
    finish(with_photo, qtbot)
    qtbot.keyPress(with_photo.stage, Qt.Key.Key_O)
    assert [pane.scene.content for pane in results(with_photo)] == [Content.ORIGINAL] * 2
    assert results(with_photo)[1].scene.chips[0].text.startswith("ORIGINAL")
    qtbot.keyRelease(with_photo.stage, Qt.Key.Key_O)
    assert [pane.scene.content for pane in results(with_photo)] == [Content.RESULT] * 2


def test_what_was_enlarged_before_is_named_at_once(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot
) -> None:
    """Back in the comparison its tiles are there: they are not called interpolated."""
    finish(with_photo, qtbot)
    compared, named = with_photo.view.state.results, results(with_photo)[1].scene.result_chips
    comparison.toggle()
    comparison.toggle()
    with_photo.view.state.results = compared
    with_photo.view.apply()
    assert results(with_photo)[1].scene.result_chips == named


def test_without_a_reference_it_says_that_no_figure_exists(
    comparison: ComparisonController,
) -> None:
    assert comparison.header.words.text() == NONE
    assert not any(strip.isVisible() for strip in comparison.strips)


def measured(window: Window, qtbot: QtBot) -> list[str]:
    """What the strips say when all is measured."""
    strips = window.comparison.strips[: len(window.view.state.results)]

    def texts() -> list[str]:
        return [strip.spoken for strip in strips]

    qtbot.waitUntil(
        lambda: all(text.count("dB") == 2 and "…" not in text for text in texts()), timeout=WAIT
    )
    return texts()


def test_the_photograph_itself_is_shrunk_and_measured(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot
) -> None:
    view = with_photo.view
    with_photo.controller.zoom_to(8.0)
    place, opened = view.picture.camera, view.photo
    comparison.reference.use_photo_itself()
    assert comparison.header.words.text() == "The reference is being prepared."
    qtbot.waitUntil(lambda: comparison.reference.truth is not None, timeout=WAIT)
    assert "shrunk to 64 × 64 px" in comparison.header.words.text()
    assert view.picture.image.width == 64
    now = view.picture.camera
    assert (now.x, now.y, now.zoom) == pytest.approx((place.x / 2, place.y / 2, place.zoom * 2))
    assert with_photo.stage.original.scene.chips[0].text.startswith("SHRUNK ×2 64 × 64")
    assert comparison.reference.opened is opened  # what an export would be of
    said = measured(with_photo, qtbot)
    assert said[0] != said[1]
    assert "SSIM 0." in said[0]
    # They are this reference's: of the next one nothing is known before it is measured.
    settings, region = view.picture.results[0].settings, comparison.region
    truth, measuring = comparison.reference.truth, comparison.measuring
    assert truth is not None
    assert measuring.figures(truth, settings, region) is not None
    assert measuring.figures(replace(truth, name="another"), settings, region) is None
    qtbot.keyPress(with_photo.stage, Qt.Key.Key_O)
    assert results(with_photo)[0].scene.result_chips[0].text == "REFERENCE ×2"
    with_photo.controller.tone_red_free()
    qtbot.waitUntil(
        lambda: (
            [chip.text for chip in results(with_photo)[0].scene.result_chips]
            == ["REFERENCE ×2", "RED-FREE"]
        ),
        timeout=WAIT,
    )
    qtbot.keyRelease(with_photo.stage, Qt.Key.Key_O)
    comparison.reference.clear()
    assert view.photo is opened
    assert view.picture.camera == place
    assert not comparison.strips[0].isVisible()


def test_the_test_by_shrinking_follows_the_scale(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot
) -> None:
    comparison.reference.use_photo_itself()
    qtbot.waitUntil(lambda: comparison.reference.truth is not None, timeout=WAIT)
    with_photo.toolbar.scales.button(4).click()
    assert with_photo.view.photo is comparison.reference.opened  # until it is shrunk by 4
    qtbot.waitUntil(lambda: with_photo.view.picture.image.width == 32, timeout=WAIT)
    with_photo.toolbar.scales.button(8).click()
    qtbot.waitUntil(with_photo.banner.isVisible, timeout=WAIT)
    assert "too small to be shrunk 8 times" in with_photo.banner.message.text()
    assert with_photo.view.photo is comparison.reference.opened
    assert comparison.header.words.text() == NONE


def test_figures_of_what_is_in_view(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot
) -> None:
    comparison.reference.use_photo_itself()
    qtbot.waitUntil(lambda: comparison.reference.truth is not None, timeout=WAIT)
    measured(with_photo, qtbot)
    settings, before = with_photo.view.picture.results[0].settings, comparison.region
    with_photo.controller.zoom_to(40.0)
    assert comparison.region != before
    qtbot.waitUntil(
        lambda: (
            comparison.measuring.figures(comparison.reference.truth, settings, comparison.region)
            is not None
        ),
        timeout=WAIT,
    )
    truth = comparison.reference.truth
    assert truth is not None
    corner = replace(comparison.region, x=0, y=0, width=9, height=9)
    assert why_not(truth, corner) == "not in the field of view"


def drop(comparison: ComparisonController, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    place, header = QPoint(300, 10), comparison.header
    QApplication.sendEvent(header, QDragEnterEvent(place, copy, data, left, NO))
    assert "Let go" in header.words.text()
    QApplication.sendEvent(header, QDropEvent(QPointF(place), copy, data, left, NO))


def test_another_photograph_is_refused_as_a_reference(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot, photographs: list[Path]
) -> None:
    drop(comparison, photographs[1])
    qtbot.waitUntil(with_photo.banner.isVisible, timeout=WAIT)
    assert "a reference of this photograph has 256 × 256 (×2)" in with_photo.banner.message.text()
    assert comparison.reference.truth is None
    assert comparison.header.words.text() == NONE


def test_a_larger_photograph_is_the_reference(
    with_photo: Window,
    comparison: ComparisonController,
    qtbot: QtBot,
    photograph: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    larger = photograph.with_name("larger.png")
    _enlarged(photograph, larger)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(larger), ""))
    press(with_photo, qtbot, Qt.Key.Key_R, SHIFT)
    qtbot.waitUntil(lambda: comparison.reference.truth is not None, timeout=WAIT)
    assert "compare with larger.png" in comparison.header.words.text()
    assert with_photo.view.photo is comparison.reference.opened
    assert "PSNR" in measured(with_photo, qtbot)[0]
    with_photo.toolbar.scales.button(4).click()
    assert (
        comparison.header.words.text() == "The reference larger.png is ×2: at ×4 no figure exists."
    )
    assert not comparison.strips[0].isVisible()
    with_photo.toolbar.scales.button(2).click()
    assert comparison.strips[0].isVisible()


def _enlarged(path: Path, larger: Path) -> None:
    from PIL import Image

    with Image.open(path) as image:
        image.resize((256, 256), Image.Resampling.BICUBIC).save(larger)


def test_the_comparison_is_saved_with_labels_and_provenance(
    with_photo: Window,
    comparison: ComparisonController,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finish(with_photo, qtbot)
    path = tmp_path / "both.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(path), ""))
    press(with_photo, qtbot, Qt.Key.Key_E, CTRL | SHIFT)
    qtbot.waitUntil(lambda: "Written" in comparison.header.words.text(), timeout=WAIT)
    page = open_image(path)
    region = comparison.region
    assert page.width > 2 * 2 * region.width
    provenance = read_provenance(path)
    assert provenance is not None
    assert provenance.method == "comparison of bicubic, lanczos"
    assert provenance.compared is not None
    assert [one.method for one in provenance.compared] == ["bicubic", "lanczos"]
    assert sidecar_path(path).exists()


def test_a_measured_comparison_is_saved_with_its_figures(
    with_photo: Window,
    comparison: ComparisonController,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    comparison.reference.use_photo_itself()
    qtbot.waitUntil(lambda: comparison.reference.truth is not None, timeout=WAIT)
    measured(with_photo, qtbot)
    asked, path = [], tmp_path / "measured"

    def ask(parent: object, title: str, suggested: str, kinds: str) -> tuple[str, str]:
        asked.append(suggested)
        return str(path), kinds

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    comparison.header.save.click()
    qtbot.waitUntil(lambda: "Written" in comparison.header.words.text(), timeout=WAIT)
    assert Path(asked[0]).name == "photograph_comparison_x2.png"
    provenance = read_provenance(path.with_name("measured.png"))
    assert provenance is not None
    assert provenance.compared is not None
    assert provenance.reference == "the photograph itself, shrunk"
    assert provenance.region is None
    assert all(set(one.figures or {}) == {"psnr", "ssim", "lpips"} for one in provenance.compared)


def test_zoomed_out_nothing_is_saved(
    with_photo: Window, comparison: ComparisonController, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "retina_viewer.ui.comparison.comparison_controller.is_worthwhile",
        lambda camera, image: False,
    )
    comparison.save()
    assert "zoom in first" in comparison.header.words.text()


def test_a_method_that_fails_leaves_the_other_alone(with_photo: Window, qtbot: QtBot) -> None:
    with_photo.view.choose_device("cuda:99")  # only networks ask for one
    compare(with_photo, "pixel", "bicubic")
    qtbot.waitUntil(with_photo.banner.isVisible, timeout=WAIT)
    first, second = results(with_photo)
    qtbot.waitUntil(lambda: with_photo.view.picture.results[1].sharp >= 1, timeout=WAIT)
    assert first.scene.result_chips[-1].text.startswith("failed")
    assert second.scene.result_chips[0].text == "INTERPOLATED ×2 · Bicubic"


def test_closing_it_ends_its_work(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot
) -> None:
    opened = with_photo.view.photo
    comparison.reference.use_photo_itself()
    qtbot.waitUntil(lambda: comparison.reference.truth is not None, timeout=WAIT)
    comparison.toggle_result("pixel")
    comparison.header.blink.toggle()
    comparison.reference.use_photo_itself()
    comparison.header.close_button.click()
    assert not comparison.header.isVisible()
    assert not [job for job in with_photo.jobs.active if job.key in JOBS]
    assert with_photo.view.photo is opened
    assert methods(with_photo) == ["bicubic"]
    assert shown(with_photo) == [0, 1]
    qtbot.wait(100)
    assert comparison.reference.truth is None


def test_the_window_closes_while_it_computes(
    with_photo: Window, comparison: ComparisonController
) -> None:
    comparison.toggle_result("pixel")
    comparison.reference.use_photo_itself()
    with_photo.close()


def test_another_photograph_meanwhile(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot, photographs: list[Path]
) -> None:
    """The comparison goes on with it; the reference was not for it."""
    comparison.reference.use_photo_itself()
    qtbot.waitUntil(lambda: comparison.reference.truth is not None, timeout=WAIT)
    comparison.reference.use_photo_itself()  # and another one under way
    with qtbot.waitSignal(with_photo.library.opened, timeout=WAIT):
        with_photo.open([photographs[0]])
    assert comparison.is_shown
    assert comparison.reference.opened is with_photo.view.photo
    assert with_photo.view.picture.image.width == 240
    assert comparison.header.words.text() == NONE
    qtbot.wait(200)
    assert comparison.reference.truth is None
    finish(with_photo, qtbot)
    assert shown(with_photo) == [0, 1, 2]


def test_other_methods_are_installed_meanwhile(
    with_photo: Window, comparison: ComparisonController, qtbot: QtBot
) -> None:
    comparison.toggle_result("pixel")
    old = with_photo.view.catalogue
    few = [one for one in METHODS if one.id in ("bicubic", "pixel")]
    with_photo.view.use_catalogue(Catalogue(few, "pixel", old.networks))
    assert methods(with_photo) == ["bicubic", "pixel"]
    assert [one.key for one in comparison.offer.options] == [one.id for one in few]
    assert [pane.isVisible() for pane in with_photo.stage.mains[:4]] == [True, True, True, False]


def test_the_slider_ends_it_and_shows_the_active_result(
    with_photo: Window, comparison: ComparisonController
) -> None:
    with_photo.toolbar.layouts.button("slider").click()
    assert not comparison.header.isVisible()
    assert results(with_photo)[0].scene.content is Content.SPLIT
    with_photo.toolbar.layouts.button("methods").click()
    assert comparison.header.isVisible()
    assert shown(with_photo) == [0, 1, 2]
    comparison.stop()
    assert results(with_photo)[0].scene.content is Content.SPLIT


def test_without_a_photograph_nothing_is_compared(window: Window) -> None:
    window.comparison.toggle()
    assert not window.comparison.is_shown
    assert not window.comparison.header.isVisible()


def test_what_is_remembered_is_the_active_result(
    make: MakeWindow, photograph: Path, qtbot: QtBot
) -> None:
    window = make(pane_layout="slider")
    with qtbot.waitSignal(window.library.opened, timeout=WAIT):
        window.open([photograph])
    comparison = compare(window, "bicubic", "lanczos")
    comparison.swap()
    window.close()
    assert (window.settings.method, window.settings.pane_layout) == ("bicubic", "slider")
