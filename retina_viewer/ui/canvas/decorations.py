"""What is written over the picture: chips, scale bar, overview, loupe mark, ruler.

Painted in logical pixels, so that it has the same size on every screen.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QLinearGradient, QPainter, QPen

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.layer_art import Legend
from retina_viewer.ui.canvas.mapping import Mapping
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Chip, Scene, Source
from retina_viewer.ui.theme import DARK

MARGIN = 8.0
CHIP_HEIGHT = 24.0
OVERVIEW_SIDE = 108.0
SCALE_BAR = 120.0
"""The greatest length of the scale bar."""
GROUND = QColor(16, 16, 16, 205)
WHITE = QColor(240, 240, 240)
_GROUNDS = {
    Source.CAMERA: (GROUND, WHITE),
    Source.INTERPOLATED: (GROUND, QColor(200, 200, 200)),
    Source.NETWORK: (QColor(DARK.amber), QColor(DARK.on_amber)),
    Source.PENDING: (GROUND, QColor(225, 225, 225)),
    Source.DAMAGED: (QColor(DARK.red_ground), QColor(DARK.red)),
}


def paint_chips(
    painter: QPainter, chips: tuple[Chip, ...], left: float, right: float, top: float
) -> float:
    """In rows from the left, for none may be left out: what has no room stands below the others,
    and is shortened only where it is wider than the pane.

    Returns:
        Where the last row ends.
    """
    x = first = left + MARGIN
    if right - MARGIN - first < 40:
        return top + CHIP_HEIGHT  # beside a divider at the pane's edge nothing is to be labelled
    font = _bold(painter.font())
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    for chip in chips:
        width = metrics.horizontalAdvance(chip.text) + 16
        if x > first and x + width > right - MARGIN:
            x, top = first, top + CHIP_HEIGHT + 4
        text, room = chip.text, right - MARGIN - x
        if width > room:
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room - 16)
            width = metrics.horizontalAdvance(text) + 16
        box = QRectF(x, top, width, CHIP_HEIGHT)
        ground, ink = _GROUNDS[chip.source]
        painter.setPen(QPen(QColor(0, 0, 0, 130), 1))  # amber must not melt into a bright retina
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(ink)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        x = box.right() + 4
    return top + CHIP_HEIGHT


def paint_remark(painter: QPainter, text: str, left: float, right: float, top: float) -> None:
    """Sentences on a dark ground below the chips, in as many lines as the pane's width asks."""
    font = painter.font()
    font.setBold(False)
    painter.setFont(font)
    flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
    room = QRectF(left + MARGIN + 8, top + 4, max(right - left - 2 * MARGIN - 16, 40), 1e4)
    box = QFontMetricsF(font).boundingRect(room, int(flags), text)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(GROUND)
    painter.drawRoundedRect(box.adjusted(-8, -4, 8, 4), 4, 4)
    painter.setPen(WHITE)
    painter.drawText(box.adjusted(0, 0, 1, 1), int(flags), text)


def paint_note(painter: QPainter, text: str, left: float, bottom: float) -> None:
    """A short read-out on a dark ground, from its lower left corner."""
    font = painter.font()
    font.setBold(False)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    box = QRectF(left, bottom - 22, metrics.horizontalAdvance(text) + 16, 22)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(GROUND)
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(WHITE)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def scale_bar_length(px_per_logical: float, um_per_px: float | None) -> tuple[float, str]:
    """A round length that fits the bar.

    Args:
        px_per_logical: source pixels per logical screen pixel.
        um_per_px: micrometres per source pixel, where known.

    Returns:
        The bar's length in logical pixels and its label.
    """
    unit = um_per_px or 1.0
    longest = SCALE_BAR * px_per_logical * unit
    power = 10.0 ** math.floor(math.log10(longest))
    length = next(step * power for step in (5, 2, 1) if step * power <= longest * 1.0000001)
    label = f"{length:g} px" if um_per_px is None else _micrometres(length)
    return length / unit / px_per_logical, label


def _micrometres(length: float) -> str:
    return f"{length / 1000:g} mm nominal" if length >= 1000 else f"{length:g} µm nominal"


