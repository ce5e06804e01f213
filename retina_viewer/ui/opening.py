"""Ways to a photograph: dialogs, recent files, the samples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QSettings, Qt
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from retina_viewer.core.names import readable
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.settings import Settings
from retina_viewer.imaging.formats import SUFFIXES
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.library import Library

FILTER = f"Photographs ({' '.join(f'*{suffix}' for suffix in SUFFIXES)});;All files (*)"
MASKS = ("_fov", "_vessels", "_ma")
"""Endings of files beside the samples that are no photographs."""


def samples() -> list[Path]:
    """The bundled photographs, by name."""
    pictures = [
        path
        for path in (resources_dir() / "samples").iterdir()
        if path.suffix in (".jpg", ".png", ".tif")
    ]
    return sorted(path for path in pictures if not path.stem.endswith(MASKS))


def ask_for(
    parent: QWidget, title: str, folder: Path | None, chosen: Callable[[list[Path]], object],
    *, folders: bool = False,
) -> None:  # fmt: skip
    """Have photographs or a folder chosen; the window goes on working behind the question.

    Args:
        folder: where it begins; None for Qt's own choice.
        folders: a folder is wanted, which is given as a list of one.
    """
    dialog, mode = QFileDialog(parent, title), QFileDialog.FileMode
    dialog.setFileMode(mode.Directory if folders else mode.ExistingFiles)
    if folders:
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    else:
        dialog.setNameFilter(FILTER)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if folder is not None:
        dialog.setDirectory(str(folder))
    dialog.filesSelected.connect(lambda names: chosen([Path(name) for name in names]))
    dialog.open()


class Opening(QObject):
    """The open menu and what it leads to."""

    def __init__(self, library: Library, settings: Settings, window: QWidget) -> None:
        super().__init__(window)
        self._library = library
        self._settings = settings
        self._window = window

    def fill_menu(self, menu: QMenu) -> None:
        menu.clear()
        menu.addAction("Open photographs…\tCtrl+O", self.ask_for_files)
        menu.addAction("Open a folder…\tCtrl+Shift+O", self.ask_for_folder)
        menu.addAction("Open a sample", self.open_sample)
        # Not asked whether they exist: a drive that does not answer would stop the window.
        recent = self._settings.recent_files
        if recent:
            menu.addSeparator()
            menu.addAction("Recent").setEnabled(False)
            for path in recent:
                name = readable(path.name).replace("&", "&&")
                menu.addAction(name, partial(self._library.open, [path]))
            menu.addSeparator()
            menu.addAction("Forget recent files and folders", self.forget)

    def ask_for_files(self) -> None:
        folder = self._settings.last_folder
        ask_for(self._window, "Open photographs", folder, self._library.open)

    def ask_for_folder(self) -> None:
        folder = self._settings.last_folder
        ask_for(self._window, "Open a folder", folder, self._library.open, folders=True)

    def open_sample(self) -> None:
        """All samples in the strip, the first one shown."""
        self._library.show_only(samples())

    def remember(self, photo: Photo) -> None:
        """Put it on the list of recent files; samples are not the person's own."""
        path = photo.image.path
        if path is not None and path.parent != resources_dir() / "samples":
            self._settings.remember_file(path)

    def forget(self) -> None:
        """Also where photographs were opened from and saved to: folders may be named after people,
        and what the file dialog remembers by itself."""
        self._settings.forget_places()
        dialogs = QSettings(QSettings.Scope.UserScope, "QtProject")
        for key in ("history", "lastVisited"):
            dialogs.remove(f"FileDialog/{key}")

    def folder_of(self, photo: Photo) -> Path:
        """Where results of a photograph go unless the person says otherwise."""
        path = photo.image.path
        if path is None or path.parent == resources_dir() / "samples":
            return Path.home()
        return path.parent
