"""What the colours of the layers mean, written over the picture. In logical pixels."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter, QPen

from retina_viewer.imaging.overlay import CYAN, lookup_table
from retina_viewer.ui.canvas.decorations import GROUND, WHITE
from retina_viewer.ui.canvas.heat import GUESS_TOP
from retina_viewer.ui.canvas.scene import Scene
from retina_viewer.ui.view_state import LayerName

_SCALES = {
    LayerName.SALIENCY: ("0", "saliency (relative)", "1"),
    LayerName.CONSISTENCY: ("0", "expected error (levels)", f"{GUESS_TOP:g}+"),
}


def paint_legend(painter: QPainter, scene: Scene, right: float, top: float) -> None:
    """The colours of the layers that are on, with their units."""
    font = painter.font()
    font.setBold(False)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    width = max(metrics.horizontalAdvance("    ".join(texts)) for texts in _SCALES.values()) + 24
    for layer in scene.layers:
        height = 24 if layer.name is LayerName.VESSELS else 40
        box = QRectF(right - width, top, width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(GROUND)
        painter.drawRoundedRect(box, 4, 4)
        if layer.name in _SCALES:
            _paint_ramp(painter, layer.colours, box, _SCALES[layer.name])
        else:
            painter.setPen(QPen(QColor(*CYAN), 2))
            y = box.center().y()
            painter.drawLine(QPointF(box.left() + 8, y), QPointF(box.left() + 30, y))
            painter.setPen(WHITE)
            text = box.adjusted(38, 0, -8, 0)
            painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, "vessels (AI outline)")
        if layer.note:
            box = QRectF(right - width, box.bottom() + 1, width, 20)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(GROUND)
            painter.drawRoundedRect(box, 4, 4)
            painter.setPen(WHITE)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, layer.note)
        top = box.bottom() + 4


def _paint_ramp(
    painter: QPainter, colour_map: str, box: QRectF, texts: tuple[str, str, str]
) -> None:
    """A scale of colours under its lowest value, what it means, and its highest value."""
    painter.setPen(WHITE)
    text = box.adjusted(8, 2, -8, -18)
    sides = (
        Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight
    )  # fmt: skip
    for side, words in zip(sides, texts, strict=True):
        painter.drawText(text, side, words)
    ramp = QLinearGradient(box.left() + 8, 0, box.right() - 8, 0)
    table = lookup_table(colour_map)
    for index in range(0, 256, 15):
        ramp.setColorAt(index / 255, QColor(*table[index].tolist()))
    painter.fillRect(box.adjusted(8, 24, -8, -8), ramp)
