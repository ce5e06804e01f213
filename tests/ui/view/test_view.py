"""The view in the window: how large the retina is shown, what drags, what is hidden and kept."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from retina_viewer.ui.catalogue import ResultChoice
from retina_viewer.ui.view.stage import Grip
from retina_viewer.ui.window import Window
from tests.ui.conftest import SAMPLES, MakeWindow
from tests.ui.test_window import drop, finish, show

SIZE = (1600, 1000)
CAMERAS = {  # sizes of a frame, and the diameter and centre of its field of view
    "HRF": ((3504, 2336), 3270, (1752, 1168)),
    "CHASE": ((999, 960), 930, (500, 480)),
    "DRIVE": ((565, 584), 538, (282, 292)),
    "IDRiD": ((4288, 2848), 3440, (2140, 1424)),
}


def field_side(window: Window) -> float:
    """The larger side of the field of view in the smallest main pane, in logical pixels."""
    photo, picture = window.view.photo, window.view.picture
    assert photo is not None
    mask = photo.image.field_of_view.mask
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    sides = []
    for cell in picture.cells:
        pane = window.stage.mains[cell.place]
        assert pane.isVisible()
        corners = [
            pane.mapping.point(float(columns[at]), float(rows[at])) / picture_ratio(window)
            for at in (0, -1)
        ]
        assert min(corners[0].x(), corners[0].y()) >= -1
        assert corners[1].x() <= pane.width() + 1
        assert corners[1].y() <= pane.height() + 1
        sides.append(max(corners[1].x() - corners[0].x(), corners[1].y() - corners[0].y()))
    return min(sides)


def picture_ratio(window: Window) -> float:
    return window.view.data.ratio


def synthetic(folder: Path, name: str) -> Path:
    """A photograph of a camera's size: a field with vessels as lines."""
    (width, height), diameter, (x, y) = CAMERAS[name]
    with Image.open(SAMPLES / "fives_28_A.png") as image:
        retina = image.convert("RGB").crop((60, 60, image.width - 60, image.height - 60))
        pixels = np.asarray(retina.resize((width, height)))
    across, down = np.arange(width) - x, np.arange(height) - y
    inside = np.hypot(across[None], down[:, None]) < diameter / 2
    path = folder / f"{name}.jpg"
    Image.fromarray(np.where(inside[..., None], pixels, 0).astype(np.uint8)).save(path)
    return path


@pytest.mark.parametrize("kind", ["samples", "cameras"])
def test_the_field_of_view_is_shown_large_in_both_panes(
    make: MakeWindow, qtbot: QtBot, tmp_path: Path, kind: str
) -> None:
    names = ("chase_14L.jpg", "fives_28_A.png", "hrf_08_h.jpg", "idrid_53_half.jpg")
    paths = [SAMPLES / name for name in names]
    if kind == "cameras":
        paths = [synthetic(tmp_path, name) for name in CAMERAS]
    window = make()
    window.resize(*SIZE)
    for path in paths:
        window.library.show_only([path])
        qtbot.waitUntil(lambda path=path: _path(window) == path, timeout=20_000)  # type: ignore[misc]
        qtbot.waitUntil(lambda: not window.filmstrip.isVisible())
        assert window.inspector.isVisible()
        assert field_side(window) >= 600, path.name
        assert window.view.picture.loupe_shown
    window.library.show_only(paths)
    qtbot.waitUntil(window.filmstrip.isVisible)
    for path in paths:
        window.library.select(paths.index(path))
        qtbot.waitUntil(lambda path=path: _path(window) == path, timeout=20_000)  # type: ignore[misc]
        assert field_side(window) >= 540, path.name


def _path(window: Window) -> Path | None:
    return window.view.photo.image.path if window.view.photo else None


def test_inspector_and_filmstrip_hide_with_a_key_and_stay_hidden(
    make: MakeWindow, qtbot: QtBot, photographs: list[Path]
) -> None:
    window = make()
    drop(window, [photographs[0].parent])
    qtbot.waitUntil(lambda: window.view.photo is not None)
    width = window.stage.width()
    for key in (Qt.Key.Key_F9, Qt.Key.Key_F8):
        qtbot.keyClick(window, key)
    assert not window.inspector.isVisible()
    assert not window.filmstrip.isVisible()
    qtbot.waitUntil(lambda: window.stage.width() >= width + 400)
    window.close()
    again = make(**window.settings.model_dump())
    drop(again, [photographs[0].parent])
    qtbot.waitUntil(lambda: again.view.photo is not None)
    assert not again.inspector.isVisible()
    assert not again.filmstrip.isVisible()
    qtbot.keyClick(again, Qt.Key.Key_I)  # which lies in the inspector
    assert again.inspector.isVisible()
    qtbot.keyClick(again, Qt.Key.Key_F8)
    assert again.filmstrip.isVisible()


