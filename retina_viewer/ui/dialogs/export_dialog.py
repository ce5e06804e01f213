"""Export: what, in which format, where; the name before it is written; progress; the outcome."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QFileDialog, QLineEdit, QWidget

from retina_viewer.core.errors import mendable
from retina_viewer.core.names import free_paths, readable
from retina_viewer.core.progress import Progress
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.export import ai_text, has_room_for_mark
from retina_viewer.ui.dialogs import export_products
from retina_viewer.ui.jobs import Job, Jobs
from retina_viewer.ui.services import Services
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.choices import Chooser, Switch
from retina_viewer.ui.widgets.fields import dim_label, panel_form, value_label

KEY = "export"
NAMES_KEY = "export names"
_NO_CORNER = (
    "No corner of this photograph lies outside the field of view: the picture itself cannot say "
    "that a network made it. Its name and its metadata do."
)


class ExportDialog(QDialog):
    """One export. ``request`` is what is on the screen; its product is chosen here."""

    exported = Signal(object)
    """(list of the written Paths)"""

    def __init__(
        self,
        request: export_products.ExportRequest,
        folder: Path,
        services: Services,
        jobs: Jobs,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setMinimumWidth(560)
        self._request, self._services, self._jobs = request, services, jobs
        self._enhancer: Enhancer | None = None
        self._has_corner = True
        self._problem = ""
        self._written: list[Path] = []
        self.product = Chooser("What")
        for product in export_products.products_for(request):
            self.product.addItem(export_products.PRODUCTS[product], product)
        self.product.activated.connect(self._product_changed)
        self.format = Chooser("Format")
        self.format.activated.connect(self._show_names)
        self.mark = Switch(f'A small "AI ×{request.settings.scale}" in a corner')
        self.mark.setChecked(request.mark)
        self.no_corner, self.names, self.outcome = value_label(), value_label(), value_label()
        self.pair = layout.button("Export the labelled pair instead", act=self._choose_pair)
        self.folder = QLineEdit(str(folder))
        self.folder.setMinimumHeight(HIT_TARGET)
        self.folder.textChanged.connect(self._show_names)
        self.bar = layout.bar()
        self.save = layout.button("Export", act=self._start)
        self.save.setDefault(True)  # Return exports, wherever the focus is
        self.close_button = layout.button("Close", act=self.reject)
        self.reveal = layout.button("Open the folder", act=self._open_folder)
        self._arrange()
        jobs.progressed.connect(self._progressed)
        self._product_changed()
        self._ask_for_enhancer()

    def _arrange(self) -> None:
        browse = layout.button("Choose…", act=self._browse)
        form = panel_form()
        form.setVerticalSpacing(10)
        form.addRow(dim_label("What"), self.product)
        form.addRow(dim_label("Format"), self.format)
        form.addRow("", self.mark)
        form.addRow("", self.no_corner)
        form.addRow("", self.pair)
        form.addRow(dim_label("Folder"), layout.row((self.folder, 1), browse, spacing=8))
        form.addRow(dim_label("Will write"), self.names)
        said = dim_label(
            "How it was made is written into the file and beside it (.json), with the "
            "photograph's file name. Existing files are never overwritten."
        )
        buttons = layout.row(self.reveal, ..., self.close_button, self.save)
        parts = (form, said, self.bar, self.outcome, buttons)
        self.setLayout(layout.column(*parts, spacing=12, margins=(20, 16, 20, 16)))
        for widget in (self.bar, self.outcome, self.reveal):
            widget.hide()

    @property
    def request(self) -> export_products.ExportRequest:
        product = self.product.currentData()
        marked = self._offers_mark() and self._has_corner and self.mark.isChecked()
        return replace(self._request, product=product, mark=marked)

    def _offers_mark(self) -> bool:
        """Whether the product is a network's result alone: others say in themselves what they are,
        and interpolation is nothing to be marked."""
        learned = self._enhancer is not None and bool(ai_text(self._enhancer))
        return learned and self.product.currentData() == "result"

    def _show_mark(self) -> None:
        offered = self._offers_mark()
        self.mark.setVisible(offered and self._has_corner)
        self.no_corner.setText(_NO_CORNER)
        for widget in (self.no_corner, self.pair):
            widget.setVisible(offered and not self._has_corner)

    def _choose_pair(self) -> None:
        self.product.setCurrentIndex(self.product.findData("beside"))
        self._product_changed()

    def _ask_for_enhancer(self) -> None:
        """The file's name holds the model's, which is known once it is loaded."""
        settings, image = self._request.settings, self._request.image

        def work(progress: Progress) -> tuple[Enhancer, bool]:
            return self._services.make_enhancer(settings), has_room_for_mark(image, settings.scale)

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
        kinds = export_products.formats_for(
            self._request.image, self.product.currentData(), self._request.settings.scale
        )
        for kind in kinds:
            self.format.addItem(export_products.FORMATS[kind], kind)
        self._show_mark()
        self._show_names()

    def _paths(self) -> list[Path]:
        kind, folder = self.format.currentData(), Path(self.folder.text())
        without = self.product.currentData() in ("saliency", "vessels")
        if kind is None or not (without or self._enhancer is not None) or not folder.is_dir():
            return []
        return free_paths(folder, export_products.names_of(self.request, self._enhancer, kind))

    def _show_names(self) -> None:
        if paths := self._paths():
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
        if chosen := QFileDialog.getExistingDirectory(self, "Export to", self.folder.text()):
            self.folder.setText(chosen)

    def _start(self) -> None:
        paths, request, enhancer = self._paths(), self.request, self._enhancer

        def work(progress: Progress) -> list[Path]:
            return export_products.write(request, enhancer, paths, self._services, progress)

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

    def _ended(self, outcome: str) -> None:
        self.bar.hide()
        self._set_busy(False)
        self.outcome.setText(readable(outcome))
        self.outcome.show()

    def _done(self, paths: list[Path]) -> None:
        self._written = paths
        self._ended(f"Written: {', '.join(path.name for path in paths)}")
        self.reveal.show()
        self.exported.emit(paths)

    def _failed(self, error: Exception) -> None:
        self._ended(str(mendable(error) or f"The export failed: {error}"))

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._written[0].parent)))

    def reject(self) -> None:
        """Cancel a running export, or close."""
        if self._jobs.is_active(KEY):
            self._jobs.cancel(KEY)
            self._ended("Cancelled. Nothing was written.")
            return
        self._jobs.cancel(NAMES_KEY)
        super().reject()
