"""The models: a list, the one that is looked at, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from retina_viewer.core.errors import UserError
from retina_viewer.core.names import free_paths
from retina_viewer.model_store.archive import SUFFIX
from retina_viewer.model_store.own_models import LONGEST_TITLE
from retina_viewer.ui.icons import Icons
from retina_viewer.ui.input import paths_in
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.models.card_page import ModelPage
from retina_viewer.ui.models.installed_models import TASKS, InstalledModels, ModelEntry
from retina_viewer.ui.models.model_list import ModelList
from retina_viewer.ui.models.model_operations import ModelOperations
from retina_viewer.ui.theme import HIT_TARGET, Tokens
from retina_viewer.ui.widgets.banner import Banner
from retina_viewer.ui.widgets.choices import Switch
from retina_viewer.ui.widgets.fields import dim_label


class ModelButtons(QWidget):
    """Decides which buttons make sense; the dialog does what they say."""

    use_clicked = Signal()
    compare_clicked = Signal()
    retrain_clicked = Signal()
    rename_clicked = Signal()
    export_clicked = Signal()
    delete_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.use = self._button("Use it", "Make it the default of its task")
        self.compare = self._button("Compare…", "Beside another model, on the open photograph")
        self.retrain = self._button("Train on from it…", "With photographs of your own")
        self.rename = self._button("Rename…", "Give it another title")
        self.export = self._button("Export…", "Write it into one file")
        self.delete = self._button("Delete…", "Remove it for good")
        self.use.clicked.connect(self.use_clicked)
        self.compare.clicked.connect(self.compare_clicked)
        self.retrain.clicked.connect(self.retrain_clicked)
        self.rename.clicked.connect(self.rename_clicked)
        self.export.clicked.connect(self.export_clicked)
        self.delete.clicked.connect(self.delete_clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for button in (self.use, self.compare, self.retrain):
            row.addWidget(button)
        row.addStretch(1)
        for button in (self.rename, self.export, self.delete):
            row.addWidget(button)

    def show_entry(self, entry: ModelEntry | None, *, has_photo: bool, busy: bool) -> None:
        """Enable what can be done, and say of the rest why not."""
        for button in (self.use, self.compare, self.retrain, self.rename, self.export, self.delete):
            button.setEnabled(entry is not None and not busy)
        if entry is None or busy:
            return
        self.use.setEnabled(not entry.is_default)
        self.use.setText("In use" if entry.is_default else "Use it")
        self.compare.setEnabled(entry.can_be_compared and has_photo)
        self.compare.setToolTip(
            "Beside another model, on the open photograph"
            if has_photo
            else "Open a photograph first"
        )
        self.retrain.setEnabled(entry.can_be_tuned)
        self.retrain.setToolTip(
            "With photographs of your own"
            if entry.can_be_tuned
            else "It is no model that is trained on here"
        )
        self.rename.setEnabled(entry.is_own)
        self.delete.setEnabled(entry.is_own and not entry.is_default)
        self.rename.setToolTip(
            "Give it another title" if entry.is_own else "Shipped models keep their title"
        )
        self.delete.setToolTip(_about_deleting(entry))

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setMinimumHeight(HIT_TARGET)
        button.setAutoDefault(False)
        return button


def _about_deleting(entry: ModelEntry) -> str:
    if not entry.is_own:
        return "Shipped models stay"
    return "Use another model first" if entry.is_default else "Remove it for good"


FILTER = f"Models (*{SUFFIX})"


class ModelQuestions(QObject):
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

    def ask_for_title(self, entry: ModelEntry | None) -> None:
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

    def ask_to_delete(self, entry: ModelEntry | None) -> None:
        """Whether to delete a model for good."""
        if entry is None:
            return
        name = entry.card.name
        question = DeleteQuestion(entry, self._dialog)
        question.confirmed.connect(lambda twin: self.delete_confirmed.emit(name, twin))
        self.shown = question
        question.open()

    def ask_where_to_export(self, entry: ModelEntry | None) -> None:
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

    def __init__(self, entry: ModelEntry, parent: QWidget) -> None:
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


SIZE = (1240, 760)
LIST_WIDTH = 292


class ModelsDialog(QDialog):
    """Not modal: the photograph stays in reach.

    Args:
        jobs, tokens: the window's.
        folder: where files are looked for and go to.
        parent: the window.
    """

    compare_wanted = Signal(object, object)
    """(ModelEntry, InstalledModels): beside which other one is chosen there"""
    retrain_wanted = Signal(object)
    """(ModelCard) to begin a training with"""

    def __init__(self, jobs: Jobs, tokens: Tokens, folder: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Models")
        self.setWindowModality(Qt.WindowModality.NonModal)
        self.setAcceptDrops(True)
        self.resize(*SIZE)
        self.changes = ModelOperations(jobs, self)
        self.installed = InstalledModels()
        self.has_photo = False
        self.questions = ModelQuestions(folder, self)
        self._wanted = ""
        self.banner = Banner()
        self.list = ModelList()
        self.page = ModelPage(jobs, tokens)
        self.actions_row = ModelButtons()
        self.outcome = dim_label()
        self.import_button = QPushButton("Import…")
        self.roll_back_button = QPushButton("Roll back")
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        self.list.setFixedWidth(LIST_WIDTH)
        for button in (self.import_button, self.roll_back_button):
            button.setMinimumHeight(HIT_TARGET)
            button.setAutoDefault(False)
        below = QHBoxLayout()
        below.setContentsMargins(12, 8, 12, 12)
        below.setSpacing(8)
        below.addWidget(self.import_button)
        below.addWidget(self.roll_back_button, 1)
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(self.list, 1)
        left.addLayout(below)
        right = QVBoxLayout()
        right.setContentsMargins(20, 16, 4, 12)
        right.setSpacing(8)
        right.addWidget(self.page, 1)
        right.addWidget(self.outcome)
        last = QHBoxLayout()
        last.setContentsMargins(0, 0, 12, 0)
        last.addWidget(self.actions_row)
        right.addLayout(last)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addLayout(left)
        middle.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addLayout(middle, 1)

    def _connect(self) -> None:
        changes, row = self.changes, self.actions_row
        changes.looked.connect(self._show_installed)
        changes.said.connect(self._said)
        changes.failed.connect(self._failed)
        self.list.picked.connect(self.show_model)
        self.page.lineage.picked.connect(self.list.choose)
        self.page.card.note_kept.connect(
            lambda text: self._do(changes.set_note, self.list.chosen, text)
        )
        self.import_button.clicked.connect(self.questions.ask_what_to_import)
        self.roll_back_button.clicked.connect(self._roll_back)
        row.use_clicked.connect(lambda: self._do(changes.use, self.list.chosen))
        row.compare_clicked.connect(lambda: self.compare_wanted.emit(self.entry, self.installed))
        row.retrain_clicked.connect(self._retrain)
        row.rename_clicked.connect(lambda: self.questions.ask_for_title(self.entry))
        row.export_clicked.connect(lambda: self.questions.ask_where_to_export(self.entry))
        row.delete_clicked.connect(lambda: self.questions.ask_to_delete(self.entry))
        self.questions.title_given.connect(self._rename)
        self.questions.delete_confirmed.connect(self._delete)
        self.questions.export_chosen.connect(self.export)
        self.questions.import_chosen.connect(self.import_files)

    # What is shown

    @property
    def entry(self) -> ModelEntry | None:
        """The model that is looked at."""
        return self.installed.entry(self.list.chosen)

    def present(self, *, has_photo: bool) -> None:
        """Bring it to the front, with what is installed now."""
        self.has_photo = has_photo
        self.changes.look()
        self.show()
        self.raise_()
        self.activateWindow()

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of a theme."""
        self.page.use_tokens(tokens)
        self.list.viewport().update()

    def use_icons(self, icons: Icons) -> None:
        self.banner.use_icons(icons)

    def show_model(self, name: str) -> None:
        """Look at a model of the list."""
        entry = self.installed.entry(name)
        if entry is None:
            return
        self.page.show_entry(entry)
        self._show_buttons()

    def set_has_photo(self, has_photo: bool) -> None:
        """Whether there is a photograph to compare on."""
        self.has_photo = has_photo
        self._show_buttons()

    def _show_installed(self, installed: InstalledModels) -> None:
        self.installed = installed
        wanted, self._wanted = self._wanted or self.list.chosen, ""
        self.list.show_installed(installed, wanted)
        self.show_model(self.list.chosen)

    def _show_buttons(self) -> None:
        entry, busy = self.entry, self.changes.is_working
        self.actions_row.show_entry(entry, has_photo=self.has_photo, busy=busy)
        before = (self.installed.before or {}).get(entry.card.task) if entry else None
        old = self.installed.entry(before) if before else None
        task = dict(TASKS)[entry.card.task].lower() if entry else ""
        self.roll_back_button.setEnabled(old is not None and not busy)
        self.roll_back_button.setToolTip(
            f"Use {old.card.title} for {task} again" if old else "No default was chosen before"
        )
        self.import_button.setEnabled(not busy)

    def _said(self, sentence: str, name: str) -> None:
        self.outcome.setText(sentence)
        self._wanted = name

    def _failed(self, error: Exception) -> None:
        hint = error.hint if isinstance(error, UserError) else ""
        message = error.message if isinstance(error, UserError) else f"It failed: {error}"
        self.banner.show_problem(message, hint)
        self._show_buttons()

    # What the person does

    def _do(self, verb: object, *arguments: object) -> None:
        self.banner.hide()
        self.outcome.clear()
        assert callable(verb)
        verb(*arguments)
        self._show_buttons()

    def _roll_back(self) -> None:
        if self.entry is not None:
            self._do(self.changes.roll_back, self.entry.card.task)

    def _retrain(self) -> None:
        if self.entry is not None:
            self.retrain_wanted.emit(self.entry.card)

    def _rename(self, name: str, title: str) -> None:
        self._do(self.changes.rename, name, title)

    def _delete(self, name: str, with_twin: bool) -> None:
        self._do(lambda: self.changes.delete(name, with_twin=with_twin))

    def export(self, name: str, path: Path) -> None:
        """Write a model into a new file."""
        self._do(self.changes.export, name, path)

    def import_files(self, paths: Sequence[Path]) -> None:
        """Install the models of files."""
        self._do(self.changes.import_files, paths)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(path.suffix == SUFFIX for path in paths_in(event.mimeData())):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.import_files(paths_in(event.mimeData()))
