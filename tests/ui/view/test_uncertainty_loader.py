"""Uncertainty: computed of what is in view, what is said of it, what turns it off."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.uncertainty import THRESHOLD, UncertaintyMap
from retina_viewer.ui.canvas.scene import LayerName, UncertaintyArt
from retina_viewer.ui.services import Services, project_services
from retina_viewer.ui.view import sight
from retina_viewer.ui.view.sight import SPOT, is_tile, spot_of, tile_at
from retina_viewer.ui.window import Window
from tests.ui.conftest import SAMPLES, MakeWindow
from tests.ui.test_window import finish, pixels_of, show, wheel
from tests.ui.tiny_models import DEFAULT, GAN, install_pair


class Doubting:
    """Stands for the map of the program, which takes its time: worse on the left."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, float | None]] = []
        self.regions: list[Rect] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(
        self,
        image: FundusImage,
        enhancer: Enhancer,
        other: Enhancer | None,
        region: Rect,
        progress: Progress,
    ) -> UncertaintyMap:
        self.asked.append((enhancer.scale, enhancer.fidelity))
        self.regions.append(region)
        assert (other is None) == (enhancer.fidelity == 1)
        while not self.gate.wait(0.01):
            progress(0.5, "Consistency")
        error = np.tile(np.linspace(10, 0, image.width, dtype=np.float32), (image.height, 1))
        part = error[region.slices()]
        return UncertaintyMap(part, region, enhancer.scale, 5.0, 0.6, counted=part.size)


@pytest.fixture
def doubting() -> Doubting:
    return Doubting()


@pytest.fixture
def services(doubting: Doubting) -> Services:
    install_pair()
    return replace(project_services(), uncertainty=doubting)


@pytest.fixture
def gan_window(make: MakeWindow, qtbot: QtBot, services: Services, photograph: Path) -> Window:
    window = make(services, method="saliency-gan", model=GAN, scale=2)
    show(window, qtbot, photograph)
    finish(window, qtbot)
    return window


def shown_art(window: Window) -> UncertaintyArt | None:
    """What the result's pane draws of it; None where it draws none."""
    for layer in window.stage.result.scene.layers:
        if isinstance(layer.art, UncertaintyArt):
            return layer.art
    return None


def has_some(window: Window) -> bool:
    art = shown_art(window)
    return art is not None and bool(art.tiles or art.spots)


def value_at(window: Window, x: float, y: float) -> float | None:
    sight = window.view.picture.result.sight
    assert sight is not None
    return window.view.uncertainty.value_at(sight, x, y)


def share(window: Window) -> float:
    summary = window.view.picture.result.uncertainty
    assert summary is not None
    return summary.share


def arrived(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: share(window) == 1, timeout=30_000)
    finish(window, qtbot)


def is_on(window: Window) -> bool:
    return window.view.state.uncertainty.on


def test_see_the_uncertainty(gan_window: Window, qtbot: QtBot) -> None:
    window = gan_window
    plain = pixels_of(window.stage.result.grab().toImage())
    information = window.inspector.information
    assert information._values["Uncertainty"].text() == "not computed (U)"
    qtbot.keyClick(window, Qt.Key.Key_U)
    arrived(window, qtbot)
    pane = window.stage.result
    shown = pixels_of(pane.grab().toImage())
    for x, least in ((40, 20), (222, 0)):  # in the photograph: 8 levels, and 1
        place = pane.mapping.point(x, 112).toPoint()
        around = np.s_[place.y() - 20 : place.y() + 20, place.x() - 5 : place.x() + 5]
        change = np.abs(shown[around] - plain[around]).mean()
        assert (change > least) if least else (change < 8), (x, change, place)
    assert pane.scene.legend
    assert (
        f"5.0 levels on average, above {THRESHOLD:g} in 60 % of the field in view."
        in information._values["Uncertainty"].text()
    )
    assert window.stage.loupe_result.scene.layers == ()  # it would cover the detail
    place = pane.mapping.point(60.5, 100.5).toPoint()
    qtbot.mouseMove(pane, QPoint(place.x(), place.y()))
    assert window.statusbar.layers.text().startswith("expected error 7.")


