"""The method chooser: each method with its sentence."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import (
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from retina_viewer.ui.making import MethodInfo
from retina_viewer.ui.widgets.choices import Chooser

SENTENCE = Qt.ItemDataRole.UserRole + 1
WIDTH = 420


class _TwoLines(QStyledItemDelegate):
    """A bold title over a sentence that wraps."""

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        painter.save()
        rect: QRect = option.rect
        palette: QPalette = option.palette
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, palette.highlight())
        font: QFont = option.font
        font.setBold(True)
        painter.setFont(font)
        box = rect.adjusted(12, 8, -12, -8)
        painter.drawText(box, Qt.AlignmentFlag.AlignTop, index.data())
        top = QFontMetrics(font).height() + 2
        font.setBold(False)
        painter.setFont(font)
        flags = Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(box.adjusted(0, top, 0, 0), flags, index.data(SENTENCE))
        painter.restore()

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        metrics = QFontMetrics(option.font)
        room = QRect(0, 0, WIDTH - 24, 1000)
        text = metrics.boundingRect(room, Qt.TextFlag.TextWordWrap, index.data(SENTENCE))
        return QSize(WIDTH, text.height() + metrics.height() + 18)


class MethodChooser(Chooser):
    """Which method makes the result."""

    chosen = Signal(str)
    """(method id), when the person picks it"""

    def __init__(self, methods: Sequence[MethodInfo], parent: QWidget | None = None) -> None:
        super().__init__("Method", parent)
        self.setMinimumWidth(130)
        self._ids: list[str] = []
        self.offer(methods)
        self.setItemDelegate(_TwoLines(self))
        self.view().setMinimumWidth(WIDTH)
        self.activated.connect(lambda index: self.chosen.emit(self._ids[index]))

    def offer(self, methods: Sequence[MethodInfo]) -> None:
        """Show these; the choice stays, where it is among them."""
        ids = [method.id for method in methods]
        if ids == self._ids:
            return
        shown = self._ids[self.currentIndex()] if self._ids else ""
        self._ids = ids
        self.clear()
        for method in methods:
            self.addItem(method.title)
            self.setItemData(self.count() - 1, method.sentence, SENTENCE)
            self.setItemData(self.count() - 1, method.sentence, Qt.ItemDataRole.ToolTipRole)
        self.set_method(shown)

    def set_method(self, method: str) -> None:
        """Show the choice without announcing it."""
        if method in self._ids:
            index = self._ids.index(method)
            self.setCurrentIndex(index)
            self.setToolTip(str(self.itemData(index, SENTENCE)))
