"""The window, end to end, named by what a person does."""

import math
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QSize, Qt, QUrl
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QImage,
    QKeySequence,
    QShortcut,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress
from retina_viewer.imaging.formats import TITLES
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.layer_art import SaliencyStyle, saliency_legend
from retina_viewer.imaging.provenance import Provenance
from retina_viewer.imaging.writers import read_provenance, sidecar_path
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.ui.canvas.scene import LayerName, Source, Tone
from retina_viewer.ui.dialogs.export_dialog import ExportDialog
from retina_viewer.ui.dialogs.report_dialog import KeysDialog
from retina_viewer.ui.keys import KEYS
from retina_viewer.ui.library import Status
from retina_viewer.ui.services import Services, project_services
from retina_viewer.ui.start import remember
from retina_viewer.ui.view.arrange import Arrangement
from retina_viewer.ui.window import Window
from tests.ui.conftest import MakeWindow


def drop(window: Window, paths: list[Path]) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    middle, copy = QPoint(500, 400), Qt.DropAction.CopyAction
    button, modifier = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(middle, copy, data, button, modifier))
    assert window.drop_hint.isVisible()
    QApplication.sendEvent(window, QDropEvent(QPointF(middle), copy, data, button, modifier))
    assert not window.drop_hint.isVisible()


def show(window: Window, qtbot: QtBot, path: Path) -> None:
    window.open([path])
    qtbot.waitUntil(lambda: window.view.photo is not None and window.view.photo.image.path == path)


def finish(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.view.sharp >= 1 and not window.jobs.active, timeout=30_000)


def wheel(window: Window, notches: int, ctrl: bool = False) -> None:
    pane = window.stage.result
    place = QPointF(pane.width() / 2, pane.height() / 2)
    modifier = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        place, pane.mapToGlobal(place), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, modifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(pane, event)


def pixels_of(image: QImage) -> NDArray[np.int_]:
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return rows[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3).astype(int)


def test_drop_a_photograph_and_see_it(window: Window, qtbot: QtBot, photograph: Path) -> None:
    assert window.empty.isVisible()
    drop(window, [photograph])
    qtbot.waitUntil(lambda: window.view.photo is not None)
    assert window.stage.isVisible()
    pane = window.stage.original
    shown = pixels_of(pane.grab().toImage())
    with Image.open(photograph) as image:
        truth = np.asarray(image, int)
    mapping = pane.mapping
    for x, y in ((60, 112), (120, 80), (150, 160)):
        place = mapping.point(x + 0.5, y + 0.5).toPoint()
        assert np.abs(shown[place.y(), place.x()] - truth[y, x]).max() <= 40
    assert pane.scene.chips[0].text == "ORIGINAL 240 × 224, smoothed"
    assert photograph.name in window.windowTitle()


def test_drop_a_folder_and_walk_through_it(
    window: Window, qtbot: QtBot, photographs: list[Path]
) -> None:
    drop(window, [photographs[0].parent])
    qtbot.waitUntil(lambda: window.view.photo is not None)
    assert window.filmstrip.isVisible()
    assert window.library.paths == photographs
    qtbot.waitUntil(lambda: all(window.library.thumbnail(i) for i in range(3)))
    qtbot.keyClick(window, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: _name(window) == photographs[1].name)
    assert window.library.current == 1
    qtbot.keyClick(window, Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: _name(window) == photographs[0].name)


def _name(window: Window) -> str:
    return window.view.photo.image.name if window.view.photo else ""


def test_zoom_in_and_the_tiles_sharpen_centre_first(
    make: MakeWindow,
    qtbot: QtBot,
    photograph: Path,
    slow_services: tuple[Services, threading.Event],
) -> None:
    services, gate = slow_services
    window = make(services, scale=8, loupe_shown=False)
    order: list[float] = []

    def arrived(rect: Rect) -> None:
        camera = window.view.picture.camera
        if rect.width <= 48:  # not the x2 tile that was under way before the zoom
            place = (rect.x + rect.width / 2, rect.y + rect.height / 2)
            order.append(math.dist(place, (camera.x, camera.y)))

    window.view.tiles.tile_ready.connect(arrived)
    show(window, qtbot, photograph)
    wheel(window, 8)
    chips = window.stage.result.scene.result_chips
    assert [chip.source for chip in chips] == [Source.INTERPOLATED, Source.PENDING]
    assert window.stage.result.scene.note == "0 % sharp"
    blurred = pixels_of(window.stage.result.grab().toImage())
    gate.set()
    finish(window, qtbot)
    chips = window.stage.result.scene.result_chips
    assert [chip.text for chip in chips] == ["INTERPOLATED ×8 · Bicubic"]
    assert window.stage.result.scene.note == ""
    in_view = [distance for distance in order if distance < 90]
    assert len(in_view) > 4
    assert in_view == sorted(in_view)
    # The hatching is gone and the pixels come from the tiles.
    assert np.abs(pixels_of(window.stage.result.grab().toImage()) - blurred).max() > 8


