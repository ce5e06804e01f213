"""The row of buttons under a model: what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from retina_viewer.ui.models.facts import Entry
from retina_viewer.ui.theme import HIT_TARGET


class Actions(QWidget):
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

    def show_entry(self, entry: Entry | None, *, has_photo: bool, busy: bool) -> None:
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


def _about_deleting(entry: Entry) -> str:
    if not entry.is_own:
        return "Shipped models stay"
    return "Use another model first" if entry.is_default else "Remove it for good"
