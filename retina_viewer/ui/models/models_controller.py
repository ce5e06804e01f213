"""What the window has of the models: the dialog, the comparison, and that everything follows."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QWidget

from retina_viewer.ui.icons import Icons
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.models.installed_models import InstalledModels, ModelEntry
from retina_viewer.ui.models.models_dialog import ModelsDialog
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.view import View


class ModelsController(QObject):
    """Made with the window; the dialog is made when it is first wanted."""

    changed = Signal()
    """Other models are installed or in use than before."""
    used = Signal(object)
    """(ModelCard): the person wants to work with it"""
    compare_wanted = Signal(object, object)
    """(the ModelEntries of a task, the names of the two to begin with)"""
    looked = Signal(object)
    """(InstalledModels): what is installed now"""
    retrain_wanted = Signal(object)
    """(ModelCard) to begin a training with"""

    def __init__(self, services: Services, jobs: Jobs, view: View, window: QWidget) -> None:
        super().__init__(window)
        self._services, self._jobs, self._view = services, jobs, view
        self._window = window
        self._icons: Icons | None = None
        self.dialog: ModelsDialog | None = None
        view.photo_changed.connect(self._photo_changed)

    def fill_menu(self, menu: QMenu) -> None:
        """Add what can be done about models."""
        menu.addAction("Models…\tCtrl+M", self.show)

    def show(self) -> None:
        """The dialog, with what is installed now."""
        if self.dialog is None:
            self.dialog = ModelsDialog(self._jobs, Path.home(), self._window)
            self.dialog.operations.changed.connect(self.changed)
            self.dialog.operations.looked.connect(self.looked)
            self.dialog.operations.used.connect(self.used)
            self.dialog.compare_wanted.connect(self.compare)
            self.dialog.retrain_wanted.connect(self.retrain_wanted)
            if self._icons is not None:
                self.dialog.use_icons(self._icons)
        self.dialog.present(has_photo=self._view.photo is not None)

    def refresh(self) -> None:
        """Models have come or gone elsewhere: an open dialog shows it."""
        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.operations.look()

    def compare(self, entry: ModelEntry, installed: InstalledModels) -> None:
        """A model beside the one in use, or, where it is that, beside the next one of its task."""
        entries = installed.of(entry.card.task)
        others = [one.card.name for one in entries if one.card.name != entry.card.name]
        if self._view.photo is None or not others or not self._view.may_enlarge():
            return
        if self.dialog is not None:
            self.dialog.close()  # it would cover them
        self.compare_wanted.emit(entries, (others[0], entry.card.name))

    def use_icons(self, icons: Icons) -> None:
        self._icons = icons
        if self.dialog is not None:
            self.dialog.use_icons(icons)

    def _photo_changed(self, photo: object) -> None:
        if self.dialog is not None:
            self.dialog.set_has_photo(photo is not None)
