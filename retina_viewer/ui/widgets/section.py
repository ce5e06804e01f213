"""A part of the inspector that folds away."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from retina_viewer.ui.icons import ICON_SIZE, Icons
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.widgets import layout


class Section(QWidget):
    """A heading that shows and hides its body."""

    def __init__(self, title: str, body: QWidget, *, is_open: bool = True) -> None:
        super().__init__()
        self._body = body
        self._has_icon = False
        self.heading = QToolButton()
        self.heading.setText(title)
        self.heading.setProperty("role", "section")
        self.heading.setCheckable(True)
        self.heading.setChecked(is_open)
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.heading.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.heading.setMinimumHeight(HIT_TARGET)
        self.heading.toggled.connect(self._toggle)
        self.setLayout(layout.column(self.heading, body, spacing=0, margins=0))
        self._toggle(is_open)

    def _toggle(self, is_open: bool) -> None:
        if not self._has_icon:
            arrow = Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow
            self.heading.setArrowType(arrow)
        self._body.setVisible(is_open)

    def use_icons(self, icons: Icons) -> None:
        self._has_icon = True
        self.heading.setArrowType(Qt.ArrowType.NoArrow)
        self.heading.setIconSize(ICON_SIZE)
        self.heading.setIcon(icons.fold())

    def set_open(self, is_open: bool) -> None:
        self.heading.setChecked(is_open)
