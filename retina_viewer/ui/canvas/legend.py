"""What the colours of the layers mean, written over the picture. In logical pixels."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter, QPen

from retina_viewer.imaging.layer_art import Legend
from retina_viewer.ui.canvas.decorations import GROUND, WHITE
from retina_viewer.ui.canvas.scene import Scene

_LINE, _SIDE, _SAMPLE = 18.0, 8.0, 22.0
"""Height of a line of text, margin, and length of a line's sample."""


def paint_legend(painter: QPainter, scene: Scene, right: float, top: float) -> None:
    """The colours of the layers that are on, with their units; smaller where the pane, which begins
    at 0, is narrower."""
    painter.save()
    font = painter.font()
    font.setBold(False)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    shown = [(layer.legend, layer.note) for layer in scene.layers if layer.legend is not None]
    widths = (max(_width(one, metrics), metrics.horizontalAdvance(note)) for one, note in shown)
    width = max(widths, default=0.0) + 2 * _SIDE
    shrunk = min(1.0, (right - _SIDE) / width)
    painter.translate(right, top)
    painter.scale(shrunk, shrunk)
    right = top = 0.0
    for one, note in shown:
        height = ((3 if one.ramp else 2) + bool(note)) * _LINE + 2
        box = QRectF(right - width, top, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(GROUND)
        painter.drawRoundedRect(box, 4, 4)
        inner = box.adjusted(_SIDE, 1, -_SIDE, -1)
        painter.setPen(WHITE)
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft, one.name)
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, note)
        below = inner.adjusted(0, _LINE, 0, 0)
        if one.ramp:
            _paint_ramp(painter, one, below, metrics)
        else:
            _paint_lines(painter, one, below, metrics)
        top = box.bottom() + 4
    painter.restore()


def _width(legend: Legend, metrics: QFontMetricsF) -> float:
    lines = sum(_SAMPLE + 22 + metrics.horizontalAdvance(text) for _, text in legend.lines)
    ticks = metrics.horizontalAdvance("   ".join(text for _, text in legend.ticks))
    return max(metrics.horizontalAdvance(legend.name), lines, ticks)


def _paint_lines(painter: QPainter, legend: Legend, box: QRectF, metrics: QFontMetricsF) -> None:
    """A piece of each line, and what it encloses."""
    x, y = box.left(), box.top() + _LINE / 2
    for colour, text in legend.lines:
        painter.setPen(QPen(QColor(*colour), 2))
        painter.drawLine(QPointF(x, y), QPointF(x + _SAMPLE, y))
        painter.setPen(WHITE)
        place = QRectF(x + _SAMPLE + 8, box.top(), box.right() - x, _LINE)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)
        x += _SAMPLE + 22 + metrics.horizontalAdvance(text)


def _paint_ramp(painter: QPainter, legend: Legend, box: QRectF, metrics: QFontMetricsF) -> None:
    """A scale of colours over what its places mean."""
    ramp = QLinearGradient(box.left(), 0, box.right(), 0)
    for index in range(0, 256, 3):
        ramp.setColorAt(index / 255, QColor(*legend.ramp[index]))
    painter.fillRect(QRectF(box.left(), box.top() + 3, box.width(), 10), ramp)
    painter.setPen(WHITE)
    for place, text in legend.ticks:
        room = metrics.horizontalAdvance(text)
        x = min(max(box.left() + place * box.width() - room / 2, box.left()), box.right() - room)
        painter.drawText(
            QRectF(x, box.top() + 15, room + 2, _LINE), Qt.AlignmentFlag.AlignLeft, text
        )
