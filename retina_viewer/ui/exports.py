"""Exporting what is on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from retina_viewer.core.settings import Settings
from retina_viewer.ui.dialogs.export_dialog import ExportDialog
from retina_viewer.ui.dialogs.export_products import ExportRequest
from retina_viewer.ui.opening import Opening
from retina_viewer.ui.viewer import Viewer

if TYPE_CHECKING:
    from retina_viewer.ui.window import Window


class Exports(QObject):
    """Opens the export dialog on the shown photograph and remembers the folder."""

    def __init__(
        self, viewer: Viewer, opening: Opening, settings: Settings, window: Window
    ) -> None:
        super().__init__(window)
        self._viewer = viewer
        self._opening = opening
        self._settings = settings
        self._window = window

    def show(self) -> None:
        """Open the dialog; nothing happens without a photograph."""
        photo, view = self._viewer.photo, self._viewer.view
        if photo is None or not self._viewer.may_enlarge():
            return
        request = ExportRequest(
            photo.image,
            making=self._viewer.making,
            layers=view.layers,
            colour_map=view.colour_map,
            saliency_style=view.saliency_style,
            mark=self._settings.export_mark,
        )
        folder = self._settings.export_folder or self._opening.folder_of(photo)
        window = self._window
        dialog = ExportDialog(request, folder, window.services, window.jobs, window)
        dialog.exported.connect(self._exported)
        dialog.mark.toggled.connect(self._mark_chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _mark_chosen(self, on: bool) -> None:
        self._settings.export_mark = on

    def _exported(self, paths: list[Path]) -> None:
        self._settings.export_folder = paths[0].parent
