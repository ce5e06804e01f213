"""Two to four methods beside each other on the open photograph, at the same place."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QLabel, QStackedWidget, QVBoxLayout, QWidget

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.core.names import free_paths
from retina_viewer.core.progress import Progress
from retina_viewer.core.settings import Settings
from retina_viewer.ui.comparison.blinking import Blinking
from retina_viewer.ui.comparison.controls import Footer, Header
from retina_viewer.ui.comparison.exporting import file_name, write_comparison
from retina_viewer.ui.comparison.figures import best_of, is_measurable
from retina_viewer.ui.comparison.keys import press
from retina_viewer.ui.comparison.measuring import has_whole
from retina_viewer.ui.comparison.session import KEY, Comparison
from retina_viewer.ui.comparison.stage import ComparisonStage
from retina_viewer.ui.comparison.strip import ROWS
from retina_viewer.ui.icons import Icons
from retina_viewer.ui.input import paths_in
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.opening import FILTER
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.view import Viewer
from retina_viewer.ui.widgets.banner import Banner

SIZE = (1280, 780)
LEAST_SIZE = (720, 620)
EMPTY = "Open a photograph in the window: its enlargements are compared here."


class MethodsDialog(QDialog):
    """See the module. Stays open beside the window and follows its photograph."""

    def __init__(
        self, viewer: Viewer, services: Services, jobs: Jobs, settings: Settings, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Compare methods")
        self.setWindowModality(Qt.WindowModality.NonModal)
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAcceptDrops(True)
        self.setMinimumSize(*LEAST_SIZE)
        self.resize(*SIZE)
        self._viewer, self._services, self._jobs = viewer, services, jobs
        self._settings = settings
        self.banner, self.header, self.footer = Banner(), Header(), Footer()
        self.stage = ComparisonStage()
        self.blinking = Blinking(self)
        self.comparison = Comparison(self.stage.panes, viewer, services, jobs, self)
        self._arrange()
        self._connect()
        self._show()
        self.stage.setFocus()

    def _arrange(self) -> None:
        empty = QLabel(EMPTY)
        empty.setProperty("role", "heading")
        empty.setWordWrap(True)
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedWidget()
        self._pages.addWidget(empty)
        self._pages.addWidget(self.stage)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.banner)
        column.addWidget(self._pages, 1)
        column.addWidget(self.footer)

    def _connect(self) -> None:
        comparison, header = self.comparison, self.header
        comparison.changed.connect(self._show)
        comparison.failed.connect(self._failed)
        self.banner.action_clicked.connect(self._try_again)
        self.blinking.changed.connect(self._alone_changed)
        header.chips.toggled.connect(comparison.toggle)
        header.scale_chosen.connect(comparison.set_scale)
        header.file_wanted.connect(self.ask_for_reference)
        header.itself_wanted.connect(comparison.reference.use_photo_itself)
        header.none_wanted.connect(comparison.reference.clear)
        header.blink_toggled.connect(self.blinking.blink)
        header.swap_clicked.connect(comparison.rotate)
        header.export_clicked.connect(self.export)
        self.footer.close_clicked.connect(self.close)

    def use_icons(self, icons: Icons) -> None:
        self.banner.use_icons(icons)
        self.header.use_icons(icons)

    # Showing it

    def _show(self) -> None:
        comparison, header = self.comparison, self.header
        choice = comparison.choice
        self.blinking.set_count(len(choice.chosen))
        has_photo = comparison.photo is not None
        self._pages.setCurrentIndex(1 if has_photo else 0)
        header.show_comparison(comparison)
        self.stage.arrange(
            len(choice.chosen), self.blinking.alone, with_figures=comparison.truth is not None
        )
        for pane, contender in zip(self.stage.panes, choice.contenders, strict=False):
            pane.setAccessibleName(f"Enlarged: {contender.name(choice.scale)}")
        self._show_figures()

    def _show_figures(self) -> None:
        comparison, truth = self.comparison, self.comparison.truth
        if truth is None:
            return
        small = is_measurable(truth, comparison.region)
        in_view = "" if small else "not in the field of view"
        whole = "" if has_whole(truth) else "too large: retina-viewer evaluate"
        regions = (comparison.region, truth.photo.bounds)
        for row, (region, why_not) in enumerate(zip(regions, (in_view, whole), strict=True)):
            self._show_row(row, region, why_not)

    def _show_row(self, row: int, region: Rect, why_not: str) -> None:
        comparison = self.comparison
        contenders = comparison.choice.contenders
        truth = comparison.truth
        known = [comparison.measuring.figures(truth, one.making, region) for one in contenders]
        best = best_of(known)
        for place, (contender, figures) in enumerate(zip(contenders, known, strict=True)):
            failed = comparison.measuring.has_failed(truth, contender.making, region)
            instead = why_not or ("failed" if failed else "…")
            marks = (place in best[0], place in best[1], place in best[2])
            strip = self.stage.strips[place]
            strip.setAccessibleName(f"Figures of {contender.title}, {ROWS[row].lower()}")
            strip.show_figures(row, figures, instead, marks)

    def _alone_changed(self) -> None:
        self.header.blink.setChecked(self.blinking.is_blinking)
        self._show()
        self.comparison.refresh()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.banner.show_problem(error.message, error.hint, action="Try again")
        else:
            hint = "The other methods go on. Choose another method, or try again."
            self.banner.show_problem(f"A part of it failed: {error}", hint, action="Try again")

    def _try_again(self) -> None:
        self.banner.hide()
        self.comparison.retry()

    # The reference and the export

    def ask_for_reference(self) -> None:
        """Let the person choose a file."""
        path, _ = QFileDialog.getOpenFileName(self, "A larger photograph", "", FILTER)
        if path:
            self.open_reference(Path(path))

    def open_reference(self, path: Path) -> None:
        self.banner.hide()
        self.comparison.reference.open(path)

    def export(self) -> None:
        """Ask for a name and write the picture in the background."""
        request = self.comparison.request()
        if request is None:
            self.footer.say("Nothing is enlarged here to be saved: zoom in first.")
            return
        folder = self._settings.export_folder or (
            request.source.path.parent if request.source.path is not None else Path.home()
        )
        suggested = free_paths(folder, [file_name(request.source, request.scale)])[0]
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save the comparison", str(suggested), "PNG (*.png)"
        )
        if not chosen:
            return
        path = Path(chosen)
        if path.suffix.lower() != ".png":  # a name that the dialog has not asked about
            path = free_paths(path.parent, [f"{path.name}.png"])[0]

        def work(progress: Progress) -> Path:
            shelf = self._viewer.tiles.shelf
            return write_comparison(request, path, shelf, self._services, progress)

        self.footer.say(f"Writing {path.name}")
        self._jobs.submit(
            f"{KEY} export", work, self._exported, failed=self._not_exported, title="comparison"
        )

    def _exported(self, path: Path) -> None:
        self._settings.export_folder = path.parent
        self.footer.say(f"Written: {path.name}, and how it was made: {path.name}.json")

    def _not_exported(self, error: Exception) -> None:
        self.footer.say("")
        self._failed(error)

    # Keys and drops

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not press(self, event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_O and not event.isAutoRepeat():
            self.comparison.hold_truth(False)
        super().keyReleaseEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if len(paths_in(event.mimeData())) == 1:
            event.acceptProposedAction()
            self.footer.say("Let go to measure against this image.")

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.footer.say("")
        self.open_reference(paths_in(event.mimeData())[0])

    def done(self, result: int) -> None:
        """Closed in whatever way: nothing is computed for it any more."""
        self._end()
        super().done(result)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._end()
        super().closeEvent(event)

    def _end(self) -> None:
        self.blinking.blink(False)
        self._jobs.cancel(f"{KEY} export")
        self.comparison.end()
