"""A combo box, a number and a check box whose marks are seen on any ground.

A style sheet can only draw arrows and ticks from image files; these draw their own.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QCheckBox, QComboBox, QSpinBox, QStyle, QStyleOptionSpinBox, QWidget

from retina_viewer.ui.theme import HIT_TARGET

BOX = 16.0


def _pen_for(painter: QPainter, widget: QWidget, is_on: bool) -> None:
    """What a mark of the widget is drawn with."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    group = QPalette.ColorGroup.Active if is_on else QPalette.ColorGroup.Disabled
    painter.setPen(QPen(widget.palette().color(group, QPalette.ColorRole.Text), 1.5))


def _draw_chevron(painter: QPainter, x: float, y: float, width: float, rise: float) -> None:
    places = [(x - width, y - rise), (x, y + rise), (x + width, y - rise)]
    painter.drawPolyline(QPolygonF([QPointF(*place) for place in places]))


class Chooser(QComboBox):
    """A combo box with a chevron."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setMinimumHeight(HIT_TARGET)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        _pen_for(painter, self, self.isEnabled())
        _draw_chevron(painter, self.width() - 14.0, self.height() / 2, 4, 2)


class NumberBox(QSpinBox):
    """A number with a chevron for the next and one for the one before."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setMinimumHeight(HIT_TARGET)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        option = QStyleOptionSpinBox()
        self.initStyleOption(option)
        painter = QPainter(self)
        for part, step, rise in (
            (QStyle.SubControl.SC_SpinBoxUp, QSpinBox.StepEnabledFlag.StepUpEnabled, -2.0),
            (QStyle.SubControl.SC_SpinBoxDown, QSpinBox.StepEnabledFlag.StepDownEnabled, 2.0),
        ):
            _pen_for(painter, self, self.isEnabled() and bool(self.stepEnabled() & step))
            kind = QStyle.ComplexControl.CC_SpinBox
            box = QRectF(self.style().subControlRect(kind, option, part, self))
            _draw_chevron(painter, box.center().x(), box.center().y(), 3, rise)


def draw_box(
    painter: QPainter, box: QRectF, fill: QColor | None, tick: QColor, ink: QColor
) -> None:
    """The box of a choice: filled and ticked, or without a fill its frame alone."""
    if fill is None:
        painter.setPen(QPen(ink, 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawRoundedRect(box, 3, 3)
    painter.setPen(QPen(tick, 2))
    places = [(4.0, 8.5), (7.0, 11.5), (12.5, 5.0)]
    painter.drawPolyline(QPolygonF([QPointF(box.x() + x, box.y() + y) for x, y in places]))


class Switch(QCheckBox):
    """A check box with a plain frame and a tick."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setMinimumHeight(HIT_TARGET)
        # A click leaves the keys with the picture.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def show_on(self, on: bool) -> None:
        """Show the choice without announcing it."""
        with QSignalBlocker(self):
            self.setChecked(on)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        group = QPalette.ColorGroup.Active if self.isEnabled() else QPalette.ColorGroup.Disabled
        ink = self.palette().color(group, QPalette.ColorRole.WindowText)
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        box = QRectF(2, (self.height() - BOX) / 2, BOX, BOX)
        fill = (accent if self.isEnabled() else ink) if self.isChecked() else None
        tick = self.palette().color(QPalette.ColorRole.HighlightedText)
        draw_box(painter, box, fill, tick, ink)
        painter.setPen(ink)
        room = QRectF(self.rect()).adjusted(BOX + 10, 0, 0, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.hasFocus():
            painter.setPen(QPen(QColor(accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
