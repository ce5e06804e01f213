"""Where a model comes from, and what came from it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from retina_viewer.model_store.card import ModelCard
from retina_viewer.ui.models.facts import Entry
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.widgets.fields import dim_label

_INDENT = 24


class LineagePage(QScrollArea):
    """A button for every ancestor and child that is installed."""

    picked = Signal(str)
    """(name)"""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_entry(self, entry: Entry) -> None:
        """Show another model."""
        body = QWidget()
        body.setObjectName("pageBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 12, 12)
        column.setSpacing(4)
        for depth, ancestor in enumerate(entry.chain):
            if depth:
                column.addWidget(_indented(dim_label("was trained on from"), depth))
            if ancestor.card is None:
                text = f"{ancestor.name}, which is not installed here"
                column.addWidget(_indented(QLabel(text), depth))
            else:
                column.addWidget(_indented(self._button(ancestor.card, bool(depth)), depth))
        if len(entry.chain) == 1:
            column.addWidget(dim_label("It was trained from nothing."))
        if entry.children:
            heading = QLabel("Trained on from it")
            heading.setProperty("role", "group")
            column.addSpacing(16)
            column.addWidget(heading)
            for card in entry.children:
                column.addWidget(_indented(self._button(card, True), 0))
        column.addStretch(1)
        self.setWidget(body)

    def _button(self, card: ModelCard, enabled: bool) -> QPushButton:
        button = QPushButton(f"{card.title}   {card.name}, {card.created:%Y-%m-%d}")
        button.setMinimumHeight(HIT_TARGET)
        button.setAutoDefault(False)
        button.setEnabled(enabled)
        button.clicked.connect(lambda: self.picked.emit(card.name))
        return button


def _indented(widget: QWidget, depth: int) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(depth * _INDENT, 0, 0, 0)
    column.addWidget(widget, 0, Qt.AlignmentFlag.AlignLeft)
    return holder
