"""The slider between detail and fidelity."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSlider, QStyle, QStyleOptionSlider, QWidget

from retina_viewer.ui.theme import tabular
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label

REST_MS = 150
"""How long the slider must rest before the result is computed anew."""
TIP = (
    "Towards Detail the result looks sharper and more of it is invented; towards Fidelity it is "
    "softer and closer to the truth. Double-click for the default."
)


class MarkedSlider(QSlider):
    """A slider from 0 to 100 with a tick at its default."""

    reset = Signal()
    """Double-clicked."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, 100)
        self.setPageStep(10)
        self.mark: int | None = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.reset.emit()
        event.accept()

    def mark_place(self) -> float:
        """Where the middle of the handle is when it stands at the default, in logical pixels."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        option.sliderPosition = self.mark or 0
        handle = self.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self
        )
        return handle.x() + handle.width() / 2

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.mark is not None and self.isEnabled():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.PlaceholderText), 2))
            x, middle = self.mark_place(), self.height() / 2
            painter.drawLine(QPointF(x, middle - 11), QPointF(x, middle + 11))
            painter.end()
        super().paintEvent(event)


class FidelitySlider(QWidget):
    """Detail at the left, fidelity at the right, the value in words under them."""

    chosen = Signal(object)
    """(0 to 1, or None for the default), once the person lets the slider rest"""

    def __init__(self) -> None:
        super().__init__()
        self.slider = MarkedSlider()
        self.slider.setAccessibleName("Fidelity, per cent")
        self.slider.setToolTip(TIP)
        self.words = dim_label()
        self.words.setFont(tabular(self.words.font()))
        self._rest = layout.delayed(self, REST_MS, self._announce)
        ends = dim_label("Detail"), dim_label("Fidelity")
        for end in ends:
            end.setWordWrap(False)
        row = layout.row(ends[0], (self.slider, 1), ends[1], spacing=8)
        self.setLayout(layout.column(row, self.words, spacing=0, margins=0))
        self.slider.valueChanged.connect(self._moved)
        self.slider.reset.connect(self._reset)

    def show_value(self, value: float | None, default: float | None, reason: str = "") -> None:
        """Show a value without announcing it; not while the person moves the slider.

        Args:
            value: 0 to 1; None where there is nothing to choose.
            default: where the tick is.
            reason: why there is nothing to choose.
        """
        self.setEnabled(value is not None)
        if value is None or default is None:
            self._rest.stop()
            self._stand_at(100)  # what cannot be moved towards detail has none of it invented
            self.words.setText(reason)
            self.slider.mark = None
        elif not self._rest.isActive():
            self.slider.mark = round(default * 100)
            self._stand_at(round(value * 100))
            self._show_words()
        self.slider.update()

    def _stand_at(self, percent: int) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(percent)

    def _show_words(self) -> None:
        percent, mark = self.slider.value(), self.slider.mark
        ending = "the default" if percent == mark else f"default {mark} %"
        self.words.setText(f"Fidelity {percent} %, {ending}")

    def _moved(self) -> None:
        self._show_words()
        self._rest.start()

    def _reset(self) -> None:
        if self.slider.mark is not None:
            self.slider.setValue(self.slider.mark)

    def _announce(self) -> None:
        percent = self.slider.value()
        self.chosen.emit(None if percent == self.slider.mark else percent / 100)
