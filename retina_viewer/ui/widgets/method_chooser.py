"""The method chooser: what each method does to detail, a sentence on it, a mark where it is AI."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6 import QtGui
from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from retina_viewer.superres.methods import Character, Method
from retina_viewer.ui.theme import DARK
from retina_viewer.ui.widgets.choices import Chooser
from retina_viewer.ui.widgets.table_views import Index

MARK_SIZE = QSize(20, 14)
MARK_ICON = QSize(24, 14)
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
    pixmap = QPixmap(MARK_ICON * _SHARPEST)
    pixmap.setDevicePixelRatio(_SHARPEST)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_ai_mark(painter, QRectF(0, 0, MARK_SIZE.width(), MARK_SIZE.height()))
    painter.end()
    return QIcon(pixmap)


ID = Qt.ItemDataRole.UserRole
"""The method's identifier; nothing for the heading of a group."""
SENTENCE = Qt.ItemDataRole.UserRole + 1
LEARNED = Qt.ItemDataRole.UserRole + 2
WIDTH = 460
LETTERS = 16
"""Of a title that are shown at least while the list is closed."""
ROWS = 16
"""Shown at once: all methods with their headings, where the screen is high enough."""
_SIDE, _TOP = 12, 7
_HEADING = 28
GROUPS: dict[Character, str] = {
    "draws": "Draws what looks right",
    "restores": "Restores what comes closest to the truth",
    "interpolates": "Interpolates",
}


class _TwoLines(QStyledItemDelegate):
    """A bold title, its mark, and a sentence that wraps; or the heading of a group."""

    def paint(self, painter: QtGui.QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        rect: QRect = option.rect
        palette: QtGui.QPalette = option.palette
        if index.data(ID) is None:
            self._paint_heading(painter, rect, palette, index)
            painter.restore()
            return
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, palette.highlight())
        painter.setPen(palette.color(QtGui.QPalette.ColorRole.Text))
        font: QtGui.QFont = QtGui.QFont(option.font)
        font.setBold(True)
        painter.setFont(font)
        metrics = QtGui.QFontMetrics(font)
        box = rect.adjusted(_SIDE, _TOP, -_SIDE, -_TOP)
        title = str(index.data())
        painter.drawText(box, Qt.AlignmentFlag.AlignTop, title)
        if index.data(LEARNED):
            left = box.x() + metrics.horizontalAdvance(title) + 8
            top = box.y() + (metrics.height() - MARK_SIZE.height()) / 2
            paint_ai_mark(painter, QRectF(left, top, MARK_SIZE.width(), MARK_SIZE.height()))
        painter.setFont(option.font)
        flags = Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        below = box.adjusted(0, metrics.height() + 2, 0, 0)
        painter.drawText(below, flags, str(index.data(SENTENCE)))
        painter.restore()

    def _paint_heading(
        self, painter: QtGui.QPainter, rect: QRect, palette: QtGui.QPalette, index: Index
    ) -> None:
        ink = QtGui.QColor(
            palette.color(QtGui.QPalette.ColorGroup.Active, QtGui.QPalette.ColorRole.Text)
        )
        if index.row() > 0:
            ink.setAlphaF(0.25)
            painter.fillRect(rect.x(), rect.y(), rect.width(), 1, ink)
        ink.setAlphaF(0.75)  # still 4.5 : 1 in both themes
        painter.setPen(ink)
        box = rect.adjusted(_SIDE, 4, -_SIDE, 0)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, str(index.data()))

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        if index.data(ID) is None:
            return QSize(WIDTH, _HEADING)
        bold = QtGui.QFont(option.font)
        bold.setBold(True)
        # The scroll bar may take a part of the width.
        room = QRect(0, 0, WIDTH - 2 * _SIDE - 12, 1000)
        sentence = str(index.data(SENTENCE))
        text = QtGui.QFontMetrics(option.font).boundingRect(
            room, Qt.TextFlag.TextWordWrap, sentence
        )
        height = text.height() + QtGui.QFontMetrics(bold).height() + 2 + 2 * _TOP
        return QSize(WIDTH, height)


class MethodChooser(Chooser):
    """Which method makes the result."""

    chosen = Signal(str)
    """(method id), when the person picks it"""

    def __init__(self, methods: Sequence[Method]) -> None:
        super().__init__("Method")
        self.setMinimumWidth(130)
        self.setMaxVisibleItems(ROWS)
        # Not as wide as the headings: the row of the toolbar is full.
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(LETTERS)
        self._offered: list[Method] = []
        self.offer(methods)
        self.setItemDelegate(_TwoLines(self))
        self.view().setMinimumWidth(WIDTH)
        self.activated.connect(self._picked)

    @property
    def method(self) -> str:
        """The identifier of what is shown."""
        return str(self.currentData(ID) or "")

    def offer(self, methods: Sequence[Method]) -> None:
        """Show these, by their groups; the choice stays, where it is among them."""
        if list(methods) == self._offered:
            return
        shown = self.method
        self._offered = list(methods)
        model = QtGui.QStandardItemModel(self)
        for character, heading in GROUPS.items():
            group = [method for method in methods if method.character == character]
            for row in ([_heading(heading)] if group else []) + [_entry(one) for one in group]:
                model.appendRow(row)
        self.setModel(model)
        self.set_method(shown)

    def set_method(self, method: str) -> None:
        """Show the choice without announcing it."""
        row = self.findData(method, ID)
        if row < 0:
            row = next((n for n in range(self.count()) if self.itemData(n, ID)), -1)
        self.setCurrentIndex(row)
        self.setToolTip(str(self.itemData(row, SENTENCE) or ""))

    def _picked(self, row: int) -> None:
        method = self.itemData(row, ID)
        if method:
            self.chosen.emit(str(method))


def _heading(text: str) -> QtGui.QStandardItem:
    """What cannot be chosen; keys and wheel pass over it."""
    item = QtGui.QStandardItem(text)
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    return item


def _entry(method: Method) -> QtGui.QStandardItem:
    item = QtGui.QStandardItem(method.title)
    item.setData(method.id, ID)
    item.setData(method.sentence, SENTENCE)
    item.setData(method.learned, LEARNED)
    item.setData(method.sentence, Qt.ItemDataRole.ToolTipRole)
    mark = "made by AI. " if method.learned else ""
    item.setData(f"{method.title}, {mark}{method.sentence}", Qt.ItemDataRole.AccessibleTextRole)
    return item