def paint_scale_bar(
    painter: QPainter, scene: Scene, ratio: float, right: float, bottom: float
) -> None:
    length, label = scale_bar_length(ratio / scene.camera.zoom, scene.um_per_px)
    font = painter.font()
    font.setBold(False)
    painter.setFont(font)
    width = max(length, QFontMetricsF(font).horizontalAdvance(label)) + 16
    box = QRectF(right - width, bottom - 30, width, 30)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(GROUND)
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(WHITE)
    text = box.adjusted(0, 2, 0, -10)
    painter.drawText(text, Qt.AlignmentFlag.AlignCenter, label)
    painter.setPen(QPen(WHITE, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
    y, x = bottom - 7, right - width / 2 - length / 2
    painter.drawLine(QPointF(x, y), QPointF(x + length, y))
    painter.drawLine(QPointF(x, y - 3), QPointF(x, y + 3))
    painter.drawLine(QPointF(x + length, y - 3), QPointF(x + length, y + 3))


def overview_rect(bounds: Rect, width: float, height: float) -> QRectF:
    """Where the overview lies in a pane of this logical size: the lower left corner."""
    side = OVERVIEW_SIDE / max(bounds.width, bounds.height, 1)
    w, h = bounds.width * side, bounds.height * side
    return QRectF(MARGIN, height - MARGIN - h, w, h)


def paint_overview(painter: QPainter, original: Pyramid, mapping: Mapping, box: QRectF) -> None:
    factor = box.width() / original.width
    painter.setPen(QPen(QColor(120, 120, 120), 1))
    painter.setBrush(QColor(0, 0, 0))
    painter.drawRect(box.adjusted(-0.5, -0.5, 0.5, 0.5))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    original.draw(painter, box, Rect(0, 0, original.width, original.height), factor)
    left, top = mapping.source(0, 0)
    right, bottom = mapping.source(mapping.width, mapping.height)
    seen = QRectF(
        box.x() + left * factor, box.y() + top * factor,
        (right - left) * factor, (bottom - top) * factor,
    ).intersected(box)  # fmt: skip
    painter.setPen(QPen(QColor(DARK.accent), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(seen)


def paint_mark(painter: QPainter, shown: QRectF) -> None:
    """The rectangle that the loupe shows, in a main pane; never too small to be found."""
    box = QRectF(0, 0, max(shown.width(), 12), max(shown.height(), 12))
    box.moveCenter(shown.center())
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 160), 3))
    painter.drawRect(box)
    painter.setPen(QPen(WHITE, 1))
    painter.drawRect(box)


def paint_frame(painter: QPainter, box: QRectF, colour: str) -> None:
    """Along the pane's edge."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(colour), 2))
    painter.drawRect(box.adjusted(1, 1, -1, -1))


def paint_crosshair(painter: QPainter, centre: QPointF) -> None:
    """A small open cross, dark under light, that hides no detail at its middle."""
    for colour, width in ((QColor(0, 0, 0, 140), 3.0), (QColor(255, 255, 255, 200), 1.0)):
        painter.setPen(QPen(colour, width))
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(centre + QPointF(dx * 6, dy * 6), centre + QPointF(dx * 12, dy * 12))


def paint_ruler(
    painter: QPainter, start: QPointF, end: QPointF, label: str, pane_width: float
) -> None:
    """A line with its label beside its end, inside a pane of this width where it can be."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in ((QColor(0, 0, 0, 170), 4.0), (QColor(255, 255, 255), 1.5)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(start, end)
    painter.setBrush(WHITE)
    for place in (start, end):
        painter.drawEllipse(place, 3, 3)
    room = pane_width - QFontMetricsF(painter.font()).horizontalAdvance(label) - 24
    if end.x() + 8 <= room:
        paint_note(painter, label, end.x() + 8, end.y() - 6)
    else:  # under the line, which it would cover otherwise
        paint_note(painter, label, max(0.0, room), max(start.y(), end.y()) + 32)


def paint_divider(painter: QPainter, x: float, height: float) -> None:
    painter.setPen(QPen(QColor(0, 0, 0, 150), 4))
    painter.drawLine(QPointF(x, 0), QPointF(x, height))
    painter.setPen(QPen(WHITE, 2))
    painter.drawLine(QPointF(x, 0), QPointF(x, height))
    painter.setPen(QPen(QColor(0, 0, 0, 150), 1))
    painter.setBrush(WHITE)
    # Below the middle, where the loupe's mark lies until it is moved.
    painter.drawRoundedRect(QRectF(x - 5, height * 0.75 - 16, 10, 32), 5, 5)


def _bold(font: QFont) -> QFont:
    bold = QFont(font)
    bold.setBold(True)
    return bold


def length_label(ruler: tuple[float, float, float, float], um_per_px: float | None) -> str:
    """A measured distance: source pixels, and micrometres where the file gives a pixel size."""
    length = math.hypot(ruler[2] - ruler[0], ruler[3] - ruler[1])
    text = f"{length:.1f} px"
    if um_per_px is None:
        return text
    um = length * um_per_px
    return f"{text} = {um / 1000:.2f} mm nominal" if um >= 1000 else f"{text} = {um:.0f} µm nominal"


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
