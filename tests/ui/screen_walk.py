"""A walk through everything that changes the picture, on a real screen, the mouse still.

Run in a process of its own, because Qt's platform is chosen once: ``python -m
tests.ui.screen_walk OUT`` with the platform xcb and a display. What the screen holds after each
step is compared with what the same widgets paint afresh; a pane that was not painted when it should
have been differs. ``QWidget.grab()`` cannot find that: it paints.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QCursor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QWidget

from retina_viewer.core.geometry import Rect
from retina_viewer.core.paths import user_models_dir
from retina_viewer.core.progress import Progress
from retina_viewer.core.settings import Settings
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.layer_art import SaliencyStyle
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer, FloatImage
from retina_viewer.ui.app import make_window
from retina_viewer.ui.application import make_application, wait_until
from retina_viewer.ui.canvas.pane import Pane
from retina_viewer.ui.canvas.scene import LayerName, Tone
from retina_viewer.ui.catalogue import ResultChoice
from retina_viewer.ui.jobs import Lane
from retina_viewer.ui.models.installed_models import read_installed
from retina_viewer.ui.services import Services, project_services
from retina_viewer.ui.view.arrange import Arrangement
from retina_viewer.ui.window import Window
from retina_viewer.vessels.segment import VesselMap, segment_vessels
from tests.model_store.models import make_unet
from tests.ui.tiny_models import GAN, calibrate, install_pair

SIDE = 128
COLOURS = {"0_red.png": (200, 60, 50), "1_green.png": (40, 190, 60), "3_blue.png": (50, 110, 220)}
"""Photographs of one size that nobody can mistake for each other, in colour or in green alone."""
BROKEN = "2_broken.png"
TWO_PAGES = "1_green.png"
NEVER_HELD = (Lane.FILES, Lane.WORK)
LATER = ("tile", "comparison figures")
"""Jobs by the beginning of their keys."""
UNETS = ("first-unet", "second-unet")
WINDOW = QRect(10, 40, 1100, 700)
Pixels = NDArray[np.uint8]


def make_photographs(folder: Path) -> None:
    """Round fields with squares and thin lines of less light, and between them a broken file."""
    folder.mkdir(parents=True)
    y, x = np.mgrid[:SIDE, :SIDE]
    field_of_view = np.hypot(x - SIDE / 2, y - SIDE / 2) < SIDE * 0.46
    for number, (name, colour) in enumerate(COLOURS.items()):
        squares = ((x // 12 + y // 12 + number) % 2) * 0.1
        lines = ((x + (number + 1) * y) % 37 < 2) * 0.25
        light = (1 - squares - lines) * field_of_view
        rgb = (light[..., None] * np.array(colour)).astype(np.uint8)
        first, second = Image.fromarray(rgb), Image.fromarray(np.ascontiguousarray(rgb[:, ::-1]))
        if name == TWO_PAGES:  # what a file is, its content says
            first.save(folder / name, format="TIFF", save_all=True, append_images=[second])
        else:
            first.save(folder / name)
    whole = (folder / "0_red.png").read_bytes()
    (folder / BROKEN).write_bytes(whole[:60])


class Gate:
    """Holds tiles back, so that also what is shown before them is seen."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self._held: set[str] = set()

    def holds(self, lane: Lane) -> bool:
        """Whether the worker of a lane waits here."""
        return f"retina-{lane.value}" in self._held

    def wait(self) -> None:
        worker = threading.current_thread().name
        self._held.add(worker)
        assert self.open.wait(30)
        self._held.discard(worker)

    def services(self) -> Services:
        inner = project_services()
        return replace(
            inner, make_enhancer=lambda settings: _Waiting(inner, settings, self), vessels=_vessels
        )


def _vessels(image: FundusImage, model: str | None, device: str, progress: Progress) -> VesselMap:
    return segment_vessels(image, model=model or UNETS[0], device=device, progress=progress)


class _Waiting:
    def __init__(self, services: Services, settings: EnhanceSettings, gate: Gate) -> None:
        self._inner, self._gate = services.make_enhancer(settings), gate
        self._take(self._inner)

    def _take(self, inner: Enhancer) -> None:
        self.margin, self.model, self.scale = inner.margin, inner.model, inner.scale
        self.method, self.whole_image_only = inner.method, inner.whole_image_only
        self.degradation, self.fidelity = inner.degradation, inner.fidelity
        self.back_projection = inner.back_projection

    def fitted_to(self, rgb: FloatImage) -> Self:
        self._inner = self._inner.fitted_to(rgb)
        self._take(self._inner)
        return self

    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        self._gate.wait()
        return self._inner.enhance_region(rgb, region)