def test_zoomed_out_of_a_large_photograph_nothing_is_computed_and_the_chip_says_so(
    make: MakeWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    with Image.open(Path("resources/samples/idrid_53_half.jpg")) as image:
        path = tmp_path / "large.png"
        image.crop((0, 0, 2100, 1400)).save(path)
    window = make()
    window.view.change(loupe_shown=False)
    show(window, qtbot, path)
    assert window.view.picture.camera.zoom < 0.5
    assert window.view.tiles.cache.nbytes == 0
    assert "zoom in for ×4" in [c.text for c in window.stage.result.scene.result_chips]


def test_switch_photographs_while_tiles_are_pending(
    make: MakeWindow,
    qtbot: QtBot,
    photographs: list[Path],
    slow_services: tuple[Services, threading.Event],
) -> None:
    services, gate = slow_services
    window = make(services)
    drop(window, [photographs[0].parent])
    qtbot.waitUntil(lambda: window.view.photo is not None)
    qtbot.waitUntil(lambda: window.view.tiles.is_working)
    first = window.view.photo
    window.library.step(1)
    qtbot.waitUntil(lambda: window.view.photo is not first)
    gate.set()
    finish(window, qtbot)
    second = window.view.photo
    assert second is not None
    recipe = window.stage.result.scene.request
    assert recipe is not None
    assert recipe.photo == second.key
    assert {key.request.photo for key in window.view.tiles.cache._tiles} <= {
        first.key if first else "",
        second.key,
    }
    assert window.view.sharp == 1


def broken_file(tmp_path: Path, photograph: Path) -> Path:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photograph.read_bytes()[:100])
    return broken


def test_a_broken_file_without_a_photograph_open_says_what_is_wrong(
    window: Window, qtbot: QtBot, photograph: Path, tmp_path: Path
) -> None:
    drop(window, [broken_file(tmp_path, photograph)])
    qtbot.waitUntil(window.banner.isVisible)
    assert "broken.jpg" in window.banner.message.text()
    assert window.view.photo is None
    assert window.empty.isVisible()
    words = [label.text() for label in window.empty.findChildren(QLabel)]
    assert f"{TITLES}. Nothing leaves this computer." in words


def test_drop_a_broken_file_and_keep_the_photograph_its_place_and_its_result(
    window: Window, qtbot: QtBot, photograph: Path, tmp_path: Path
) -> None:
    show(window, qtbot, photograph)
    wheel(window, 4)
    finish(window, qtbot)
    photo, view, title = window.view.photo, window.view.picture, window.windowTitle()
    drop(window, [broken_file(tmp_path, photograph)])
    qtbot.waitUntil(window.banner.isVisible)
    assert "broken.jpg" in window.banner.message.text()
    assert window.library.status(1) is Status.FAILED
    assert window.view.photo is photo
    # The message takes a line of the panes' height; place and zoom are the same.
    assert window.view.picture.camera == view.camera
    assert window.view.sharp == 1
    assert (window.windowTitle(), window.library.current) == (title, 0)
    assert window.stage.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.banner.isVisible()
    assert window.view.photo is photo


def test_drop_an_empty_folder_and_keep_the_photograph(
    window: Window, qtbot: QtBot, photograph: Path, tmp_path: Path
) -> None:
    show(window, qtbot, photograph)
    photo = window.view.photo
    empty = tmp_path / "empty"
    empty.mkdir()
    drop(window, [empty])
    qtbot.waitUntil(window.banner.isVisible)
    assert "empty" in window.banner.message.text()
    assert window.view.photo is photo
    assert window.library.paths == [photograph]
    assert window.stage.isVisible()


