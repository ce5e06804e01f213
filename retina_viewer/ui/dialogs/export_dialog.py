"""Export: what, in which format, where; the name before it is written; progress; the outcome."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from retina_viewer.core.errors import mendable
from retina_viewer.core.names import free_paths, readable
from retina_viewer.core.progress import Progress
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.export import ai_text, has_room_for_mark
from retina_viewer.ui.dialogs.export_products import (
    ExportFormat,
    ExportProduct,
    ExportRequest,
    file_names,
    formats_for,
    products_for,
    write,
)
from retina_viewer.ui.job import Job
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.services import Services
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.widgets.choices import Chooser, Switch
from retina_viewer.ui.widgets.fields import dim_label, panel_form, value_label

KEY = "export"
NAMES_KEY = "export names"
_TITLES = {
    ExportFormat.PNG: "PNG, lossless",
    ExportFormat.TIFF: "TIFF, lossless",
    ExportFormat.JPEG: "JPEG, smaller",
}

_NO_CORNER = (
    "No corner of this photograph lies outside the field of view: the picture itself cannot say "
    "that a network made it. Its name and its metadata do."
)


class ExportDialog(QDialog):
    """One export. ``request`` is what is on the screen; its product is chosen here."""

    exported = Signal(object)
    """(list of the written Paths)"""

    def __init__(
        self, request: ExportRequest, folder: Path, services: Services, jobs: Jobs, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setMinimumWidth(560)
        self._request = request
        self._services = services
        self._jobs = jobs
        self._enhancer: Enhancer | None = None
        self._has_corner = True
        self._problem = ""
        self._written: list[Path] = []
        self.product = Chooser("What")
        for product in products_for(request):
            self.product.addItem(product.value, product)
        self.format = Chooser("Format")
        self.mark = Switch(f'A small "AI ×{request.making.scale}" in a corner')
        self.mark.setChecked(request.mark)
        self.no_corner = value_label()
        self.pair = QPushButton("Export the labelled pair instead")
        self.folder = QLineEdit(str(folder))
        self.names = value_label()
        self.outcome = value_label()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.save = QPushButton("Export")
        self.save.setDefault(True)
        self.close_button = QPushButton("Close")
        self.reveal = QPushButton("Open the folder")
        self._arrange()
        self._connect()
        self._product_changed()
        self._ask_for_enhancer()

    def _arrange(self) -> None:
        browse = QPushButton("Choose…")
        browse.clicked.connect(self._browse)
        where = QHBoxLayout()
        where.setSpacing(8)
        where.addWidget(self.folder, 1)
        where.addWidget(browse)
        form = panel_form()
        form.setVerticalSpacing(10)
        form.addRow(dim_label("What"), self.product)
        form.addRow(dim_label("Format"), self.format)
        form.addRow("", self.mark)
        form.addRow("", self.no_corner)
        form.addRow("", self.pair)
        form.addRow(dim_label("Folder"), where)
        form.addRow(dim_label("Will write"), self.names)
        buttons = QHBoxLayout()
        buttons.addWidget(self.reveal)
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        buttons.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(
            dim_label(
                "How it was made is written into the file and beside it (.json), with the "
                "photograph's file name. Existing files are never overwritten."
            )
        )
        column.addWidget(self.bar)
        column.addWidget(self.outcome)
        column.addLayout(buttons)
        for widget in (self.product, self.format, self.folder, browse, self.save,
                       self.close_button, self.reveal, self.pair):  # fmt: skip
            widget.setMinimumHeight(HIT_TARGET)
        for button in (browse, self.close_button, self.reveal, self.pair):
            button.setAutoDefault(False)  # Return exports, wherever the focus is
        self.bar.hide()
        self.outcome.hide()
        self.reveal.hide()

    def _connect(self) -> None:
        self.product.activated.connect(self._product_changed)
        self.format.activated.connect(self._show_names)
        self.folder.textChanged.connect(self._show_names)
        self.pair.clicked.connect(self._choose_pair)
        self.save.clicked.connect(self._start)
        self.close_button.clicked.connect(self.reject)
        self.reveal.clicked.connect(self._open_folder)
        self._jobs.progressed.connect(self._progressed)

    # What will be written

    @property
    def request(self) -> ExportRequest:
        product = self.product.currentData()
        marked = self._offers_mark() and self._has_corner and self.mark.isChecked()
        return replace(self._request, product=product, mark=marked)

    def _offers_mark(self) -> bool:
        """Whether the product is a network's result alone: others say in themselves what they are,
        and interpolation is nothing to be marked."""
        learned = self._enhancer is not None and bool(ai_text(self._enhancer))
        return learned and self.product.currentData() is ExportProduct.RESULT

    def _show_mark(self) -> None:
        offered, no_corner = self._offers_mark(), not self._has_corner
        self.mark.setVisible(offered and not no_corner)
        self.no_corner.setText(_NO_CORNER)
        self.no_corner.setVisible(offered and no_corner)
        self.pair.setVisible(offered and no_corner)

    def _choose_pair(self) -> None:
        self.product.setCurrentIndex(self.product.findData(ExportProduct.BESIDE))
        self._product_changed()

    def _needs_enhancer(self) -> bool:
        return self.product.currentData() not in (ExportProduct.SALIENCY, ExportProduct.VESSELS)

    def _ask_for_enhancer(self) -> None:
        """The file's name holds the model's, which is known once it is loaded."""
        making, image = self._request.making, self._request.image

        def work(progress: Progress) -> tuple[Enhancer, bool]:
            return self._services.make_enhancer(making), has_room_for_mark(image, making.scale)

        def done(found: tuple[Enhancer, bool]) -> None:
            self._enhancer, self._has_corner = found
            self._show_mark()
            self._show_names()

        def failed(error: Exception) -> None:
            self._problem = str(error)
            self._show_names()

        self._jobs.submit(NAMES_KEY, work, done, failed=failed)

    def _product_changed(self) -> None:
        self.format.clear()
        kinds = formats_for(
            self._request.image, self.product.currentData(), self._request.making.scale
        )
        for kind in kinds:
            self.format.addItem(_TITLES[kind], kind)
        self._show_mark()
        self._show_names()

    def _paths(self) -> list[Path]:
        kind = self.format.currentData()
        if kind is None or (self._needs_enhancer() and self._enhancer is None):
            return []
        folder = Path(self.folder.text())
        if not folder.is_dir():
            return []
        return free_paths(folder, file_names(self.request, self._enhancer, kind))

    def _show_names(self) -> None:
        paths = self._paths()
        if paths:
            text = readable("\n".join(path.name for path in paths))
        elif not Path(self.folder.text()).is_dir():
            text = "This folder does not exist."
        elif self.format.currentData() is None:
            text = "No format holds a picture of this size; choose a smaller enlargement."
        else:
            text = self._problem or "…"
        self.names.setText(text)
        self.adjustSize()  # names and sentences need lines that the dialog did not have
        self.save.setEnabled(bool(paths) and not self._jobs.is_active(KEY))

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Export to", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    # Writing

    def _start(self) -> None:
        paths, request, enhancer = self._paths(), self.request, self._enhancer

        def work(progress: Progress) -> list[Path]:
            return write(request, enhancer, paths, self._services, progress)

        self._jobs.submit(KEY, work, self._done, failed=self._failed, title="export")
        self.bar.setValue(0)
        self.bar.show()
        self.outcome.hide()
        self.reveal.hide()
        self._set_busy(True)

    def _set_busy(self, busy: bool) -> None:
        for widget in (self.product, self.format, self.folder, self.mark, self.pair):
            widget.setEnabled(not busy)
        self.close_button.setText("Cancel" if busy else "Close")
        self._show_names()

    def _progressed(self, job: Job) -> None:
        if job.key == KEY:
            self.bar.setValue(round(job.fraction * 1000))

    def _done(self, paths: list[Path]) -> None:
        self._written = paths
        self.bar.hide()
        self._set_busy(False)
        names = readable(", ".join(path.name for path in paths))
        self.outcome.setText(f"Written: {names}")
        self.outcome.show()
        self.reveal.show()
        self.exported.emit(paths)

    def _failed(self, error: Exception) -> None:
        self.bar.hide()
        self._set_busy(False)
        self.outcome.setText(readable(str(mendable(error) or f"The export failed: {error}")))
        self.outcome.show()

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._written[0].parent)))

    def reject(self) -> None:
        """Cancel a running export, or close."""
        if self._jobs.is_active(KEY):
            self._jobs.cancel(KEY)
            self.bar.hide()
            self._set_busy(False)
            self.outcome.setText("Cancelled. Nothing was written.")
            self.outcome.show()
            return
        self._jobs.cancel(NAMES_KEY)
        super().reject()