@dataclass
class Walk:
    """The window, and what was found on the way."""

    window: Window
    gate: Gate
    steps: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    # What the screen holds

    def screen(self) -> Pixels:
        """``(H, W, 3)`` uint8: the root window's pixels, read back from the X server."""
        QApplication.processEvents()
        screen = QApplication.primaryScreen()
        image = screen.grabWindow(0, 0, 0, WINDOW.right(), WINDOW.bottom()).toImage()
        rgb = image.convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
        return rows[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3).copy()

    def painters(self) -> dict[str, QWidget]:
        """The widgets that paint pictures themselves, and are on the screen."""
        window, found = self.window, dict[str, QWidget]()
        stage = window.stage
        found |= {f"pane {place}": pane for place, pane in enumerate(stage.mains)}
        found |= {f"loupe {place}": pane for place, pane in enumerate(stage.loupes)}
        found["filmstrip"] = window.filmstrip.viewport()
        if self.gate.open.is_set():  # until then it counts tiles
            found["inspector"] = window.inspector.viewport()
        return {name: widget for name, widget in found.items() if widget.isVisible()}

    # One step

    def step(self, name: str, act: Callable[[], object], *, twice: bool = True) -> None:
        """Do something, and look at the screen before and after its tiles have come."""
        self.steps.append(name)
        self.gate.open.clear()
        try:
            act()
            if twice:
                self.settle(whole=False)
                self.look(f"{name} (tiles to come)")
        finally:
            self.gate.open.set()
        self.settle(whole=True)
        self.look(name)

    def settle(self, *, whole: bool) -> None:
        """Wait for what was asked for: all that is in view, or all but what the gate holds."""
        wait_until(lambda: self._is_settled(whole=whole), 30)
        for _ in range(3):  # what has come is laid out in the next turns of the event loop
            QTest.qWait(8)

    def _is_settled(self, *, whole: bool) -> bool:
        window = self.window
        slow = [job for job in window.jobs.active if job.lane not in NEVER_HELD]
        if len(slow) < len(window.jobs.active):
            return False
        if not whole:
            return all(self.gate.holds(job.lane) for job in slow)
        panes = [one for one in self.painters().values() if isinstance(one, Pane)]
        tiles = [tile for pane in panes for _, tile in pane.scene.tiles]
        # Tiles beside what is in view, and figures, may come later.
        return None not in tiles and all(job.key.startswith(LATER) for job in slow)

    def look(self, name: str) -> None:
        """Compare what the screen holds with what would be painted now, and with the files."""
        seen = self.screen()
        painters = self.painters()
        for widget in painters.values():
            widget.update()
            for child in widget.findChildren(QWidget):
                child.update()
        fresh = self.screen()
        for kind, widget in painters.items():
            place = _place(widget)
            differs = (seen[place] != fresh[place]).any(axis=-1)
            if differs.any():
                share = differs.mean() * 100
                self.faults.append(f"{name}: {kind} was stale ({share:.1f} % of its pixels)")
        self._check_photograph(name, seen)

    def _check_photograph(self, name: str, seen: Pixels) -> None:
        photo, stage = self.window.view.photo, self.window.stage
        if photo is None or not stage.isVisible():
            return
        wanted = COLOURS[photo.image.name]
        panes = [stage.original, stage.loupe_original]
        if not self.window.view.picture.layers:
            panes += [stage.result, stage.loupe_result]
        for pane in panes:
            if pane.isVisible():
                shown = _mean_colour(seen[_place(pane)])
                if not _is_of(shown, wanted, self.window.view.picture.tone):
                    self.faults.append(f"{name}: {photo.image.name} is not on the screen: {shown}")

    # What a person does

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier | None = None) -> None:
        QTest.keyClick(self.window, key, modifier or Qt.KeyboardModifier.NoModifier)

    def page(self, number: int) -> None:
        """One of several pictures in the file that is shown, from 1."""
        self.window.inspector.information.page_chosen.emit(number - 1)
        wait_until(lambda: not self.window.jobs.is_active("open"), 30)
        photo = self.window.view.photo
        assert photo is not None
        assert photo.image.page == number - 1

    def turn(self, key: Qt.Key) -> None:
        """Page Down or Page Up; wait until the file was read, or found to be broken."""
        self.activate()
        self.key(key)
        wait_until(lambda: not self.window.jobs.is_active("open"), 30)

    def choose(self, name: str) -> None:
        """Another photograph, by as many steps as it takes."""
        library = self.window.library
        index = [path.name for path in library.paths].index(name)
        key = Qt.Key.Key_PageDown if index > library.current else Qt.Key.Key_PageUp
        for _ in range(abs(index - library.current)):
            self.turn(key)
        assert self.shown == name

    @property
    def shown(self) -> str:
        photo = self.window.view.photo
        return photo.image.name if photo is not None else ""

    def activate(self) -> None:
        """Shortcuts reach the window that is active."""

        def is_active() -> bool:
            self.window.activateWindow()
            return self.window.isActiveWindow()

        wait_until(is_active, 30)

    def thumbnail(self, row: int) -> None:
        strip = self.window.filmstrip
        strip.scrollTo(strip.model().index(row, 0), QAbstractItemView.ScrollHint.EnsureVisible)
        place = strip.visualRect(strip.model().index(row, 0)).center()
        QTest.mouseClick(
            strip.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place
        )
        wait_until(lambda: not self.window.jobs.is_active("open"), 30)

    def press(self, key: Qt.Key, widget: QWidget | None = None) -> None:
        QTest.keyPress(widget or self.window, key)

    def release(self, key: Qt.Key, widget: QWidget | None = None) -> None:
        QTest.keyRelease(widget or self.window, key)


