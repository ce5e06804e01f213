"""The list of keys (F1)."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from retina_viewer.ui.keys import KEYS
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.widgets.fields import dim_label, value_label


class KeysDialog(QDialog):
    """What each key does."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        columns = QHBoxLayout()
        columns.setSpacing(32)
        for title, keys in KEYS:
            grid = QGridLayout()
            grid.setHorizontalSpacing(16)
            grid.setVerticalSpacing(8)
            heading = value_label()
            heading.setText(title)
            heading.setProperty("role", "heading")
            grid.addWidget(heading, 0, 0, 1, 2)
            for row, key in enumerate(keys, start=1):
                shown, text = value_label(), dim_label(key.text)
                shown.setWordWrap(False)
                shown.setText(key.shown)
                text.setFixedWidth(190)
                grid.addWidget(shown, row, 0, Qt.AlignmentFlag.AlignTop)
                grid.addWidget(text, row, 1, Qt.AlignmentFlag.AlignTop)
            grid.setRowStretch(len(keys) + 1, 1)
            columns.addLayout(grid)
        close = QPushButton("Close")
        close.setMinimumHeight(HIT_TARGET)
        close.clicked.connect(self.accept)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.addLayout(columns)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(close)
        column.addLayout(last)
