"""An error where it happened: what, what to do, and the details folded away."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QSizePolicy, QToolButton

from retina_viewer.core.names import readable
from retina_viewer.ui.icons import Icons
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label


class Banner(QFrame):
    """Hidden until :meth:`show_problem`."""

    action_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("banner")
        self.message, self.hint, self.details = _text("message"), _text("hint"), _text("dim")
        self._fold = QToolButton()
        self._fold.setText("Details")
        self._fold.setCheckable(True)
        self._fold.setMinimumHeight(HIT_TARGET)
        self._fold.toggled.connect(self.details.setVisible)
        self._action = QPushButton()
        self._action.setMinimumHeight(HIT_TARGET)
        self._action.clicked.connect(self.action_clicked)
        close = self._close = QToolButton()
        close.setToolTip("Close (Esc)")
        close.setAccessibleName("Close the message")
        close.setMinimumSize(HIT_TARGET, HIT_TARGET)
        close.clicked.connect(self.hide)
        texts = layout.column(self.message, self.hint, self.details, spacing=2)
        row = layout.row((texts, 1), margins=(16, 8, 8, 8))
        for button in (self._fold, self._action, close):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.setLayout(row)
        self.hide()

    def use_icons(self, icons: Icons) -> None:
        self._close.setIcon(icons.icon("close"))

    def show_problem(
        self, message: str, hint: str, details: str = "", action: str = "", *, calm: bool = False
    ) -> None:
        """Show what happened, what to do, what a technician wants to know, and a button's text.

        Args:
            calm: a question, and no failure: not in red.
        """
        self.setProperty("calm", calm)
        for widget in (self, self.message):
            self.style().unpolish(widget)
            self.style().polish(widget)
        self.message.setText(readable(message))
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.details.setText(readable(details))
        self._fold.setChecked(False)
        self.details.setVisible(False)
        self._fold.setVisible(bool(details))
        self._action.setText(action)
        self._action.setVisible(bool(action))
        self.show()


def _text(role: str) -> QLabel:
    label = dim_label()
    label.setProperty("role", role)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return label