def _place(widget: QWidget) -> tuple[slice, slice]:
    """Where a widget lies on the screen."""
    corner = widget.mapToGlobal(QPoint(0, 0))
    return (
        slice(corner.y(), corner.y() + widget.height()),
        slice(corner.x(), corner.x() + widget.width()),
    )


def _mean_colour(pixels: Pixels) -> tuple[int, int, int]:
    """The median of what is bright enough to be retina; chips and marks are small beside it."""
    flat = pixels.reshape(-1, 3)
    retina = flat[flat.max(axis=1) > 32]
    red, green, blue = (round(float(value)) for value in np.median(retina, axis=0))
    return red, green, blue


def _is_of(shown: tuple[int, int, int], photo: tuple[int, int, int], tone: Tone) -> bool:
    """Whether a mean colour is of a photograph in a tone."""
    if tone is Tone.RED_FREE:
        return max(shown) - min(shown) <= 20 and 0.7 * photo[1] <= shown[1] <= 1.1 * photo[1]
    return int(np.argmax(shown)) == int(np.argmax(photo)) and max(shown) - min(shown) >= 40


# The walk


def photographs(walk: Walk) -> None:
    walk.step("Page Down", lambda: walk.choose("1_green.png"))
    walk.step("Page Up", lambda: walk.choose("0_red.png"))
    walk.step("click a thumbnail", lambda: walk.thumbnail(3))
    walk.step("onto a broken file", lambda: walk.turn(Qt.Key.Key_PageUp))
    assert walk.shown == "3_blue.png"
    assert walk.window.banner.isVisible()
    walk.step("over it", lambda: walk.turn(Qt.Key.Key_PageUp))
    assert walk.shown == "1_green.png"
    walk.step("another picture of the file", lambda: walk.page(2))
    walk.step("the first one again", lambda: walk.page(1))


def tones(walk: Walk) -> None:
    walk.step("G: red-free", lambda: walk.key(Qt.Key.Key_G))
    walk.step("Page Down in red-free", lambda: walk.choose("3_blue.png"))
    walk.step("H: CLAHE", lambda: walk.key(Qt.Key.Key_H))
    walk.step("R: colour", lambda: walk.key(Qt.Key.Key_R))
    walk.step("G again", lambda: walk.key(Qt.Key.Key_G))
    walk.step("R again", lambda: walk.key(Qt.Key.Key_R))


