"""The card of a model: what it was found to do, what it was trained on, the person's note."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from retina_viewer.model_store.own_models import LONGEST_NOTE
from retina_viewer.ui.models.facts import (
    Entry,
    facts,
    verdict_heading,
    verdict_sentences,
)
from retina_viewer.ui.models.measured import Block, blocks_of
from retina_viewer.ui.theme import HIT_TARGET, tabular
from retina_viewer.ui.training.tables import plain_table, whole_height
from retina_viewer.ui.training.verdict_tables import show_general, show_held_out
from retina_viewer.ui.widgets.fields import dim_label, panel_form, value_label

_PATIENTS = 4
"""The column of the table of held-out patients that counts them."""


class CardPage(QScrollArea):
    """Scrolls; built anew for every model."""

    note_kept = Signal(str)
    """(text)"""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.note = QPlainTextEdit()
        self.keep_note = QPushButton("Keep the note")
        self.entry: Entry | None = None
        self._written = ""

    @property
    def has_unkept_note(self) -> bool:
        """Whether the person has written what is not kept yet."""
        return self.entry is not None and self._written.strip() != self.entry.note

    def show_entry(self, entry: Entry) -> None:
        """Show another model, or what has become of this one; a note that is being written stays
        while the model does."""
        same = self.entry is not None and self.entry.card.name == entry.card.name
        text = self._written if same and self.has_unkept_note else entry.note
        self.entry, self._written = entry, text
        body = QWidget()
        body.setObjectName("pageBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 12, 12)
        column.setSpacing(12)
        column.addWidget(_verdict(entry))
        verdict = entry.card.verdict
        if verdict is not None and verdict.comparisons:
            column.addWidget(_heading("On the held-out patients"))
            table = show_held_out(verdict)
            across = Qt.Orientation.Horizontal
            table.model().setHeaderData(_PATIENTS, across, "Better : worse")
            table.model().setHeaderData(
                _PATIENTS, across, "Patients", Qt.ItemDataRole.ToolTipRole
            )  # shorter than in the wizard: there is less room
            column.addWidget(table)
        if verdict is not None and verdict.general:
            column.addWidget(_heading("On bundled photographs of other cameras"))
            column.addWidget(show_general(verdict))
        for block in blocks_of(entry.card.measurements):
            column.addWidget(_heading("Measured"))
            column.addWidget(_figures(block))
        column.addWidget(_heading("The card"))
        column.addLayout(_facts(entry))
        if entry.is_own:
            self._add_note(column, text)
        column.addStretch(1)
        self.setWidget(body)

    def _add_note(self, column: QVBoxLayout, text: str) -> None:
        # New ones, since the old body takes its widgets with it.
        self.note, self.keep_note = QPlainTextEdit(text), QPushButton("Keep the note")
        self.note.setAccessibleName("Note")
        self.note.setPlaceholderText("What you want to remember of it. It stays on this computer.")
        self.note.setFixedHeight(84)
        self.note.setTabChangesFocus(True)
        self.note.textChanged.connect(self._note_changed)
        self.keep_note.setMinimumHeight(HIT_TARGET)
        self.keep_note.setAutoDefault(False)
        self.keep_note.clicked.connect(lambda: self.note_kept.emit(self.note.toPlainText()))
        row = QHBoxLayout()
        row.addWidget(dim_label("Notes are not exported with the model."), 1)
        row.addWidget(self.keep_note)
        column.addWidget(_heading("Your note"))
        column.addWidget(self.note)
        column.addLayout(row)
        self._note_changed()

    def _note_changed(self) -> None:
        self._written = self.note.toPlainText()
        fits = len(self._written) <= LONGEST_NOTE
        self.keep_note.setEnabled(self.has_unkept_note and fits)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "group")
    return label


def _verdict(entry: Entry) -> QFrame:
    frame = QFrame()
    frame.setProperty("role", "card")
    column = QVBoxLayout(frame)
    column.setContentsMargins(16, 12, 16, 12)
    column.setSpacing(4)
    heading = value_label()
    heading.setProperty("role", "group")
    heading.setText(verdict_heading(entry))
    column.addWidget(heading)
    for sentence in verdict_sentences(entry):
        label = dim_label(sentence)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(label)
    return frame


def _facts(entry: Entry) -> QFormLayout:
    form = panel_form()
    for name, value in facts(entry):
        label = value_label()
        label.setText(value)
        form.addRow(dim_label(name), label)
    return form


def _figures(block: Block) -> QTableView:
    """At its full height: a table that scrolls within a page that scrolls takes its wheel away."""
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    model = QStandardItemModel(0, 1 + len(block.figures))
    model.setHorizontalHeaderLabels(["Photographs", *(one.short for one in block.figures)])
    for column, figure in enumerate(block.figures, 1):
        model.horizontalHeaderItem(column).setTextAlignment(right)
        model.horizontalHeaderItem(column).setToolTip(figure.meaning)
    for data, values in block.rows:
        items = [QStandardItem(data), *(QStandardItem(value) for value in values)]
        items[0].setToolTip(data)
        for item in items[1:]:
            item.setTextAlignment(right)
        model.appendRow(items)
    table = plain_table()
    model.setParent(table)
    table.setModel(model)
    table.setFont(tabular(table.font()))
    table.setSelectionMode(QTableView.SelectionMode.NoSelection)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    table.setAccessibleName("Measured figures")
    whole_height(table)
    return table
