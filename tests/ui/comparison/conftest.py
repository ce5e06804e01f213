"""A window with a photograph, and its comparison."""

from pathlib import Path

import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from retina_viewer.ui.catalogue import ResultChoice
from retina_viewer.ui.comparison.comparison_controller import ComparisonController
from retina_viewer.ui.window import Window
from tests.ui.conftest import SAMPLES

WAIT = 30_000


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A whole view of 128 x 128 pixels: LPIPS takes its time."""
    with Image.open(SAMPLES / "chase_14L.jpg") as image:
        small = image.convert("RGB").resize((128, 128), Image.Resampling.BOX)
    path = tmp_path / "photograph.png"
    small.save(path)
    return path


@pytest.fixture
def with_photo(window: Window, photograph: Path, qtbot: QtBot) -> Window:
    with qtbot.waitSignal(window.library.opened, timeout=WAIT):
        window.open([photograph])
    return window


@pytest.fixture
def comparison(with_photo: Window) -> ComparisonController:
    """Bicubic beside Lanczos, so that a test computes little; ×2."""
    return compare(with_photo, "bicubic", "lanczos")


def compare(window: Window, *methods: str, scale: int = 2) -> ComparisonController:
    """Open the comparison and choose methods."""
    window.comparison.start()
    window.view.state.results = tuple(ResultChoice(method) for method in methods)
    window.toolbar.scales.button(scale).click()
    return window.comparison


def finish(window: Window, qtbot: QtBot) -> None:
    """Wait until every result is shown whole."""
    qtbot.waitUntil(
        lambda: all(one.wanted and one.sharp >= 1 for one in window.view.picture.results),
        timeout=WAIT,
    )