def places(walk: Walk) -> None:
    window = walk.window
    walk.step("+", lambda: walk.key(Qt.Key.Key_Plus))
    walk.step("+ again", lambda: walk.key(Qt.Key.Key_Plus))
    walk.step("-", lambda: walk.key(Qt.Key.Key_Minus))
    walk.step("1: one to one", lambda: walk.key(Qt.Key.Key_1))
    walk.step("right", lambda: QTest.keyClick(window.stage, Qt.Key.Key_Right))
    walk.step("no overview", lambda: window.view.change(overview=False))
    walk.step("overview", lambda: window.view.change(overview=True))
    walk.step("Page Up, zoomed", lambda: walk.choose("1_green.png"))
    walk.step("F: fit", lambda: walk.key(Qt.Key.Key_F))
    view = window.view
    walk.step("loupe zoom", lambda: view.change(loupe_zoom=16))
    walk.step("no loupe", lambda: view.change(loupe_shown=False))
    walk.step("Page Up without it", lambda: walk.choose("0_red.png"))
    walk.step("loupe", lambda: view.change(loupe_shown=True))
    walk.step("not smoothed", lambda: view.change(smooth=False))
    walk.step("smoothed", lambda: view.change(smooth=True))
    walk.step("ruler", lambda: window.view.change(ruler=(40.0, 60.0, 110.0, 90.0)))
    walk.step("no ruler", lambda: window.view.change(ruler=None))
    walk.step("light theme", lambda: window.inspector.view_panel.theme_chosen.emit("light"))
    walk.step("dark theme", lambda: window.inspector.view_panel.theme_chosen.emit("dark"))
    walk.step("smaller", lambda: window.resize(WINDOW.width() - 60, WINDOW.height() - 50))
    walk.step("larger", lambda: window.resize(WINDOW.size()))


def settings(walk: Walk) -> None:
    window = walk.window
    controller = window.controller
    walk.step("scale x2", lambda: window.toolbar.scales.button(2).click())
    walk.step("scale x4", lambda: window.toolbar.scales.button(4).click())
    walk.step("D: more detail", lambda: walk.key(Qt.Key.Key_D))
    shift = Qt.KeyboardModifier.ShiftModifier
    walk.step("Shift+D: more fidelity", lambda: walk.key(Qt.Key.Key_D, shift))
    walk.step("fidelity 100 %", lambda: controller.set_fidelity(1.0))
    walk.step("B: not true to the photograph", lambda: walk.key(Qt.Key.Key_B))
    walk.step("B again", lambda: walk.key(Qt.Key.Key_B))
    walk.step("method", lambda: window.controller.set_method("lanczos"))
    walk.step("method back", lambda: _use_gan(window))
    walk.step("fidelity default", lambda: controller.set_fidelity(None))


def _use_gan(window: Window) -> None:
    window.controller.set_method("saliency-gan")
    window.controller.choose(model=GAN)  # else the shipped one, which takes longer


def layers(walk: Walk) -> None:
    window = walk.window
    controller = window.controller
    space = Qt.Key.Key_Space
    walk.step("S: saliency", lambda: walk.key(Qt.Key.Key_S))
    walk.step("its opacity", lambda: controller.set_opacity(LayerName.SALIENCY, 0.3))
    walk.step("its colours", lambda: window.view.change(colour_map="cividis"))
    contours, colours = SaliencyStyle.CONTOURS, SaliencyStyle.COLOURS
    walk.step("as contours", lambda: window.view.change(saliency_style=contours))
    walk.step("as colours", lambda: window.view.change(saliency_style=colours))
    walk.step("hold Space", lambda: walk.press(space))
    walk.step("let Space go", lambda: walk.release(space))
    walk.step("V: vessels", lambda: walk.key(Qt.Key.Key_V))
    walk.step("Page Down with layers", lambda: walk.choose("1_green.png"))
    walk.step("Page Up with layers", lambda: walk.choose("0_red.png"))
    walk.step("hold O", lambda: walk.press(Qt.Key.Key_O))
    walk.step("let O go", lambda: walk.release(Qt.Key.Key_O))
    walk.step("no vessels", lambda: walk.key(Qt.Key.Key_V))
    walk.step("no saliency", lambda: walk.key(Qt.Key.Key_S))
    walk.step("U: uncertainty", lambda: walk.key(Qt.Key.Key_U))
    assert walk.window.stage.result.scene.layers
    walk.step("their opacity", lambda: controller.set_opacity(LayerName.UNCERTAINTY, 0.4))
    walk.step("no uncertainty", lambda: walk.key(Qt.Key.Key_U))