def test_drop_a_folder_in_which_nothing_opens_and_keep_the_strip(
    window: Window, qtbot: QtBot, photograph: Path, tmp_path: Path
) -> None:
    show(window, qtbot, photograph)
    photo, folder = window.view.photo, tmp_path / "damaged"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.png").write_bytes(photograph.read_bytes()[:100])
    drop(window, [folder])
    qtbot.waitUntil(window.banner.isVisible)
    assert "2 files could not be opened" in window.banner.message.text()
    assert window.view.photo is photo
    assert (window.library.paths, window.library.current) == ([photograph], 0)


def test_a_folder_whose_first_file_is_broken_opens_the_next_and_says_so(
    window: Window, qtbot: QtBot, photographs: list[Path]
) -> None:
    photographs[0].write_bytes(photographs[0].read_bytes()[:100])
    drop(window, [photographs[0].parent])
    qtbot.waitUntil(window.banner.isVisible)
    assert _name(window) == photographs[1].name
    assert photographs[0].name in window.banner.message.text()
    assert window.library.current == 1


def test_step_over_a_photograph_that_cannot_be_opened(
    window: Window, qtbot: QtBot, photographs: list[Path]
) -> None:
    photographs[1].write_bytes(photographs[1].read_bytes()[:100])
    drop(window, [photographs[0].parent])
    qtbot.waitUntil(lambda: _name(window) == photographs[0].name)
    qtbot.keyClick(window, Qt.Key.Key_PageDown)
    qtbot.waitUntil(window.banner.isVisible)
    assert (_name(window), window.library.current) == (photographs[0].name, 0)
    qtbot.keyClick(window, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: _name(window) == photographs[2].name)
    assert not window.banner.isVisible()


def test_a_replaced_file_opened_again_is_read_again(
    window: Window, qtbot: QtBot, photographs: list[Path]
) -> None:
    show(window, qtbot, photographs[0])
    first = window.view.photo
    photographs[0].write_bytes(photographs[1].read_bytes())
    window.open([photographs[0]])
    qtbot.waitUntil(lambda: window.view.photo is not first)
    assert window.view.photo is not None
    assert window.view.photo.image.width == 248


def _services_that_open(**changes: object) -> Services:
    """The program's, where every photograph has these values."""
    services = project_services()

    def open_image(path: Path, page: int) -> FundusImage:
        return replace(services.open_image(path, 0), page=page, **changes)  # type: ignore[arg-type]

    return replace(services, open_image=open_image)


ENLARGED = Provenance(
    kind="super-resolution", method="saliency-gan", model="saliency-gan-fast", scale=4,
    device="CPU", source_name="a.png", source_sha256="", source_width=60, source_height=56,
)  # fmt: skip


def test_an_enlargement_is_enlarged_again_only_after_a_yes(
    make: MakeWindow, qtbot: QtBot, photograph: Path
) -> None:
    window = make(_services_that_open(made_by=ENLARGED))
    show(window, qtbot, photograph)
    wheel(window, 4)
    qtbot.wait(50)
    assert window.stage.original.scene.chips[0].text.startswith("AI-ENLARGED ×4")
    assert window.stage.original.scene.chips[0].source is Source.NETWORK
    assert not window.view.tiles.is_working
    assert window.view.request is None
    # Neither export nor comparison goes around the question.
    for ask in (window.export, window.comparison.toggle):
        window.banner.hide()
        ask()
        assert "enlarged by this program already" in window.banner.message.text()
    assert not window.comparison.is_shown
    window.banner._action.click()  # "Enlarge again"
    finish(window, qtbot)
    texts = [chip.text for chip in window.stage.result.scene.result_chips]
    assert texts == ["INTERPOLATED ×4 · Bicubic", "OF AI-ENLARGED ×4"]
    values = window.inspector.information._values
    assert "This is no photograph: Retina Viewer made it" in values["Remarks"].text()
    assert "saliency-gan (saliency-gan-fast), ×4, from a.png" in values["Made by"].text()


def test_choose_another_picture_of_the_same_file(
    make: MakeWindow, qtbot: QtBot, photograph: Path
) -> None:
    window = make(_services_that_open(pages=3))
    show(window, qtbot, photograph)
    assert window.stage.original.scene.remark == "This is picture 1 of 3 in the file."
    first = window.view.photo
    window.inspector.information._page.setValue(3)
    qtbot.waitUntil(lambda: window.view.photo is not first)
    assert window.view.photo is not None
    assert window.view.photo.image.page == 2
    assert first is not None
    assert window.view.photo.key != first.key
    assert window.stage.original.scene.remark == "This is picture 3 of 3 in the file."


