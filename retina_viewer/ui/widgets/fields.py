"""The inspector's small parts: rows, sliders, read-outs."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from retina_viewer.ui.theme import tabular


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
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._slider, 1)
        row.addWidget(self._value)
        self._slider.valueChanged.connect(self._changed)

    def set_value(self, value: float) -> None:
        """Show a value without announcing it."""
        self._slider.blockSignals(True)
        self._slider.setValue(round(value * 100))
        self._slider.blockSignals(False)
        self._value.setText(f"{round(value * 100)} %")

    def _changed(self, percent: int) -> None:
        self._value.setText(f"{percent} %")
        self.changed.emit(percent / 100)


def dim_label(text: str = "") -> QLabel:
    """Secondary text that wraps."""
    label = QLabel(text)
    label.setProperty("role", "dim")
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def value_label() -> QLabel:
    """A value that can be selected and copied."""
    label = QLabel()
    label.setProperty("role", "value")
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setFont(tabular(label.font()))
    return label


def panel_column(panel: QWidget) -> QVBoxLayout:
    """The body of a section: one column on the 4 px grid."""
    column = QVBoxLayout(panel)
    column.setContentsMargins(12, 4, 12, 12)
    column.setSpacing(8)
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
