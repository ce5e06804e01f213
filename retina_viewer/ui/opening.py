"""Ways to a photograph: dialogs, recent files, the samples."""

from __future__ import annotations

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
        dialog = self._dialog("Open photographs", QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilter(FILTER)
        dialog.open()

    def ask_for_folder(self) -> None:
        dialog = self._dialog("Open a folder", QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.open()

    def _dialog(self, title: str, mode: QFileDialog.FileMode) -> QFileDialog:
        """Not modal to the event loop: the window goes on working behind it."""
        dialog = QFileDialog(self._window, title)
        dialog.setFileMode(mode)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self._settings.last_folder is not None:
            dialog.setDirectory(str(self._settings.last_folder))
        dialog.filesSelected.connect(
            lambda names: self._library.open([Path(name) for name in names])
        )
        return dialog

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