def arrangements(walk: Walk) -> None:
    window = walk.window
    walk.step("C: slider", lambda: walk.key(Qt.Key.Key_C))
    walk.step("Page Down in the slider", lambda: walk.choose("1_green.png"))
    walk.step("its line", lambda: window.stage.result.divider_moved.emit(0.3))
    walk.step("zoom in the slider", lambda: walk.key(Qt.Key.Key_Plus))
    walk.step("C: side by side", lambda: walk.key(Qt.Key.Key_C))
    walk.step("Page Up beside each other", lambda: walk.choose("0_red.png"))
    for wish in (Arrangement.ROWS, Arrangement.COLUMNS, Arrangement.AUTO):
        walk.step(f"panes: {wish}", partial(window.view.change, arrangement=wish))
    line = window.view.picture.places.dividers[0]
    walk.step("drag a line", lambda: window.stage.divider_moved.emit(line, 220.0, 90.0))
    walk.step("make it automatic", lambda: window.stage.divider_reset.emit(line))
    walk.step("F9: no panels", lambda: walk.key(Qt.Key.Key_F9))
    walk.step("F8: no strip", lambda: walk.key(Qt.Key.Key_F8))
    walk.step("F9: panels", lambda: walk.key(Qt.Key.Key_F9))
    walk.step("F8: strip", lambda: walk.key(Qt.Key.Key_F8))


def comparisons(walk: Walk) -> None:
    window = walk.window
    state, view = window.view.state, window.view

    def compare(*methods: str) -> None:
        state.results = tuple(ResultChoice(name) for name in methods)
        view.apply()

    def show_alone(place: int | None) -> None:
        state.alone = place
        view.apply()

    walk.step("compare methods", window.comparison.toggle)
    walk.step("a third and a fourth", lambda: compare("bicubic", "lanczos", "linear", "bicubic"))
    walk.step("scale of the comparison", lambda: window.toolbar.scales.button(2).click())
    walk.step("swap", lambda: compare("lanczos", "bicubic", "linear"))
    walk.step("zoom the comparison", lambda: walk.key(Qt.Key.Key_Plus))
    walk.step("hold O there", lambda: walk.press(Qt.Key.Key_O))
    walk.step("another photograph meanwhile", lambda: walk.thumbnail(1))
    walk.step("let O go there", lambda: walk.release(Qt.Key.Key_O))
    walk.step("one alone", lambda: show_alone(2))
    walk.step("all", lambda: show_alone(None))
    walk.step("two methods", lambda: compare("bicubic", "lanczos"))
    walk.step("without the original", lambda: window.view.change(original_shown=False))
    walk.step("saliency in the comparison", lambda: walk.key(Qt.Key.Key_S))
    walk.step("another photograph beside it", lambda: walk.thumbnail(0))
    walk.step("no saliency there", lambda: walk.key(Qt.Key.Key_S))
    walk.step("with the original", lambda: window.view.change(original_shown=True))
    walk.step("no comparison", window.comparison.toggle)


def models(walk: Walk) -> None:
    installed = read_installed()
    window = walk.window
    for name, what in ((GAN, "models"), (UNETS[0], "vessel models")):
        entry = installed.entry(name)
        assert entry is not None
        walk.step(f"compare {what}", partial(window.manager.compare, entry, installed))
        walk.step(f"another photograph beside {what}", lambda: walk.thumbnail(1))
        walk.step(f"and back beside {what}", lambda: walk.thumbnail(0))
        walk.step(f"no {what}", window.comparison.toggle)


PARTS = (photographs, tones, places, settings, layers, arrangements, comparisons, models)


def main(out: Path) -> None:
    install_pair()
    calibrate(GAN)
    for seed, name in enumerate(UNETS):
        make_unet(user_models_dir() / name, seed=seed)
    gate, folder = Gate(), out.parent / "photographs"
    make_photographs(folder)
    chosen = Settings(method="saliency-gan", model=GAN, scale=4, theme="dark")
    window = make_window(make_application(), chosen, gate.services())
    window.setGeometry(WINDOW)
    window.show()
    QCursor.setPos(0, 0)
    walk = Walk(window, gate)
    window.open([folder])
    wait_until(lambda: window.view.photo is not None and window.looks.has_icons, 30)
    walk.activate()
    walk.step("open a folder", lambda: None)
    for part in PARTS:
        part(walk)
    window.close()
    report = {"steps": walk.steps, "faults": walk.faults, "seconds": time.process_time()}
    out.write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
