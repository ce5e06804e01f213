"""The main window: makes the parts and connects them; decides nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from retina_viewer.core.errors import UserError, mendable
from retina_viewer.core.log import recent_lines
from retina_viewer.core.names import readable
from retina_viewer.core.progress import Progress
from retina_viewer.core.settings import Settings
from retina_viewer.imaging.field_of_view import FieldOfView
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.store import find_model
from retina_viewer.networks.devices import Device
from retina_viewer.ui.canvas.photo import Photo, detailed_place
from retina_viewer.ui.canvas.scene import Point
from retina_viewer.ui.comparison.comparison_controller import ComparisonController
from retina_viewer.ui.dialogs.export_dialog import ExportDialog
from retina_viewer.ui.dialogs.export_products import ExportRequest
from retina_viewer.ui.dialogs.report_dialog import KeysDialog, ReportDialog, report_on
from retina_viewer.ui.icons import Looks
from retina_viewer.ui.input import DropTarget, HeldKeys, add_shortcuts
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.library import Library
from retina_viewer.ui.models.models_controller import ModelsController
from retina_viewer.ui.opening import Opening
from retina_viewer.ui.panels.filmstrip import Filmstrip
from retina_viewer.ui.panels.inspector import Inspector
from retina_viewer.ui.panels.statusbar import StatusBar
from retina_viewer.ui.panels.toolbar import COMPARE, SLIDER, Toolbar
from retina_viewer.ui.services import Services
from retina_viewer.ui.start import remember, state_from
from retina_viewer.ui.theme import Tokens
from retina_viewer.ui.training.training_controller import TrainingController
from retina_viewer.ui.view.arrange import Arrangement
from retina_viewer.ui.view.controller import Controller
from retina_viewer.ui.view.stage import Stage
from retina_viewer.ui.view.view import View
from retina_viewer.ui.widgets.banner import Banner
from retina_viewer.ui.widgets.empty import DropHint, Empty
from retina_viewer.ui.widgets.method_chooser import MethodChooser


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
        self.view = View(services, catalogue, self.jobs, self.stage, state)
        self.view.choose_device(settings.device)
        self.controller = Controller(self.view, self.stage)
        self.opening = Opening(self.library, settings, self)
        self.open_menu = QMenu(self)
        self.toolbar = Toolbar(self.view, self.controller, self.open_menu)
        self.banner = Banner()
        self.empty = Empty()
        self.filmstrip = Filmstrip(self.library, tokens)
        self.inspector = Inspector(self.view, self.controller, self.jobs, settings.theme)
        self.statusbar = StatusBar(self.view, self.controller, self.jobs, self.library)
        self.drop_hint = DropHint(self)
        self.problems = Problems(self.banner, self)
        choosers = (self.toolbar.method, self.inspector.enhance.method)
        self.models = ModelChanges(services, self.view, self.controller, choosers)
        self.training = TrainingController(self.jobs, settings, self)
        self.manager = ModelsController(services, self.jobs, self.view, self)
        self.comparison = ComparisonController(self.view, self.stage, services, self.jobs, settings)
        self.looks = Looks(
            tokens,
            (
                self.toolbar,
                self.banner,
                self.empty,
                self.inspector,
                self.statusbar,
                self.manager,
                self.comparison,
            ),
            (self.filmstrip,),
            self,
        )
        self._arrange()
        self._connect()
        self.models.connect(self.toolbar.models_menu, self.training, self.manager)
        add_shortcuts(self, self._commands(), self.controller)
        self._held = HeldKeys(self, self.view, self.controller)
        self._drops = DropTarget(self, self.drop_hint, self.library.open)
        self._look_for_devices()

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
        self.inspector.setVisible(self.settings.inspector_shown)
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for row in (self.toolbar, self.banner, self.training.waiting_bar, self.comparison.header):
            column.addWidget(row)
        column.addLayout(middle, 1)
        column.addWidget(self.statusbar)
        self.statusbar.add_training(self.training.chip)
        self.setCentralWidget(central)

    def _connect(self) -> None:
        library, view, toolbar = self.library, self.view, self.toolbar
        library.opened.connect(self._photo_opened)
        # The photograph on the screen, its title and its results stay as they are.
        library.failed.connect(lambda path, error: self.problems.show(error))
        library.list_changed.connect(self._show_filmstrip)
        self.filmstrip.picked.connect(library.select)
        view.photo_changed.connect(self._look_into)
        view.problem.connect(self._problem)
        self.comparison.problem.connect(self._problem)
        self.manager.compare_wanted.connect(self.comparison.start_models)
        self.manager.looked.connect(self.comparison.use_models)
        self.training.problem.connect(self.problems.show)
        self.jobs.unhandled.connect(lambda job, error: self.problems.show(error))
        self.banner.action_clicked.connect(self._try_again)
        toolbar.layout_chosen.connect(self._layout_chosen)
        toolbar.device_chosen.connect(self._device_chosen)
        toolbar.export_clicked.connect(self.export)
        toolbar.help_clicked.connect(self.show_keys)
        self.open_menu.aboutToShow.connect(lambda: self.opening.fill_menu(self.open_menu))
        self.empty.open_clicked.connect(self.opening.ask_for_files)
        self.empty.sample_clicked.connect(self.opening.open_sample)
        self.inspector.information.page_chosen.connect(library.show_page)
        self.inspector.enhance.export_clicked.connect(self.export)
        self.inspector.enhance.compare_clicked.connect(self.comparison.toggle)
        self.inspector.view_panel.theme_chosen.connect(self._theme_chosen)
        self.statusbar.cancel_clicked.connect(self.cancel)

    def _commands(self) -> dict[str, Callable[..., object]]:
        """What the names in the key table stand for, where it is not one of the view's commands."""
        return {
            "open_files": self.opening.ask_for_files,
            "open_folder": self.opening.ask_for_folder,
            "next_photo": lambda: self.library.step(1),
            "previous_photo": lambda: self.library.step(-1),
            "export": self.export,
            "toggle_information": self.inspector.toggle_information,
            "toggle_inspector": self.toggle_inspector,
            "toggle_filmstrip": self.toggle_filmstrip,
            "cancel": self.cancel,
            "show_keys": self.show_keys,
            "train": self.training.show,
            "models": self.manager.show,
            "compare": self.comparison.toggle,
            "show_alone": self.comparison.show_alone,
            "show_all": self.comparison.show_all,
            "show_next": self.comparison.show_next,
            "show_before": lambda: self.comparison.show_next(-1),
            "blink": self.comparison.toggle_blink,
            "swap": self.comparison.swap,
            "reference": self.comparison.ask_for_reference,
            "save_comparison": self.comparison.save,
        }

    # What the person does

    def open(self, paths: Sequence[Path]) -> None:
        """Open files and folders."""
        self.library.open(paths)

    def cancel(self) -> None:
        """Close the message, or show all cells again, or else stop what is being computed."""
        if self.banner.isVisible():
            self.banner.hide()
            return
        if self.comparison.show_all():
            return
        self.jobs.cancel_where(lambda job: bool(job.title))
        self.view.cancelled()

    def show_keys(self) -> None:
        dialog = KeysDialog(self)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def toggle_inspector(self) -> None:
        self.settings.inspector_shown = not self.inspector.isVisible()
        self.inspector.setVisible(self.settings.inspector_shown)

    def toggle_filmstrip(self) -> None:
        self.settings.filmstrip_shown = not self.settings.filmstrip_shown
        self._show_filmstrip()

    def _show_filmstrip(self) -> None:
        """Where there is more than one photograph, unless the person has hidden it."""
        self.filmstrip.setVisible(self.settings.filmstrip_shown and len(self.library.paths) > 1)

    def _layout_chosen(self, layout: str) -> None:
        if (layout == COMPARE) != self.comparison.is_shown:
            self.comparison.toggle()
        is_slider = self.view.state.arrangement is Arrangement.SLIDER
        if (layout == SLIDER) != is_slider:
            self.controller.next_arrangement()

    def export(self) -> None:
        """Open the export dialog; nothing happens without a photograph."""
        photo, picture = self.comparison.reference.opened, self.view.picture
        if photo is None or not self.view.may_enlarge():
            return
        request = ExportRequest(
            photo.image,
            settings=self.view.settings,
            layers=picture.layers,
            colour_map=picture.colour_map,
            saliency_style=picture.saliency_style,
            mark=self.settings.export_mark,
        )
        folder = self.settings.export_folder or self.opening.folder_of(photo)
        dialog = ExportDialog(request, folder, self.services, self.jobs, self)
        dialog.exported.connect(self._exported)
        dialog.mark.toggled.connect(self._mark_chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _mark_chosen(self, on: bool) -> None:
        self.settings.export_mark = on

    def _exported(self, paths: list[Path]) -> None:
        self.settings.export_folder = paths[0].parent

    def _device_chosen(self, device: str) -> None:
        self.view.choose_device(device)
        self.toolbar.show_device(device)

    # What comes back

    def _look_for_devices(self) -> None:
        """In the background, since a GPU's driver takes seconds to answer."""

        def done(devices: Sequence[Device]) -> None:
            self.toolbar.show_devices(devices, self.view.data.device)

        self.jobs.submit("devices", lambda progress: self.services.devices(), done)

    def _photo_opened(self, photo: Photo) -> None:
        self.banner.hide()
        self._pages.setCurrentWidget(self.stage)
        self.view.show_photo(photo, self.library.asked_at)
        self.setWindowTitle(f"{readable(photo.image.name)} - Retina Viewer")
        self.stage.setFocus()
        self.opening.remember(photo)

    def _look_into(self, photo: Photo) -> None:
        """Find the field of view, and where there is most to see in it."""

        def work(progress: Progress) -> tuple[FieldOfView, Point]:
            return photo.image.field_of_view, detailed_place(photo.image)

        def done(found: tuple[FieldOfView, Point]) -> None:
            self.view.take_field_of_view(*found)
            self.inspector.information.show_field_of_view(found[0])

        self.jobs.submit("field of view", work, done, lane=Lane.WORK)

    def _problem(self, error: Exception) -> None:
        self.problems.show(error, self.view.remedy, calm=self.view.data.needs_yes)

    def _try_again(self) -> None:
        self.banner.hide()
        self.comparison.retry()
        self.view.retry()

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
        self.comparison.stop()
        remember(self.settings, self.view)
        self.jobs.close()
        super().closeEvent(event)


class Problems(QObject):
    """Where errors go, one at a time: what a person can mend into the banner, bugs into the one
    dialog."""

    def __init__(self, banner: Banner, window: QWidget) -> None:
        super().__init__(window)
        self._banner, self._window = banner, window
        self.dialog: ReportDialog | None = None

    def show(self, error: BaseException, action: str = "", *, calm: bool = False) -> None:
        """Show an error in the way it deserves.

        Args:
            action: labels the banner's button.
            calm: it is a question, and no failure.
        """
        known = mendable(error)
        if known is not None:
            cause = error.__cause__
            details = f"{type(cause).__name__}: {cause}" if cause is not None else ""
            self._banner.show_problem(known.message, known.hint, details, action, calm=calm)
            return
        if self.dialog is not None:
            return  # the first error is the one to report; others mostly follow from it
        self.dialog = ReportDialog(report_on(error, recent_lines(20)), self._window)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.finished.connect(self._closed)
        self.dialog.open()

    def _closed(self) -> None:
        self.dialog = None


class ModelChanges:
    """Brings everything up to what is installed.

    Args:
        choosers: of methods.
    """

    def __init__(
        self,
        services: Services,
        view: View,
        controller: Controller,
        choosers: Sequence[MethodChooser],
    ) -> None:
        self._services, self._view, self._controller = services, view, controller
        self._choosers = choosers
        self._vessels = _vessel_weights()

    def connect(self, menu: QMenu, training: TrainingController, manager: ModelsController) -> None:
        """Follow what is kept, installed and chosen there, and let a menu lead to both."""
        menu.aboutToShow.connect(lambda: training.fill_menu(menu))
        menu.aboutToShow.connect(lambda: manager.fill_menu(menu))
        manager.changed.connect(self.refresh)
        manager.used.connect(self.use)
        manager.retrain_wanted.connect(training.train_from)
        training.kept.connect(self.use)
        training.kept.connect(manager.refresh)

    def refresh(self) -> None:
        """Look again what is installed; what is gone is replaced by its method's default."""
        vessels = _vessel_weights()
        if vessels != self._vessels:
            self._vessels = vessels
            self._view.layers.forget_vessels()
        catalogue = self._services.catalogue()
        for chooser in self._choosers:
            chooser.offer(catalogue.methods)
        self._view.use_catalogue(catalogue)

    def use(self, card: ModelCard) -> None:
        """Enlarge with a model that has just been installed; one for vessels changes nothing
        until it is the default of its task."""
        self.refresh()
        if card.task == "superres":
            self._controller.set_method(card.enhancer_method)
            self._controller.choose(model=card.name)


def _vessel_weights() -> str:
    """Of the network that finds vessels, whatever it is called; empty where there is none."""
    try:
        return find_model(default_model("vessels")).weights_sha256
    except UserError:
        return ""
