"""The main window: makes the parts and connects them; decides nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from retina_viewer.core.names import readable
from retina_viewer.core.settings import Settings
from retina_viewer.imaging.field_of_view import FieldOfView
from retina_viewer.ui.canvas.stage import Stage
from retina_viewer.ui.commands import Commands
from retina_viewer.ui.comparison.desk import ComparisonDesk
from retina_viewer.ui.device_choice import DeviceChoice
from retina_viewer.ui.dialogs.report_dialog import KeysDialog
from retina_viewer.ui.exports import Exports
from retina_viewer.ui.input import DropTarget, HeldKeys, add_shortcuts
from retina_viewer.ui.inspector import Inspector
from retina_viewer.ui.interaction import Interaction
from retina_viewer.ui.job import Lane
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.library import Library
from retina_viewer.ui.looks import Looks
from retina_viewer.ui.model_changes import ModelChanges
from retina_viewer.ui.models.models_controller import ModelsController
from retina_viewer.ui.opening import Opening
from retina_viewer.ui.photo import Photo
from retina_viewer.ui.problems import Problems
from retina_viewer.ui.readouts import Readouts
from retina_viewer.ui.remembered import remember, state_from
from retina_viewer.ui.services import Services
from retina_viewer.ui.theme import Tokens
from retina_viewer.ui.training.training_controller import TrainingController
from retina_viewer.ui.viewer import Viewer
from retina_viewer.ui.widgets.banner import Banner
from retina_viewer.ui.widgets.empty import DropHint, Empty
from retina_viewer.ui.widgets.filmstrip import Filmstrip
from retina_viewer.ui.widgets.statusbar import StatusBar
from retina_viewer.ui.widgets.toolbar import Toolbar


class Window(QMainWindow):
    """Retina Viewer's window."""

    theme_chosen = Signal(str)

    def __init__(self, services: Services, settings: Settings, tokens: Tokens) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle("Retina Viewer")
        self.setMinimumSize(1040, 640)
        self.services, self.settings = services, settings
        self.jobs = Jobs(self)
        self.library = Library(services, self.jobs, self)
        self.stage = Stage()
        catalogue = services.catalogue()
        state = state_from(settings, catalogue)
        self.viewer = Viewer(services, catalogue, self.jobs, self.stage, state)
        self.viewer.device = settings.device
        self.commands = Commands(self.viewer, self.library)
        self.interaction = Interaction(self.viewer, self.stage)
        self.opening = Opening(self.library, settings, self)
        self.open_menu = QMenu(self)
        self.toolbar = Toolbar(catalogue.methods, self.open_menu)
        self.banner = Banner()
        self.empty = Empty()
        self.filmstrip = Filmstrip(self.library, tokens)
        self.inspector = Inspector(self.viewer, self.commands, self.jobs, settings.theme)
        self.statusbar = StatusBar(self.jobs)
        self.readouts = Readouts(
            self.viewer, self.interaction, self.library, self.toolbar, self.statusbar
        )
        self.devices = DeviceChoice(services, self.jobs, self.viewer, self.toolbar, self)
        self.drop_hint = DropHint(self)
        self.problems = Problems(self.banner, self)
        choosers = (self.toolbar.method, self.inspector.enhance.method)
        self.models = ModelChanges(services, self.viewer, self.commands, choosers)
        self.training = TrainingController(self.jobs, settings, self)
        self.manager = ModelsController(services, self.jobs, self.viewer, self)
        self.comparisons = ComparisonDesk(services, self.jobs, self.viewer, settings, self)
        self.exports = Exports(self.viewer, self.opening, settings, self)
        self.looks = Looks(
            tokens,
            (
                self.toolbar,
                self.banner,
                self.empty,
                self.inspector,
                self.statusbar,
                self.manager,
                self.comparisons,
            ),
            (self.filmstrip,),
            self,
        )
        self._arrange()
        self._connect()
        self.models.connect(self.toolbar.models_menu, self.training, self.manager)
        add_shortcuts(self, self._commands(), self.commands)
        self._held = HeldKeys(self, self.commands)
        self._drops = DropTarget(self, self.drop_hint, self.library.open)
        self.stage.set_layout(state.layout, loupe=state.loupe_shown)
        self.devices.look()

    def _arrange(self) -> None:
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.stage)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.filmstrip)
        middle.addWidget(self._pages, 1)
        middle.addWidget(self.inspector)
        self.filmstrip.hide()
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.toolbar)
        column.addWidget(self.banner)
        column.addWidget(self.training.waiting_bar)
        column.addLayout(middle, 1)
        column.addWidget(self.statusbar)
        self.statusbar.add_training(self.training.chip)
        self.setCentralWidget(central)

    def _connect(self) -> None:
        library, viewer, toolbar = self.library, self.viewer, self.toolbar
        library.opened.connect(self._photo_opened)
        library.failed.connect(self._photo_failed)
        library.list_changed.connect(lambda: self.filmstrip.setVisible(len(library.paths) > 1))
        self.filmstrip.picked.connect(library.select)
        viewer.problem.connect(self._problem)
        self.training.problem.connect(self.problems.show)
        self.jobs.unhandled.connect(lambda job, error: self.problems.show(error))
        self.banner.action_clicked.connect(self._try_again)
        toolbar.scale_chosen.connect(self.commands.set_scale)
        toolbar.method_chosen.connect(self.commands.set_method)
        toolbar.layout_chosen.connect(self.commands.set_layout)
        toolbar.export_clicked.connect(self.exports.show)
        toolbar.help_clicked.connect(self.show_keys)
        self.open_menu.aboutToShow.connect(lambda: self.opening.fill_menu(self.open_menu))
        self.empty.open_clicked.connect(self.opening.ask_for_files)
        self.empty.sample_clicked.connect(self.opening.open_sample)
        self.inspector.information.page_chosen.connect(library.show_page)
        self.inspector.export_clicked.connect(self.exports.show)
        self.inspector.compare_clicked.connect(self.comparisons.show)
        self.inspector.theme_chosen.connect(self._theme_chosen)
        self.statusbar.cancel_clicked.connect(self.cancel)

    def _commands(self) -> dict[str, Callable[[], None]]:
        """What the names in the key table stand for, where it is not one of the view's commands."""
        return {
            "open_files": self.opening.ask_for_files,
            "open_folder": self.opening.ask_for_folder,
            "export": self.exports.show,
            "toggle_information": self.inspector.toggle_information,
            "cancel": self.cancel,
            "show_keys": self.show_keys,
            "train": self.training.show,
            "models": self.manager.show,
            "compare": self.comparisons.show,
        }

    # What the person does

    def open(self, paths: Sequence[Path]) -> None:
        """Open files and folders."""
        self.library.open(paths)

    def cancel(self) -> None:
        """Close the message, or else stop what is being computed."""
        if self.banner.isVisible():
            self.banner.hide()
            return
        self.jobs.cancel_where(lambda job: bool(job.title))
        self.viewer.cancelled()

    def show_keys(self) -> None:
        dialog = KeysDialog(self)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # What comes back

    def _photo_opened(self, photo: Photo) -> None:
        self.banner.hide()
        self._pages.setCurrentWidget(self.stage)
        self.viewer.show_photo(photo, self.library.asked_at)
        self.setWindowTitle(f"{readable(photo.image.name)} - Retina Viewer")
        self.stage.setFocus()
        self.opening.remember(photo)
        self._measure_field_of_view(photo)

    def _measure_field_of_view(self, photo: Photo) -> None:
        def done(field: FieldOfView) -> None:
            self.viewer.take_field_of_view(field)
            self.inspector.information.show_field_of_view(field)

        self.jobs.submit(
            "field of view", lambda progress: photo.image.field_of_view, done, lane=Lane.WORK
        )

    def _photo_failed(self, path: Path, error: Exception) -> None:
        """The photograph on the screen, its title and its results stay as they are."""
        self.problems.show(error)

    def _problem(self, error: Exception) -> None:
        self.problems.show(error, self.viewer.remedy, calm=self.viewer.needs_yes)

    def _try_again(self) -> None:
        self.banner.hide()
        self.viewer.retry()

    def use_tokens(self, tokens: Tokens) -> None:
        """Take a theme's colours where the style sheet does not reach."""
        self.looks.use_tokens(tokens)

    def _theme_chosen(self, theme: str) -> None:
        self.settings.theme = theme  # type: ignore[assignment]
        self.theme_chosen.emit(theme)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.looks.ask_for_icons(self.jobs)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.drop_hint.setGeometry(self.rect().adjusted(8, 8, -8, -8))

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.training.may_close():
            event.ignore()
            return
        remember(self.settings, self.viewer)
        self.jobs.close()
        super().closeEvent(event)
