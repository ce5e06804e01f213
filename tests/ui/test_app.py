"""The window rendered without a display."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from retina_viewer.core.errors import UserError
from retina_viewer.ui.app import has_display, render_window


def test_the_rendered_window_shows_the_finished_result(
    qtbot: QtBot, photograph: Path, tmp_path: Path
) -> None:
    png = tmp_path / "window.png"
    render_window(photograph, png, method="bicubic", scale=4, size=(1200, 760), layers=["saliency"])
    with Image.open(png) as image:
        assert image.size == (1200, 760)
        pixels = np.asarray(image.convert("RGB"), int)
    stage = pixels[60:700, 20:880]
    assert stage.std() > 30  # a picture, not an empty stage
    assert (stage[..., 0] - stage[..., 2] > 60).mean() > 0.1  # and it is a retina


def test_a_file_that_cannot_be_read_is_an_error(qtbot: QtBot, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(UserError, match=r"broken\.png"):
        render_window(broken, tmp_path / "window.png", method="bicubic", scale=2)
    assert not (tmp_path / "window.png").exists()


def test_has_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert not has_display()
    monkeypatch.setenv("DISPLAY", ":0")
    assert has_display()
    monkeypatch.delenv("DISPLAY")
    monkeypatch.setattr("sys.platform", "darwin")
    assert has_display()
