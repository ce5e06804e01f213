"""What the window has of the comparison of methods."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from retina_viewer.core.settings import Settings
from retina_viewer.ui.comparison.dialog import MethodsDialog
from retina_viewer.ui.icons import Icons
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.view import Viewer


class ComparisonDesk(QObject):
    """At most one comparison of methods at a time; made when it is wanted, gone when closed."""

    def __init__(
        self, services: Services, jobs: Jobs, viewer: Viewer, settings: Settings, window: QWidget
    ) -> None:
        super().__init__(window)
        self._services, self._jobs, self._viewer = services, jobs, viewer
        self._settings, self._window = settings, window
        self._icons: Icons | None = None
        self.dialog: MethodsDialog | None = None

    def show(self) -> None:
        """Open the comparison, or bring it to the front."""
        if self.dialog is None and not self._viewer.may_enlarge():
            return
        if self.dialog is None:
            dialog = self.dialog = MethodsDialog(
                self._viewer, self._services, self._jobs, self._settings, self._window
            )
            dialog.finished.connect(self._closed)
            if self._icons is not None:
                dialog.use_icons(self._icons)
            dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def use_icons(self, icons: Icons) -> None:
        self._icons = icons
        if self.dialog is not None:
            self.dialog.use_icons(icons)

    def _closed(self) -> None:
        self.dialog = None