def test_spots_come_first_and_the_middle_before_the_rim(
    gan_window: Window, qtbot: QtBot, doubting: Doubting
) -> None:
    window = gan_window
    window.controller.toggle_uncertainty()
    arrived(window, qtbot)
    image = window.view.picture.image
    spots = [region for region in doubting.regions if not is_tile(region)]
    assert doubting.regions[: len(spots)] == spots  # something is known everywhere, then all
    assert {tile_at(x, y, image) for x in (0, 192) for y in (0, 192)} == set(
        doubting.regions[len(spots) :]
    )
    for kind in (spots, doubting.regions[len(spots) :]):
        away = [np.hypot(r.x + r.width / 2 - 120, r.y + r.height / 2 - 112) for r in kind]
        assert away[0] == min(away)
    assert max(spot.width for spot in spots) == SPOT


def test_what_is_not_computed_yet_does_not_look_certain(
    gan_window: Window, qtbot: QtBot, doubting: Doubting
) -> None:
    window = gan_window
    pane = window.stage.result
    plain = pixels_of(pane.grab().toImage())
    doubting.gate.clear()
    window.controller.toggle_uncertainty()
    qtbot.waitUntil(lambda: len(doubting.asked) == 1)
    art = shown_art(window)
    assert art is not None
    assert len(art.pending) == 4
    assert not art.tiles
    shown = pixels_of(pane.grab().toImage())
    place = pane.mapping.point(217, 112).toPoint()  # where the error will be low
    around = np.s_[place.y() - 20 : place.y() + 20, place.x() - 8 : place.x() + 8]
    assert np.abs(shown[around] - plain[around]).max() > 30
    assert window.statusbar.task.text() == "uncertainty 0 %"
    assert pane.scene.layers[0].note == "from a few spots so far"
    assert value_at(window, 120, 112) is None
    doubting.gate.set()
    arrived(window, qtbot)
    art = shown_art(window)
    assert art is not None
    assert art.pending == ()
    assert pane.scene.layers[0].note == ""
    settled = pixels_of(pane.grab().toImage())
    assert (settled[around] == plain[around]).all()


def test_every_setting_has_a_map_of_its_own(
    gan_window: Window, qtbot: QtBot, doubting: Doubting
) -> None:
    window = gan_window
    window.controller.toggle_uncertainty()
    arrived(window, qtbot)
    window.controller.set_fidelity(1.0)
    assert not has_some(window)  # never of another
    arrived(window, qtbot)
    window.view.change(scale=4)
    arrived(window, qtbot)
    asked = len(doubting.asked)
    window.view.change(scale=2)
    window.controller.set_fidelity(None)
    assert share(window) == 1  # kept
    assert len(doubting.asked) == asked
    assert list(dict.fromkeys(doubting.asked)) == [(2, DEFAULT), (2, 1.0), (4, 1.0)]


def test_another_photograph_and_another_setting_drop_what_is_under_way(
    gan_window: Window, qtbot: QtBot, doubting: Doubting, photographs: list[Path]
) -> None:
    window = gan_window
    doubting.gate.clear()
    window.controller.toggle_uncertainty()
    qtbot.waitUntil(lambda: len(doubting.asked) == 1)
    window.controller.toggle_saliency()  # which does not wait for the map
    qtbot.waitUntil(lambda: window.view.layers.current.saliency_art is not None)
    window.controller.set_fidelity(0.2)
    qtbot.waitUntil(lambda: len(doubting.asked) == 2)
    window.view.apply()
    assert len(doubting.asked) == 2
    show(window, qtbot, photographs[1])
    qtbot.waitUntil(lambda: len(doubting.asked) == 3)
    assert len(window.view.uncertainty.cache) == 0
    doubting.gate.set()
    arrived(window, qtbot)
    requests = {key.request for key in window.view.uncertainty.cache._tiles}
    assert {request.photo for request in requests} == {window.view.photo.key}  # type: ignore[union-attr]


