"""The inspector's small parts: rows, sliders, read-outs."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFormLayout, QLabel, QSlider, QVBoxLayout, QWidget

from retina_viewer.ui.theme import tabular
from retina_viewer.ui.widgets import layout


class PercentSlider(QWidget):
    """A slider from 0 to 100 % with its value beside it."""

    changed = Signal(float)
    """(0 to 1), when the person moves it"""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, 100)
        self._slider.setPageStep(10)
        self._slider.setAccessibleName(name)
        self._value = QLabel()
        self._value.setFont(tabular(self.font()))
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._value.setMinimumWidth(44)
        self.setLayout(layout.row((self._slider, 1), self._value, margins=0))
        self._slider.valueChanged.connect(self._changed)

    def set_value(self, value: float) -> None:
        """Show a value without announcing it."""
        with QSignalBlocker(self._slider):
            self._slider.setValue(round(value * 100))
        self._value.setText(f"{round(value * 100)} %")

    def _changed(self, percent: int) -> None:
        self._value.setText(f"{percent} %")
        self.changed.emit(percent / 100)


def dim_label(text: str = "") -> QLabel:
    """Secondary text that wraps."""
    label = layout.label(text, "dim")
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def value_label() -> QLabel:
    """A value that can be selected and copied."""
    label = layout.label(role="value")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setFont(tabular(label.font()))
    return label


def panel_column(panel: QWidget) -> QVBoxLayout:
    """The body of a section: one column on the 4 px grid."""
    column = layout.column(spacing=8, margins=(12, 4, 12, 12))
    panel.setLayout(column)
    return column


class _Form(QFormLayout):
    """A form that gives every value the lines it needs, also where its text has grown: Qt's own
    places the rows by the heights that it reckoned for another height of the form."""

    _reckoned_for = QRect()

    def setGeometry(self, rect: QRect) -> None:
        if rect != self._reckoned_for:  # each time, they would be placed again without end
            self._reckoned_for = QRect(rect)
            self.invalidate()
        super().setGeometry(rect)


def panel_form() -> QFormLayout:
    """Names left, values right."""
    form = _Form()
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(12)
    form.setVerticalSpacing(6)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    return form
