"""Rows, columns and the plain parts of pages and dialogs, each in one call."""

from __future__ import annotations

from collections.abc import Callable
from types import EllipsisType

from PySide6 import QtWidgets
from PySide6.QtCore import QObject, Qt, QTimer

from retina_viewer.ui.theme import HIT_TARGET

Part = (
    QtWidgets.QWidget
    | QtWidgets.QLayout
    | tuple[QtWidgets.QWidget | QtWidgets.QLayout, int]
    | int
    | EllipsisType
)
"""What stands in a row or a column: a part, a part with its stretch, pixels, or ``...``, which
takes what is left."""
Margins = tuple[int, int, int, int] | int | None


def row(*parts: Part, spacing: int | None = None, margins: Margins = None) -> QtWidgets.QHBoxLayout:
    """Parts from left to right; what is not given is the style's."""
    box = QtWidgets.QHBoxLayout()
    _fill(box, parts, spacing, margins)
    return box


def column(
    *parts: Part, spacing: int | None = None, margins: Margins = None
) -> QtWidgets.QVBoxLayout:
    """Parts from top to bottom; what is not given is the style's."""
    box = QtWidgets.QVBoxLayout()
    _fill(box, parts, spacing, margins)
    return box


def _fill(
    box: QtWidgets.QBoxLayout, parts: tuple[Part, ...], spacing: int | None, margins: Margins
) -> None:
    if spacing is not None:
        box.setSpacing(spacing)
    if margins is not None:
        sides = (margins,) * 4 if isinstance(margins, int) else margins
        box.setContentsMargins(*sides)
    add(box, *parts)


def add(box: QtWidgets.QBoxLayout, *parts: Part) -> None:
    """Append parts."""
    for part in parts:
        if isinstance(part, EllipsisType):
            box.addStretch(1)
            continue
        if isinstance(part, int):
            box.addSpacing(part)
            continue
        item, stretch = part if isinstance(part, tuple) else (part, 0)
        if isinstance(item, QtWidgets.QLayout):
            box.addLayout(item, stretch)
        else:
            box.addWidget(item, stretch)


def holding(layout: QtWidgets.QLayout) -> QtWidgets.QWidget:
    """A widget of this layout alone."""
    widget = QtWidgets.QWidget()
    widget.setLayout(layout)
    return widget


def button(
    text: str, tip: str = "", act: Callable[..., object] | None = None
) -> QtWidgets.QPushButton:
    """As high as a finger needs it; Return does not press it wherever the focus is."""
    button = QtWidgets.QPushButton(text)
    button.setToolTip(tip)
    button.setMinimumHeight(HIT_TARGET)
    button.setAutoDefault(False)
    if act is not None:
        button.clicked.connect(act)
    return button


def label(text: str = "", role: str = "", *, wraps: bool = True) -> QtWidgets.QLabel:
    """Text in a role of the style sheet."""
    label = QtWidgets.QLabel(text)
    label.setWordWrap(wraps)
    if role:
        label.setProperty("role", role)
    return label


def bar() -> QtWidgets.QProgressBar:
    """From 0 to 1000, without words."""
    bar = QtWidgets.QProgressBar()
    bar.setTextVisible(False)
    bar.setRange(0, 1000)
    return bar


def scroll(
    area: QtWidgets.QScrollArea, content: QtWidgets.QWidget | None = None
) -> QtWidgets.QScrollArea:
    """Have a frameless area give its content the width there is."""
    area.setWidgetResizable(True)
    area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
    if content is not None:
        area.setWidget(content)
    return area


def delayed(parent: QObject, milliseconds: int, act: Callable[[], object]) -> QTimer:
    """A timer that acts once when nobody has started it again for so long."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(act)
    return timer


def ask_before_loss(
    parent: QtWidgets.QWidget, title: str, text: str, more: str, *, yes: str, no: str,
    act: Callable[[], object],
) -> None:  # fmt: skip
    """Ask, without blocking, before something is lost; Return and Escape lose nothing."""
    box = QtWidgets.QMessageBox(parent)
    box.setWindowTitle(title)
    box.setText(text)
    box.setInformativeText(more)
    agreed = box.addButton(yes, QtWidgets.QMessageBox.ButtonRole.DestructiveRole)
    agreed.clicked.connect(act)
    box.setDefaultButton(box.addButton(no, QtWidgets.QMessageBox.ButtonRole.RejectRole))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