def test_cancel_stops_with_what_is_there_and_turns_off_what_shows_nothing(
    gan_window: Window, qtbot: QtBot, doubting: Doubting
) -> None:
    window = gan_window
    doubting.gate.clear()
    window.controller.toggle_uncertainty()
    qtbot.waitUntil(lambda: len(doubting.asked) == 1)
    qtbot.waitUntil(window.statusbar.cancel.isVisible)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not is_on(window)
    assert shown_art(window) is None
    doubting.gate.set()
    window.controller.toggle_uncertainty()
    qtbot.waitUntil(lambda: has_some(window))
    doubting.gate.clear()
    asked = len(doubting.asked)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.jobs.active)
    assert is_on(window)
    assert "stopped at" in window.stage.result.scene.layers[0].note
    assert not window.statusbar.cancel.isVisible()
    doubting.gate.set()
    qtbot.wait(30)
    assert len(doubting.asked) <= asked + 1
    window.controller.toggle_uncertainty()
    window.controller.toggle_uncertainty()
    arrived(window, qtbot)


def test_a_large_photograph_shown_whole_gets_spots_and_on_zooming_in_all_of_what_is_in_view(
    make: MakeWindow,
    qtbot: QtBot,
    services: Services,
    doubting: Doubting,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sight, "SPOTS_APART", 70.0)  # fewer of them, faster
    path = tmp_path / "large.png"
    with Image.open(SAMPLES / "idrid_53_half.jpg") as small:
        small.convert("RGB").resize((1600, 1000), Image.Resampling.BILINEAR).save(path)
    window = make(services, method="saliency-gan", model=GAN, scale=2)
    show(window, qtbot, path)
    qtbot.waitUntil(lambda: not window.jobs.active, timeout=30_000)
    window.controller.toggle_uncertainty()
    arrived(window, qtbot)
    assert window.view.picture.camera.zoom < 0.5  # no enlargement is shown
    image = window.view.picture.image
    assert doubting.regions
    assert all(region == spot_of(tile_at(region.x, region.y, image)) for region in doubting.regions)
    mask = window.view.photo.image.field_of_view.mask  # type: ignore[union-attr]
    assert all(mask[region.slices()].any() for region in doubting.regions)
    art = shown_art(window)
    assert art is not None
    assert len(art.spots) == len(doubting.regions)
    assert not art.tiles
    apart = window.view.picture.result.uncertainty.apart  # type: ignore[union-attr]
    assert window.stage.result.scene.layers[0].note == (
        f"spots {apart} px apart; zoom in for all of it"
    )
    wheel(window, 14)
    assert window.view.picture.camera.zoom > 1.5
    arrived(window, qtbot)
    assert len(set(doubting.regions)) == len(doubting.regions)  # nothing is computed twice
    assert window.stage.result.scene.layers[0].note == ""
    in_view = window.view.picture.result.sight.region  # type: ignore[union-attr]
    tiles = [region for region in doubting.regions if is_tile(region)]
    assert tiles
    assert all(region.intersected(in_view).area for region in tiles)


def test_interpolation_makes_up_nothing(
    gan_window: Window, qtbot: QtBot, doubting: Doubting
) -> None:
    window = gan_window
    window.controller.toggle_uncertainty()
    arrived(window, qtbot)
    asked = len(doubting.asked)
    window.controller.set_method("bicubic")
    assert [layer.name for layer in window.stage.result.scene.layers] == []
    assert not window.stage.result.scene.legend
    switch = window.inspector.layers._switches[LayerName.UNCERTAINTY]
    assert not switch.isEnabled()
    finish(window, qtbot)
    assert len(doubting.asked) == asked
    window.controller.set_method("saliency-gan")
    assert switch.isEnabled()
    assert switch.isChecked()


def test_a_network_without_calibration_says_so(
    make: MakeWindow, qtbot: QtBot, photograph: Path
) -> None:
    install_pair()
    window = make(method="saliency-gan", model=GAN, scale=2)
    show(window, qtbot, photograph)
    window.controller.toggle_uncertainty()
    qtbot.waitUntil(window.banner.isVisible, timeout=20_000)
    assert "not been calibrated" in window.banner.message.text()
    assert not is_on(window)
