"""The open menu: recent photographs, and forgetting them."""

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QSettings, QUrl
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from retina_viewer.core.paths import settings_file
from retina_viewer.core.settings import load_settings, save_settings
from retina_viewer.ui.input import paths_in
from retina_viewer.ui.window import Window


def entries(window: Window) -> list[str]:
    window.opening.fill_menu(window.open_menu)
    return [action.text() for action in window.open_menu.actions()]


def test_recent_names_are_shown_whatever_they_are_made_of(make: Callable[..., Window]) -> None:
    window = make(recent_files=[Path("/gone/a & b.png"), Path(os.fsdecode(b"/gone/M\xfcller.png"))])
    assert {"a && b.png", "M\\xfcller.png"} <= set(entries(window))


def test_forget_leaves_nothing_that_names_a_photograph_or_a_folder(
    make: Callable[..., Window], tmp_path: Path
) -> None:
    folder = tmp_path / "Miller Anna"
    folder.mkdir()
    # As the program does: where Qt's own dialogs remember.
    kept = str(settings_file().parent)
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, kept)
    window = make(recent_files=[folder / "left.png"], last_folder=folder, export_folder=folder)
    dialog = QFileDialog(window)
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.setDirectory(str(folder))
    dialog.setHistory([str(folder)])
    dialog.done(0)
    dialog.deleteLater()
    del dialog
    window.opening.forget()
    save_settings(window.settings)
    assert "left.png" not in entries(window)
    written = [path for path in settings_file().parent.rglob("*") if path.is_file()]
    assert written
    assert not any("Miller" in path.read_text(encoding="utf-8") for path in written)


def test_a_photograph_whose_name_is_not_utf_8_is_dropped_and_shown(
    make: Callable[..., Window], qtbot: QtBot, photograph: Path
) -> None:
    odd = photograph.with_name(os.fsdecode(b"M\xfcller 100%.png"))
    photograph.rename(odd)
    data = QMimeData()
    data.setUrls([QUrl.fromEncoded(odd.as_uri().encode())])
    assert paths_in(data) == [odd]
    window = make()
    window.open(paths_in(data))
    qtbot.waitUntil(lambda: window.view.photo is not None, timeout=20_000)
    assert window.windowTitle() == "M\\xfcller 100%.png - Retina Viewer"
    save_settings(window.settings)
    assert load_settings().recent_files == [odd]
