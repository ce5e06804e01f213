"""The window rendered without a display."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from retina_viewer.core.errors import UserError
from retina_viewer.core.settings import load_settings
from retina_viewer.ui import application
from retina_viewer.ui.app import render_window, run
from retina_viewer.ui.application import has_display
from retina_viewer.ui.start import Start
from retina_viewer.ui.window import Window


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_request_to_end_closes_the_window_and_saves_the_settings(
    qtbot: QtBot, qapp: QApplication
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    QTimer.singleShot(0, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert run([], Start(method="bicubic", scale=8)) == 128 + signal.SIGTERM
    assert load_settings().scale == 8
    assert signal.getsignal(signal.SIGTERM) is before
    for window in [one for one in qapp.topLevelWidgets() if isinstance(one, Window)]:
        window.deleteLater()
        qapp.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="only POSIX has it")
def test_a_closed_terminal_ends_the_event_loop_unless_that_is_ignored(qapp: QApplication) -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        for handler, code in ((signal.SIG_IGN, 7), (signal.SIG_DFL, 128 + signal.SIGHUP)):
            signal.signal(signal.SIGHUP, handler)
            QTimer.singleShot(0, lambda: os.kill(os.getpid(), signal.SIGHUP))
            late = QTimer(singleShot=True, interval=200)
            late.timeout.connect(lambda: qapp.exit(7))
            late.start()
            with application.closing_on_signals():
                assert qapp.exec() == code
            late.stop()
            assert signal.getsignal(signal.SIGHUP) is handler
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_library_that_the_plugin_for_x11_lacks_is_named_before_qt_gives_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setattr(application, "loads", lambda library: "libqxcb" not in library)
    monkeypatch.setattr(application, "missing_packages", lambda: ["libxcb-cursor0"])
    with pytest.raises(UserError, match="libxcb-cursor0") as caught:
        run([], Start())
    assert "apt-get install libxcb-cursor0" in caught.value.hint
