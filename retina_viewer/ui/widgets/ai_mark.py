"""The amber mark of what was learned: the same in every list of methods."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPixmap

from retina_viewer.ui.theme import DARK

SIZE = QSize(20, 14)
ICON = QSize(24, 14)
_SHARPEST = 3
"""Device pixels per logical pixel up to which the icon is sharp."""


def paint_ai_mark(painter: QPainter, box: QRectF) -> None:
    """``AI`` on amber, filling the box."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(DARK.amber))
    painter.drawRoundedRect(box, 3, 3)
    font = QFont(painter.font())
    font.setBold(True)
    font.setPixelSize(max(8, round(box.height() * 0.72)))
    painter.setFont(font)
    painter.setPen(QColor(DARK.on_amber))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "AI")
    painter.restore()


def ai_icon() -> QIcon:
    """The mark for a button, with some room between it and the text."""
    pixmap = QPixmap(ICON * _SHARPEST)
    pixmap.setDevicePixelRatio(_SHARPEST)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_ai_mark(painter, QRectF(0, 0, SIZE.width(), SIZE.height()))
    painter.end()
    return QIcon(pixmap)
