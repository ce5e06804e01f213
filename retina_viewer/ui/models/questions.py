"""What is asked before something is done with a model: titles, files, and whether to delete.

Nothing here blocks: the window goes on working behind a question.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QInputDialog, QMessageBox, QWidget

from retina_viewer.core.names import free_paths
from retina_viewer.model_store.archive import SUFFIX
from retina_viewer.model_store.own_models import LONGEST_TITLE
from retina_viewer.ui.models.facts import Entry
from retina_viewer.ui.widgets.choices import Switch

FILTER = f"Models (*{SUFFIX})"


class Questions(QObject):
    """One question at a time; the answers come as signals.

    Args:
        folder: where files are looked for and go to; the last one that was used from then on.
        dialog: above which they are asked.
    """

    title_given = Signal(str, str)
    """(name, title)"""
    delete_confirmed = Signal(str, bool)
    """(name, whether the twin goes too)"""
    export_chosen = Signal(str, object)
    """(name, Path of a new file)"""
    import_chosen = Signal(object)
    """(list of Paths)"""

    def __init__(self, folder: Path, dialog: QWidget) -> None:
        super().__init__(dialog)
        self.folder = folder
        self._dialog = dialog
        self.shown: QWidget | None = None

    def ask_for_title(self, entry: Entry | None) -> None:
        """Another title for a model."""
        if entry is None:
            return
        name = entry.card.name
        dialog = QInputDialog(self._dialog)
        dialog.setWindowTitle("Rename")
        dialog.setLabelText(f"Title, up to {LONGEST_TITLE} characters. Name no patients.")
        dialog.setTextValue(entry.card.title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(lambda title: self.title_given.emit(name, title))
        self.shown = dialog
        dialog.open()

    def ask_to_delete(self, entry: Entry | None) -> None:
        """Whether to delete a model for good."""
        if entry is None:
            return
        name = entry.card.name
        question = DeleteQuestion(entry, self._dialog)
        question.confirmed.connect(lambda twin: self.delete_confirmed.emit(name, twin))
        self.shown = question
        question.open()

    def ask_where_to_export(self, entry: Entry | None) -> None:
        """The file that a model is written into."""
        if entry is None:
            return
        name = entry.card.name
        dialog = self._file_dialog("Export the model")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(SUFFIX.lstrip("."))
        # Nothing is overwritten: a name that is free, and no question that suggests otherwise.
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.selectFile(free_paths(self.folder, [f"{name}{SUFFIX}"])[0].name)
        dialog.fileSelected.connect(lambda path: self._chosen(name, Path(path)))
        dialog.open()

    def ask_what_to_import(self) -> None:
        """The files to install models from."""
        dialog = self._file_dialog("Import models")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(
            lambda names: self.import_chosen.emit([Path(name) for name in names])
        )
        dialog.open()

    def _chosen(self, name: str, path: Path) -> None:
        self.folder = path.parent
        self.export_chosen.emit(name, path)

    def _file_dialog(self, title: str) -> QFileDialog:
        dialog = QFileDialog(self._dialog, title, str(self.folder), FILTER)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.shown = dialog
        return dialog


class DeleteQuestion(QMessageBox):
    """Says what is lost; not deleting is what Return and Escape do."""

    confirmed = Signal(bool)
    """(whether the twin goes too)"""

    def __init__(self, entry: Entry, parent: QWidget) -> None:
        super().__init__(parent)
        card = entry.card
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Delete a model")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(f"Delete {card.title} ({card.name}) for good?")
        said = ["Its weights, card and note are removed. Pictures that it made stay."]
        if entry.children:
            said.append(f"{len(entry.children)} models were trained on from it; they stay.")
        said.append("Export it first if you may want it back.")
        self.setInformativeText(" ".join(said))
        self.twin: QCheckBox | None = None
        if entry.lonely_twin is not None:
            self.twin = Switch(f"Also its pixel-trained twin, {entry.lonely_twin.title}")
            self.twin.setChecked(True)
            self.setCheckBox(self.twin)
        self.delete = self.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
        keep = self.addButton("Keep it", QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(keep)
        self.setEscapeButton(keep)
        self.delete.clicked.connect(self._confirm)

    def _confirm(self) -> None:
        self.confirmed.emit(self.twin is not None and self.twin.isChecked())
