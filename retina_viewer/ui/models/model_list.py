"""The list on the left: a heading a task, two lines a model, a mark on the one in use."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from retina_viewer.ui.models.installed_models import TASKS, InstalledModels, subtitle
from retina_viewer.ui.widgets.table_views import Index

NAME = Qt.ItemDataRole.UserRole
SUBTITLE = Qt.ItemDataRole.UserRole + 1
IN_USE = Qt.ItemDataRole.UserRole + 2
_PADDING = 12
_MARK = "in use"


class ModelList(QListWidget):
    """Says which model the person picks."""

    picked = Signal(str)
    """(name)"""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("modelList")
        self.setAccessibleName("Models")
        self.setItemDelegate(_Rows(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.currentItemChanged.connect(self._changed)

    def show_installed(self, installed: InstalledModels, chosen: str) -> None:
        """List everything; the chosen one stays chosen, or else the first default is."""
        self.blockSignals(True)
        self.clear()
        for task, title in TASKS:
            entries = installed.of(task)
            if entries:
                QListWidgetItem(title, self).setFlags(Qt.ItemFlag.NoItemFlags)
            for entry in entries:
                item = QListWidgetItem(entry.card.title, self)
                item.setData(NAME, entry.card.name)
                item.setData(SUBTITLE, subtitle(entry))
                item.setData(IN_USE, entry.is_default)
                item.setToolTip(f"{entry.card.title} ({subtitle(entry)})")
                mark = ", in use" if entry.is_default else ""
                read = f"{entry.card.title}, {subtitle(entry)}{mark}"
                item.setData(Qt.ItemDataRole.AccessibleTextRole, read)
        self.blockSignals(False)
        self.choose(chosen if installed.entry(chosen) else "")

    def choose(self, name: str) -> None:
        """Select a model by name; without a name the first one."""
        for row in range(self.count()):
            found = self.item(row).data(NAME)
            if found is not None and name in ("", found):
                self.setCurrentRow(row)
                return

    @property
    def chosen(self) -> str:
        item = self.currentItem()
        return str(item.data(NAME)) if item is not None and item.data(NAME) else ""

    def _changed(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.data(NAME):
            self.picked.emit(self.chosen)


class _Rows(QStyledItemDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect: QRect = option.rect
        palette = QApplication.palette()  # the style sheet has changed the colours of the list's
        dim = palette.color(QPalette.ColorRole.PlaceholderText)
        box = rect.adjusted(_PADDING, 8, -_PADDING, -6)
        if index.data(NAME) is None:
            painter.setPen(dim)
            flags = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
            painter.drawText(box, flags, index.data())
            painter.restore()
            return
        accent = palette.color(QPalette.ColorRole.Highlight)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Button))
            painter.fillRect(QRect(rect.x(), rect.y(), 3, rect.height()), accent)
        font = QFont(option.font)
        metrics = QFontMetrics(font)
        room = box.width()
        if index.data(IN_USE):
            painter.setPen(accent)
            flags = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight
            painter.drawText(box, flags, _MARK)
            room -= metrics.horizontalAdvance(_MARK) + 12
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        title = QFontMetrics(font).elidedText(index.data(), Qt.TextElideMode.ElideRight, room)
        painter.drawText(box, Qt.AlignmentFlag.AlignTop, title)
        font.setBold(False)
        painter.setFont(font)
        painter.setPen(dim)
        text = metrics.elidedText(index.data(SUBTITLE), Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignBottom, text)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line = QFontMetrics(option.font).height()
        return QSize(200, line + 18 if index.data(NAME) is None else 2 * line + 20)
