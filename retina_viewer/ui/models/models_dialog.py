"""The models: a list, the one that is looked at, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.archive import SUFFIX
from retina_viewer.ui.icons import Icons
from retina_viewer.ui.input import paths_in
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.models.actions import Actions
from retina_viewer.ui.models.changes import Changes
from retina_viewer.ui.models.facts import TASKS, Entry, Shelf
from retina_viewer.ui.models.model_list import ModelList
from retina_viewer.ui.models.model_page import ModelPage
from retina_viewer.ui.models.questions import Questions
from retina_viewer.ui.theme import HIT_TARGET, Tokens
from retina_viewer.ui.widgets.banner import Banner
from retina_viewer.ui.widgets.fields import dim_label

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
    """(Entry, Shelf): beside which other one is chosen there"""
    retrain_wanted = Signal(object)
    """(ModelCard) to begin a training with"""

    def __init__(self, jobs: Jobs, tokens: Tokens, folder: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Models")
        self.setWindowModality(Qt.WindowModality.NonModal)
        self.setAcceptDrops(True)
        self.resize(*SIZE)
        self.changes = Changes(jobs, self)
        self.shelf = Shelf()
        self.has_photo = False
        self.questions = Questions(folder, self)
        self._wanted = ""
        self.banner = Banner()
        self.list = ModelList()
        self.page = ModelPage(jobs, tokens)
        self.actions_row = Actions()
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
        changes.looked.connect(self._show_shelf)
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
        row.compare_clicked.connect(lambda: self.compare_wanted.emit(self.entry, self.shelf))
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
    def entry(self) -> Entry | None:
        """The model that is looked at."""
        return self.shelf.entry(self.list.chosen)

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
        entry = self.shelf.entry(name)
        if entry is None:
            return
        self.page.show_entry(entry)
        self._show_buttons()

    def set_has_photo(self, has_photo: bool) -> None:
        """Whether there is a photograph to compare on."""
        self.has_photo = has_photo
        self._show_buttons()

    def _show_shelf(self, shelf: Shelf) -> None:
        self.shelf = shelf
        wanted, self._wanted = self._wanted or self.list.chosen, ""
        self.list.show_shelf(shelf, wanted)
        self.show_model(self.list.chosen)

    def _show_buttons(self) -> None:
        entry, busy = self.entry, self.changes.is_working
        self.actions_row.show_entry(entry, has_photo=self.has_photo, busy=busy)
        before = (self.shelf.before or {}).get(entry.card.task) if entry else None
        old = self.shelf.entry(before) if before else None
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
