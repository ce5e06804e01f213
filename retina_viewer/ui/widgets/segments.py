"""A few choices side by side, one of them chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QSizePolicy, QToolButton, QWidget

from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.widgets import layout

TEXT_ROOM = 22
"""Beside a choice's text: its padding and its border."""


class Segments(QWidget):
    """A segmented control.

    Args:
        options: (value, label, tool tip) from left to right.
        name: what the choice is about, for screen readers.
    """

    chosen = Signal(object)
    """(value), when the person picks it"""

    def __init__(self, options: Sequence[tuple[Any, str, str]], name: str) -> None:
        super().__init__()
        self.setProperty("role", "segments")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        self._values = [value for value, _, _ in options]
        self._group = QButtonGroup(self)
        row = layout.row(spacing=1, margins=1)
        self.setLayout(row)
        for index, (_, label, tip) in enumerate(options):
            button = QToolButton()
            button.setText(label)
            button.setToolTip(tip)
            button.setAccessibleName(f"{name}: {label}")
            button.setCheckable(True)
            button.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
            # A minimum of one's own replaces the one by content: it must leave room for the text.
            words = button.fontMetrics().horizontalAdvance(label) + TEXT_ROOM
            button.setMinimumSize(max(HIT_TARGET + 4, words), HIT_TARGET)
            self._group.addButton(button, index)
            row.addWidget(button)
        self._group.idClicked.connect(lambda index: self.chosen.emit(self._values[index]))

    def set_value(self, value: object) -> None:
        """Show the choice without announcing it; none where it is none of these."""
        self._group.setExclusive(False)
        for one, button in zip(self._values, self._group.buttons(), strict=True):
            button.setChecked(one == value)
        self._group.setExclusive(True)

    def button(self, value: object) -> QToolButton:
        button = self._group.button(self._values.index(value))
        assert isinstance(button, QToolButton)
        return button