def test_a_damaged_file_is_said_in_the_pane_and_in_the_log(
    make: MakeWindow, qtbot: QtBot, photograph: Path, caplog: pytest.LogCaptureFixture
) -> None:
    window = make(_services_that_open(damage="a part of the picture is missing"))
    show(window, qtbot, photograph)
    scene = window.stage.original.scene
    assert "DAMAGED FILE" in [chip.text for chip in scene.chips]
    assert scene.remark == "This file is damaged: a part of the picture is missing."
    said = [record.getMessage() for record in caplog.records]
    assert said == ["the file of a photograph is damaged: a part of the picture is missing"]
    window.close()


def test_a_black_picture_gets_a_gentle_word_and_no_block(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "black.png"
    Image.new("RGB", (200, 160)).save(path)
    show(window, qtbot, path)
    qtbot.waitUntil(lambda: bool(window.stage.original.scene.remark))
    assert "black" in window.stage.original.scene.remark
    assert not window.banner.isVisible()
    finish(window, qtbot)


def test_the_waiting_time_is_said_and_never_of_something_else(
    make: MakeWindow,
    qtbot: QtBot,
    photographs: list[Path],
    slow_services: tuple[Services, threading.Event],
) -> None:
    services, gate = slow_services
    window = make(services)
    said = window.statusbar.time.text

    def wait() -> None:
        gate.set()
        qtbot.waitUntil(lambda: said().startswith("waited "), timeout=20_000)
        finish(window, qtbot)
        gate.clear()

    drop(window, [photographs[0].parent])
    qtbot.waitUntil(lambda: window.view.photo is not None)
    wait()
    for change in (
        lambda: window.view.change(scale=8),
        lambda: window.controller.set_method("lanczos"),
    ):
        change()
        assert said() == ""
        assert "waited" not in window.inspector.enhance._sharp.text()
        wait()
    assert "finished, waited " in window.inspector.enhance._sharp.text()
    window.library.step(1)
    qtbot.waitUntil(lambda: _name(window) == photographs[1].name)
    assert said() == ""
    # From the key, not from when the file was read.
    qtbot.wait(300)
    wait()
    assert float(said().split()[1]) >= 0.3


def test_a_file_that_was_replaced_is_read_anew_and_so_is_its_thumbnail(
    window: Window, qtbot: QtBot, photographs: list[Path]
) -> None:
    drop(window, [photographs[0].parent])
    qtbot.waitUntil(lambda: window.view.photo is not None)
    qtbot.waitUntil(lambda: all(window.library.thumbnail(i) for i in range(3)))
    before = window.library.thumbnail(0)
    shutil.copy(photographs[1], photographs[0])
    window.open([photographs[0]])
    qtbot.waitUntil(lambda: window.library.thumbnail(0) not in (None, before))
    assert window.view.photo is not None
    assert window.view.photo.bounds.width == 248
    assert window.stage.original.scene.bounds == window.view.photo.bounds


def test_on_a_finer_screen_the_panes_are_larger(
    window: Window, qtbot: QtBot, photograph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(window, qtbot, photograph)
    zoom = window.view.picture.camera.zoom
    monkeypatch.setattr(window.stage, "devicePixelRatioF", lambda: 2.0)
    QApplication.sendEvent(window.stage, QEvent(QEvent.Type.DevicePixelRatioChange))
    assert window.view.picture.camera.zoom == pytest.approx(2 * zoom)
    assert window.stage.result.scene.camera.zoom == pytest.approx(2 * zoom)


def test_arrows_pan_and_keys_zoom(window: Window, qtbot: QtBot, photograph: Path) -> None:
    show(window, qtbot, photograph)
    qtbot.keyClick(window, Qt.Key.Key_1)
    assert window.view.picture.camera.zoom == 1
    qtbot.keyClick(window, Qt.Key.Key_Plus)
    assert window.view.picture.camera.zoom == pytest.approx(1.44)
    x, y = window.view.picture.camera.x, window.view.picture.camera.y
    qtbot.keyClick(window.stage, Qt.Key.Key_Right)
    qtbot.keyClick(window.stage, Qt.Key.Key_Up)
    assert window.view.picture.camera.x > x
    assert window.view.picture.camera.y < y
    qtbot.keyClick(window, Qt.Key.Key_F)
    assert window.view.picture.fit
    assert window.view.picture.is_whole
    arrangements = [window.view.picture.arrangement]
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_C)
        arrangements.append(window.view.picture.arrangement)
    assert arrangements == [Arrangement.AUTO, Arrangement.SLIDER, Arrangement.AUTO]
    qtbot.keyClick(window, Qt.Key.Key_F1)
    (dialog,) = window.findChildren(KeysDialog)
    dialog.accept()


def test_hold_o_to_see_the_original(window: Window, qtbot: QtBot, photograph: Path) -> None:
    show(window, qtbot, photograph)
    finish(window, qtbot)
    qtbot.keyPress(window, Qt.Key.Key_O)
    assert window.stage.result.scene.chips == window.stage.original.scene.chips
    qtbot.keyRelease(window, Qt.Key.Key_O)
    assert window.stage.result.scene.result_chips[0].text == "INTERPOLATED ×4 · Bicubic"


def test_turn_on_saliency_fade_it_and_hide_it_for_a_moment(
    window: Window, qtbot: QtBot, photograph: Path
) -> None:
    show(window, qtbot, photograph)
    finish(window, qtbot)
    plain = pixels_of(window.stage.result.grab().toImage())
    qtbot.keyClick(window, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: layer_names(window) == [LayerName.SALIENCY])
    strong = pixels_of(window.stage.result.grab().toImage())
    assert np.abs(strong - plain).max() > 50
    wheel(window, -8, ctrl=True)
    faint = pixels_of(window.stage.result.grab().toImage())
    middle = np.s_[200:600, 50:250]
    assert 0 < np.abs(faint - plain)[middle].mean() < np.abs(strong - plain)[middle].mean()
    qtbot.keyPress(window, Qt.Key.Key_Space)
    assert layer_names(window) == []
    qtbot.keyRelease(window, Qt.Key.Key_Space)
    assert layer_names(window) == [LayerName.SALIENCY]
    # The original stays the photograph.
    assert window.stage.original.scene.layers == ()


def test_saliency_as_contours_is_remembered(
    make: MakeWindow, qtbot: QtBot, photograph: Path
) -> None:
    window = make()
    show(window, qtbot, photograph)
    window.controller.toggle_saliency()
    panel = window.inspector.layers
    panel._styles.setCurrentIndex(1)
    panel._styles.activated.emit(1)
    qtbot.waitUntil(lambda: isinstance(window.view.layers.current.saliency_art, tuple))
    finish(window, qtbot)
    (layer,) = window.stage.result.scene.layers
    assert isinstance(layer.art, tuple)
    assert layer.legend == saliency_legend("inferno", SaliencyStyle.CONTOURS)
    remember(window.settings, window.view)
    again = make(None, layers=window.settings.layers)
    assert again.view.state.saliency_style is SaliencyStyle.CONTOURS
    assert again.inspector.layers._styles.currentText() == "Contours"


def layer_names(window: Window) -> list[LayerName]:
    return [layer.name for layer in window.stage.result.scene.layers]


class _Found:
    """What the window needs of a vessel map."""

    def __init__(self, image: FundusImage) -> None:
        green = image.display_rgb[..., 1].astype(float)
        self.mask = green < np.percentile(green[green > 20], 20)
        self.probability = self.mask.astype(np.float32)
        self.share = float(self.mask[image.field_of_view.mask].mean())
        self.threshold, self.model, self.device = 0.5, "test", "cpu"


def test_turn_on_vessels(make: MakeWindow, qtbot: QtBot, photograph: Path) -> None:
    calls: list[str] = []

    def vessels(image: FundusImage, model: str | None, device: str, progress: Progress) -> _Found:
        progress(0.5, "looking")
        calls.append(device)
        return _Found(image)

    window = make(replace(project_services(), vessels=vessels))  # type: ignore[arg-type]
    show(window, qtbot, photograph)
    qtbot.keyClick(window, Qt.Key.Key_V)
    qtbot.waitUntil(lambda: layer_names(window) == [LayerName.VESSELS])
    finish(window, qtbot)
    for zoom in (0.6, 4.0):  # the picture of lines, and the lines themselves
        window.controller.zoom_to(zoom)
        finish(window, qtbot)
        shown = pixels_of(window.stage.result.grab().toImage())
        below_the_legend = shown[100:]
        cyan = below_the_legend[..., 2] - below_the_legend[..., 0] > 20
        assert cyan.sum() > 100
    qtbot.keyClick(window, Qt.Key.Key_V)
    qtbot.keyClick(window, Qt.Key.Key_V)
    assert calls == ["auto"]  # kept, not computed again


def test_a_layer_that_fails_says_why_and_is_off_again(
    make: MakeWindow, qtbot: QtBot, photograph: Path
) -> None:
    def vessels(image: FundusImage, model: str | None, device: str, progress: Progress) -> None:
        raise UserError("There is no vessel model.", "Install one.")

    window = make(replace(project_services(), vessels=vessels))  # type: ignore[arg-type]
    show(window, qtbot, photograph)
    window.controller.toggle_vessels()
    qtbot.waitUntil(window.banner.isVisible)
    assert window.banner.message.text() == "There is no vessel model."
    assert window.banner.hint.text() == "Install one."
    assert not window.view.state.vessels.on


def test_a_method_that_fails_leaves_the_photograph_interpolated_and_says_so(
    make: MakeWindow, qtbot: QtBot, photograph: Path
) -> None:
    def make_enhancer(settings: EnhanceSettings) -> None:
        raise UserError("The model is missing.", "Choose another method.")

    window = make(replace(project_services(), make_enhancer=make_enhancer))  # type: ignore[arg-type]
    show(window, qtbot, photograph)
    qtbot.waitUntil(window.banner.isVisible)
    texts = [chip.text for chip in window.stage.result.scene.result_chips]
    assert texts == ["INTERPOLATED", "failed: ×4"]
    assert not window.view.tiles.is_working


def test_an_unexpected_error_opens_the_one_dialog_with_a_report(
    make: MakeWindow, qtbot: QtBot, photograph: Path
) -> None:
    def saliency(image: FundusImage, progress: Progress) -> None:
        raise ZeroDivisionError(f"dividing {photograph}")

    window = make(replace(project_services(), saliency=saliency))  # type: ignore[arg-type]
    show(window, qtbot, photograph)
    window.controller.toggle_saliency()
    qtbot.waitUntil(lambda: window.problems.dialog is not None)
    dialog = window.problems.dialog
    assert dialog is not None
    report = dialog.text.toPlainText()
    assert "ZeroDivisionError" in report
    assert photograph.stem not in report
    dialog.copy.click()
    assert QApplication.clipboard().text() == report
    dialog.accept()


def test_cancel_stops_the_work_and_go_on_resumes_it(
    make: MakeWindow,
    qtbot: QtBot,
    photograph: Path,
    slow_services: tuple[Services, threading.Event],
) -> None:
    services, gate = slow_services
    window = make(services)
    show(window, qtbot, photograph)
    qtbot.waitUntil(lambda: window.view.tiles.is_working)
    qtbot.waitUntil(window.statusbar.cancel.isVisible)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.view.tiles.is_working
    gate.set()
    qtbot.waitUntil(lambda: not window.statusbar.cancel.isVisible())
    assert window.view.sharp == 0
    window.view.retry()
    finish(window, qtbot)
    assert window.view.sharp == 1


@pytest.mark.parametrize("tone", list(Tone))
def test_tones_reach_both_sides(window: Window, qtbot: QtBot, photograph: Path, tone: Tone) -> None:
    show(window, qtbot, photograph)
    window.view.change(tone=tone)
    finish(window, qtbot)
    panes = (window.stage.original, window.stage.result)
    original, result = (pixels_of(pane.grab().toImage()) for pane in panes)
    middle = np.s_[250:500, 100:300]
    assert np.abs(original[middle] - result[middle]).mean() < 6
    if tone is Tone.RED_FREE:
        assert np.ptp(result[middle], axis=-1).max() == 0


def test_drag_the_slider(window: Window, qtbot: QtBot, photograph: Path) -> None:
    show(window, qtbot, photograph)
    window.view.change(arrangement=Arrangement.SLIDER)
    finish(window, qtbot)
    pane = window.stage.result
    qtbot.mousePress(pane, Qt.MouseButton.LeftButton, pos=QPoint(pane.width() // 2, 60))
    qtbot.mouseMove(pane, QPoint(pane.width() // 4, 60))
    qtbot.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=QPoint(pane.width() // 4, 60))
    assert window.view.state.divider == pytest.approx(0.25, abs=0.01)
    assert [chip.text for chip in pane.scene.chips] == ["ORIGINAL 240 × 224, smoothed"]
    assert [chip.text for chip in pane.scene.result_chips] == ["INTERPOLATED ×4 · Bicubic"]


def test_the_loupe_follows_the_cursor_and_a_click_holds_it(
    window: Window, qtbot: QtBot, photograph: Path
) -> None:
    show(window, qtbot, photograph)
    pane = window.stage.original
    qtbot.mouseMove(pane, QPoint(200, 300))
    x, y = pane.mapping.source(200, 300)
    loupe = window.stage.loupe_result.scene.camera
    assert (loupe.x, loupe.y) == pytest.approx((x, y), abs=0.01)
    assert window.stage.loupe_original.scene.camera == loupe
    qtbot.mouseClick(pane, Qt.MouseButton.LeftButton, pos=QPoint(200, 300))
    qtbot.mouseMove(pane, QPoint(100, 350))
    assert window.stage.loupe_result.scene.camera == loupe
    assert "px" in window.statusbar.position.text()
    assert window.statusbar.colour.text().startswith("RGB")


def test_the_colour_is_of_what_lies_under_a_cursor_that_stands_still(
    window: Window, qtbot: QtBot, photographs: list[Path]
) -> None:
    drop(window, [photographs[0].parent])
    qtbot.waitUntil(lambda: window.view.photo is not None)
    pane = window.stage.original
    qtbot.mouseMove(pane, QPoint(150, 300))
    said = {(window.statusbar.position.text(), window.statusbar.colour.text())}
    for command in (lambda: window.library.step(1), window.controller.zoom_in):
        command()
        qtbot.waitUntil(lambda: not window.jobs.is_active("open"))
        x, y = pane.mapping.source(150, 300)
        photo = window.view.photo
        assert photo is not None
        rgb = photo.colour_at(x, y)
        assert rgb is not None
        assert window.statusbar.colour.text() == "RGB {} {} {}".format(*rgb)
        said.add((window.statusbar.position.text(), window.statusbar.colour.text()))
    assert len(said) == 3


def test_measure_a_distance_in_source_pixels(
    window: Window, qtbot: QtBot, photograph: Path
) -> None:
    show(window, qtbot, photograph)
    qtbot.keyClick(window, Qt.Key.Key_M)
    pane = window.stage.original
    start, end = QPoint(150, 300), QPoint(250, 300)
    qtbot.mousePress(pane, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(pane, end)
    qtbot.mouseRelease(pane, Qt.MouseButton.LeftButton, pos=end)
    ruler = window.view.picture.ruler
    assert ruler is not None
    assert ruler[2] - ruler[0] == pytest.approx(100 / pane.scene.camera.zoom)
    assert window.stage.result.scene.ruler == ruler
    assert not window.statusbar.distance.isVisible()  # the file states no pixel size


def test_see_green_along_the_ruler(window: Window, qtbot: QtBot, photograph: Path) -> None:
    show(window, qtbot, photograph)
    window.controller.toggle_measure()
    window.view.change(ruler=(60.0, 112.5, 180.0, 112.5))
    panel = window.inspector.measure
    qtbot.waitUntil(lambda: panel.plot is not None, timeout=20_000)
    finish(window, qtbot)
    assert panel.plot is not None
    assert panel.plot.isVisible()
    distance, original = panel.plot.original.getData()
    _, result = panel.plot.result.getData()
    with Image.open(photograph) as image:
        green = np.asarray(image)[112, :, 1].astype(float)
    expected = np.interp(60.0 + distance, np.arange(green.size) + 0.5, green)
    assert original == pytest.approx(expected, abs=0.01)
    assert 0.1 < np.abs(result - original).mean() < 10  # the same place, another picture
    axes = [panel.plot.plot.getAxis(side).labelText for side in ("left", "bottom")]
    assert axes == ["green, 0 to 255", "distance (px)"]
    window.view.change(ruler=None)
    assert not panel.plot.isVisible()


def test_a_known_pixel_size_gives_nominal_millimetres(
    make: MakeWindow, qtbot: QtBot, photograph: Path
) -> None:
    services = project_services()

    def open_image(path: Path, page: int) -> FundusImage:
        return replace(services.open_image(path, page), um_per_px=40.0)

    window = make(replace(services, open_image=open_image))
    show(window, qtbot, photograph)
    slot = window.statusbar.distance
    assert slot.isVisible()
    field = window.view.picture.field
    assert slot.text() == f"view {field.width * 0.04:.2f} mm nominal"
    assert field.width < 240
    window.view.change(ruler=(10.0, 10.0, 40.0, 50.0))
    assert slot.text() == "ruler 2.00 mm nominal"


def test_icons_come_after_the_first_paint_and_follow_the_theme(
    window: Window, qtbot: QtBot
) -> None:
    buttons = [window.toolbar.export_button, window.banner._close]
    qtbot.waitUntil(lambda: not buttons[0].icon().isNull(), timeout=20_000)
    dark: list[float] = []
    light: list[float] = []
    for theme, seen in (("dark", dark), ("light", light)):
        window.inspector.view_panel.theme_chosen.emit(theme)
        for button in buttons:
            ink = button.icon().pixmap(QSize(18, 18), 2.0).toImage()
            assert ink.width() == 36
            assert button.text() or button.accessibleName()
            rgba = ink.convertToFormat(QImage.Format.Format_RGBA8888)
            values = np.frombuffer(rgba.constBits(), np.uint8).reshape(36, -1, 4)
            seen.append(float(values[values[..., 3] > 250][:, :3].mean()))
    window.inspector.view_panel.theme_chosen.emit("dark")
    assert min(dark) > 200
    assert max(light) < 60


def test_export_and_find_the_sidecar(
    window: Window, qtbot: QtBot, photograph: Path, tmp_path: Path
) -> None:
    show(window, qtbot, photograph)
    finish(window, qtbot)
    folder = tmp_path / "out"
    folder.mkdir()
    for expected in ("0_chase_14L_SRx4_bicubic.png", "0_chase_14L_SRx4_bicubic (2).png"):
        window.export()
        dialog = window.findChildren(ExportDialog)[-1]
        dialog.folder.setText(str(folder))
        qtbot.waitUntil(dialog.save.isEnabled)
        assert dialog.names.text() == expected  # shown before anything is written
        dialog.save.click()
        qtbot.waitUntil(dialog.outcome.isVisible, timeout=20_000)
        dialog.reject()
        path = folder / expected
        with Image.open(path) as image:
            assert image.size == (960, 896)
        provenance = read_provenance(path)
        assert provenance is not None
        assert provenance.method == "bicubic"
        assert sidecar_path(path).exists()
    assert window.settings.export_folder == folder


def test_cancel_an_export_and_nothing_is_left(
    make: MakeWindow,
    qtbot: QtBot,
    photograph: Path,
    tmp_path: Path,
    slow_services: tuple[Services, threading.Event],
) -> None:
    services, gate = slow_services
    window = make(services)
    show(window, qtbot, photograph)
    folder = tmp_path / "out"
    folder.mkdir()
    window.export()
    dialog = window.findChildren(ExportDialog)[-1]
    dialog.folder.setText(str(folder))
    qtbot.waitUntil(dialog.save.isEnabled)
    dialog.save.click()
    dialog.close_button.click()
    gate.set()
    assert "Cancelled" in dialog.outcome.text()
    dialog.reject()
    finish(window, qtbot)
    qtbot.waitUntil(lambda: not any(folder.iterdir()))  # the worker notices when it can


def test_open_a_sample_and_change_the_theme(window: Window, qtbot: QtBot) -> None:
    window.empty.sample_clicked.emit()
    qtbot.waitUntil(lambda: window.view.photo is not None)
    names = [path.name for path in window.library.paths]
    assert len(names) >= 2
    assert not [name for name in names if name.endswith(("_fov.png", "_vessels.png", "_ma.png"))]
    assert window.settings.recent_files == []
    dark = pixels_of(window.grab().toImage())[:20].mean()
    window.inspector.view_panel.theme_chosen.emit("light")
    light = pixels_of(window.grab().toImage())[:20].mean()
    window.inspector.view_panel.theme_chosen.emit("dark")
    assert light > dark + 100


def test_every_key_of_the_list_does_something(window: Window) -> None:
    shortcuts = {one.key().toString(): one for one in window.findChildren(QShortcut)}
    wanted = {
        QKeySequence(sequence).toString()
        for _, keys in KEYS
        for key in keys
        for sequence in key.keys
    }
    assert set(shortcuts) == wanted


def test_settings_survive_the_window(make: MakeWindow, qtbot: QtBot, photograph: Path) -> None:
    window = make()
    show(window, qtbot, photograph)
    window.view.change(arrangement=Arrangement.SLIDER)
    window.view.change(scale=8)
    window.controller.set_opacity(LayerName.SALIENCY, 0.25)
    window.close()
    settings = window.settings
    assert settings.recent_files == [photograph]
    again = make(**settings.model_dump())
    assert again.view.state.arrangement is Arrangement.SLIDER
    assert again.view.state.scale == 8
    assert again.view.state.saliency.opacity == 0.25
    again.open_menu.aboutToShow.emit()
    assert photograph.name in [action.text() for action in again.open_menu.actions()]
