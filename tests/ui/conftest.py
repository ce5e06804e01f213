"""Photographs, windows and services for the tests of the window."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest
from PIL import Image
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from retina_viewer.core.geometry import Rect
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.settings import Settings
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer, FloatImage
from retina_viewer.ui.app import make_window
from retina_viewer.ui.services import Services, project_services
from retina_viewer.ui.window import Window

SAMPLES = resources_dir() / "samples"
WINDOW_SIZE = (1280, 800)


@pytest.fixture(scope="session")
def small_photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three real photographs: small whole views, so that a test computes little."""
    folder = tmp_path_factory.mktemp("photographs")
    for number, name in enumerate(("chase_14L.jpg", "fives_28_A.png", "idrid_53_half.jpg")):
        with Image.open(SAMPLES / name) as image:
            small = image.convert("RGB").resize((240 + 8 * number, 224), Image.Resampling.BOX)
        small.save(folder / f"{number}_{Path(name).stem}.png")
    return folder


@pytest.fixture
def photographs(small_photographs: Path, tmp_path: Path) -> list[Path]:
    """A test's own copies of the three."""
    return sorted(Path(shutil.copytree(small_photographs, tmp_path / "photographs")).iterdir())


@pytest.fixture
def photograph(photographs: list[Path]) -> Path:
    return photographs[0]


MakeWindow = Callable[..., Window]


@pytest.fixture
def make(qtbot: QtBot, qapp: QApplication) -> Iterator[MakeWindow]:
    """Makes shown windows, bicubic unless told otherwise, and checks that they leave nothing."""
    before = set(threading.enumerate())
    windows: list[Window] = []

    def make_one(services: Services | None = None, **settings: object) -> Window:
        chosen = Settings.model_validate({"method": "bicubic", "scale": 4, **settings})
        window = make_window(qapp, chosen, services)
        window.resize(*WINDOW_SIZE)
        windows.append(window)
        window.show()
        qtbot.waitExposed(window)
        return window

    yield make_one
    for window in windows:
        window.close()
        window.deleteLater()
        qapp.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)
    for thread in set(threading.enumerate()) - before:
        thread.join(30)  # on a busy machine a cancelled job needs a while to notice
    assert set(threading.enumerate()) == before
    assert not [widget for widget in qapp.topLevelWidgets() if isinstance(widget, Window)]


@pytest.fixture
def window(make: MakeWindow) -> Window:
    return make()


@pytest.fixture
def slow_services() -> tuple[Services, threading.Event]:
    """The program's services, whose enhancers wait for the event before every tile."""
    gate = threading.Event()
    services = project_services()

    def make_enhancer(settings: EnhanceSettings) -> Enhancer:
        inner = services.make_enhancer(settings)

        class Waiting:
            margin, model, whole_image_only = inner.margin, inner.model, inner.whole_image_only
            method, scale, degradation = inner.method, inner.scale, inner.degradation
            fidelity, back_projection = inner.fidelity, inner.back_projection

            def fitted_to(self, rgb: FloatImage) -> Self:
                return self

            def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
                assert gate.wait(20)
                return inner.enhance_region(rgb, region)

        return Waiting()

    return replace(services, make_enhancer=make_enhancer), gate
