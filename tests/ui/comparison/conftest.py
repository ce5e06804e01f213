"""A window with a photograph, and its comparison of methods."""

from pathlib import Path

import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from retina_viewer.ui.comparison.dialog import MethodsDialog
from retina_viewer.ui.window import Window
from tests.ui.conftest import SAMPLES

WAIT = 30_000


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A whole view of 128 x 120 pixels: LPIPS takes its time."""
    with Image.open(SAMPLES / "chase_14L.jpg") as image:
        small = image.convert("RGB").resize((128, 120), Image.Resampling.BOX)
    path = tmp_path / "photograph.png"
    small.save(path)
    return path


@pytest.fixture
def with_photo(window: Window, photograph: Path, qtbot: QtBot) -> Window:
    with qtbot.waitSignal(window.library.opened, timeout=WAIT):
        window.open([photograph])
    return window


@pytest.fixture
def dialog(with_photo: Window) -> MethodsDialog:
    """Bicubic beside Lanczos, so that a test computes little; ×2."""
    return compare(with_photo, "bicubic", "lanczos")


def compare(window: Window, *methods: str, scale: int = 2) -> MethodsDialog:
    """Open the comparison and choose methods."""
    window.comparisons.show()
    dialog = window.comparisons.dialog
    assert dialog is not None
    dialog.comparison.choice.chosen = list(methods)
    dialog.header.scales.button(scale).click()
    return dialog


def finish(dialog: MethodsDialog, qtbot: QtBot) -> None:
    """Wait until every pane shows all of its result."""
    count = len(dialog.comparison.choice.chosen)
    qtbot.waitUntil(
        lambda: all(
            one.is_finished and pane.scene.request is not None
            for one, pane in zip(
                dialog.comparison.enlargings[:count], dialog.stage.panes, strict=False
            )
        ),
        timeout=WAIT,
    )
