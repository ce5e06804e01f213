"""Where detail is a guess: the layer, its numbers, and what turns it off."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from retina_viewer.core.progress import Progress
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.superres.consistency import THRESHOLD, ConsistencyMap
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.ui.services import Services, project_services
from retina_viewer.ui.view_state import LayerName
from retina_viewer.ui.window import Window
from tests.ui.conftest import MakeWindow
from tests.ui.test_window import finish, layer_names, pixels_of, show
from tests.ui.tiny_models import DEFAULT, GAN, install_pair


class Guessing:
    """Stands for the map of the program, which takes minutes: worse on the left."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, float | None]] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(
        self, image: FundusImage, enhancer: Enhancer, other: Enhancer | None, progress: Progress
    ) -> ConsistencyMap:
        self.asked.append((enhancer.scale, enhancer.fidelity))
        assert (other is None) == (enhancer.fidelity == 1)
        while not self.gate.wait(0.01):
            progress(0.5, "Consistency")
        error = np.tile(np.linspace(10, 0, image.width, dtype=np.float32), (image.height, 1))
        return ConsistencyMap(error, image.bounds, enhancer.scale, 5.0, 0.6)


@pytest.fixture
def guessing() -> Guessing:
    return Guessing()


@pytest.fixture
def services(guessing: Guessing) -> Services:
    install_pair()
    return replace(project_services(), consistency=guessing)


@pytest.fixture
def gan_window(make: MakeWindow, qtbot: QtBot, services: Services, photograph: Path) -> Window:
    window = make(services, method="saliency-gan", model=GAN, scale=2)
    show(window, qtbot, photograph)
    finish(window, qtbot)
    return window


def arrived(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: LayerName.CONSISTENCY in layer_names(window))
    finish(window, qtbot)


def test_see_where_detail_is_a_guess(gan_window: Window, qtbot: QtBot) -> None:
    window = gan_window
    plain = pixels_of(window.stage.result.grab().toImage())
    information = window.inspector.information
    assert information._values["Guesswork"].text() == "not computed (U)"
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
        f"5.0 levels on average, above {THRESHOLD:g} in 60 %"
        in information._values["Guesswork"].text()
    )
    assert window.stage.loupe_result.scene.layers == ()  # it would cover the detail
    place = pane.mapping.point(60.5, 100.5).toPoint()
    qtbot.mouseMove(pane, QPoint(place.x(), place.y()))
    assert window.statusbar.layers.text().startswith("expected error 7.")


def test_every_setting_has_a_map_of_its_own(
    gan_window: Window, qtbot: QtBot, guessing: Guessing
) -> None:
    window = gan_window
    window.commands.toggle_consistency()
    arrived(window, qtbot)
    window.commands.set_fidelity(1.0)
    assert LayerName.CONSISTENCY not in layer_names(window)  # never of another
    arrived(window, qtbot)
    window.commands.set_scale(4)
    arrived(window, qtbot)
    window.commands.set_scale(2)
    window.commands.set_fidelity(None)
    assert LayerName.CONSISTENCY in layer_names(window)  # kept
    assert guessing.asked == [(2, DEFAULT), (2, 1.0), (4, 1.0)]


def test_another_setting_drops_the_map_under_way_and_cancel_turns_the_layer_off(
    gan_window: Window, qtbot: QtBot, guessing: Guessing
) -> None:
    window = gan_window
    guessing.gate.clear()
    window.commands.toggle_consistency()
    qtbot.waitUntil(lambda: len(guessing.asked) == 1)
    window.commands.toggle_saliency()  # which does not wait for the long map
    qtbot.waitUntil(lambda: LayerName.SALIENCY in layer_names(window))
    window.commands.set_fidelity(0.2)
    qtbot.waitUntil(lambda: len(guessing.asked) == 2)
    window.viewer.apply(force=True)
    assert len(guessing.asked) == 2
    qtbot.waitUntil(window.statusbar.cancel.isVisible)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.viewer.state.consistency.on
    guessing.gate.set()
    qtbot.waitUntil(lambda: not window.jobs.active)
    assert window.viewer.guess is None


def test_interpolation_guesses_nothing(
    gan_window: Window, qtbot: QtBot, guessing: Guessing
) -> None:
    window = gan_window
    window.commands.toggle_consistency()
    arrived(window, qtbot)
    window.commands.set_method("bicubic")
    assert [layer.name for layer in window.stage.result.scene.layers] == []
    assert not window.stage.result.scene.legend
    switch = window.inspector.layers._switches[LayerName.CONSISTENCY]
    assert not switch.isEnabled()
    finish(window, qtbot)
    assert len(guessing.asked) == 1
    window.commands.set_method("saliency-gan")
    assert switch.isEnabled()
    assert switch.isChecked()


def test_a_network_without_calibration_says_so(
    make: MakeWindow, qtbot: QtBot, photograph: Path
) -> None:
    install_pair()
    window = make(method="saliency-gan", model=GAN, scale=2)
    show(window, qtbot, photograph)
    window.commands.toggle_consistency()
    qtbot.waitUntil(window.banner.isVisible, timeout=20_000)
    assert "not been calibrated" in window.banner.message.text()
    assert not window.viewer.state.consistency.on