def test_drag_the_line_between_two_panes_and_make_it_automatic_again(
    window: Window, qtbot: QtBot, photograph: Path
) -> None:
    show(window, qtbot, photograph)
    before = [cell.rect for cell in window.view.picture.cells]
    grips = [grip for grip in window.stage.findChildren(Grip) if grip.isVisible()]
    grip = next(grip for grip in grips if grip.cursor().shape() is Qt.CursorShape.SplitHCursor)
    middle = QPoint(grip.width() // 2, grip.height() // 2)
    QTest.mousePress(grip, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    QTest.mouseMove(grip, middle + QPoint(-120, 0))
    QTest.mouseRelease(grip, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    first, second = window.view.picture.cells
    assert first.rect.width == pytest.approx(before[0].width - 120, abs=6)
    assert window.stage.original.width() == first.rect.width
    assert first.scene.camera == second.scene.camera
    QTest.mouseDClick(grip, Qt.MouseButton.LeftButton)
    assert [cell.rect for cell in window.view.picture.cells] == before


def test_the_loupe_opens_on_what_has_contrast_and_goes_where_it_would_repeat(
    make: MakeWindow, qtbot: QtBot
) -> None:
    window = make()
    show(window, qtbot, SAMPLES / "hrf_08_h.jpg")
    qtbot.waitUntil(lambda: window.view.data.salient is not None, timeout=20_000)
    photo, loupe = window.view.photo, window.view.picture.loupe
    assert photo is not None
    around = photo.image.display_rgb[int(loupe.y) - 20 :, int(loupe.x) - 20 :][:40, :40, 1]
    assert np.ptp(around.astype(int)) > 40  # not flat
    assert window.stage.loupe_original.scene.camera == loupe
    window.controller.zoom_to(7.0)
    pane = window.stage.original
    place = (pane.width() // 2 + 40, pane.height() // 2 + 60)
    before = pane.mapping.source(*place)
    pane.wheeled.emit(2.0, *map(float, place), False)
    assert not window.stage.loupe_original.isVisible()
    assert pane.mapping.source(*place) == pytest.approx(before, abs=0.01)
    window.controller.fit()
    assert window.stage.loupe_result.isVisible()
    assert window.stage.loupe_result.scene.original is not None


def test_several_results_share_place_layers_tone_and_loupe(
    window: Window, qtbot: QtBot, photograph: Path
) -> None:
    show(window, qtbot, photograph)
    window.view.state.results = tuple(map(ResultChoice, ("bicubic", "lanczos", "linear")))
    window.controller.toggle_saliency()
    window.controller.tone_red_free()
    finish(window, qtbot)
    cells = window.view.picture.cells
    assert [cell.place for cell in cells] == [0, 1, 2, 3]
    assert len({cell.scene.camera for cell in cells}) == 1
    for cell in cells[1:]:
        assert [layer.name.value for layer in cell.scene.layers] == ["saliency"]
        assert cell.scene.result_chips[-1].text == "RED-FREE"
    titles = [cell.scene.result_chips[0].text.split(" · ")[1] for cell in cells[1:]]
    assert titles[:2] == ["Bicubic", "Lanczos"]
    qtbot.keyPress(window, Qt.Key.Key_O)
    assert {cell.scene.chips for cell in window.view.picture.cells} == {cells[0].scene.chips}
    qtbot.keyRelease(window, Qt.Key.Key_O)
    # A click chooses what the panels are for.
    pane = window.stage.mains[2]
    qtbot.mouseClick(pane, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    assert window.view.method.id == "lanczos"
    assert window.toolbar.method.method == "lanczos"
    window.controller.set_method("bicubic")
    assert [one.method for one in window.view.state.results] == ["bicubic", "bicubic", "linear"]


def test_the_cursor_is_seen_in_the_other_panes(
    window: Window, qtbot: QtBot, photograph: Path
) -> None:
    show(window, qtbot, photograph)
    window.view.change(loupe_shown=False)
    window.stage.original.hovered.emit(50.0, 60.0)
    assert window.stage.original.scene.pointer is None
    assert window.stage.result.scene.pointer == (50.0, 60.0)
    window.stage.original.left.emit()
    assert window.stage.result.scene.pointer is None
