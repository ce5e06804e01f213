"""Tables as the wizard shows them: quiet, whole rows, ticks that are seen on any ground."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from retina_viewer.ui.widgets.choices import BOX

Index = QModelIndex | QPersistentModelIndex


class Ticks(QStyledItemDelegate):
    """Draws the tick in a box that is seen on any ground, as :class:`Switch` does."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        state = index.data(Qt.ItemDataRole.CheckStateRole)
        if state is None:
            return
        view: QWidget = option.widget
        mine = QStyleOptionViewItem(option)
        self.initStyleOption(mine, index)
        place = view.style().subElementRect(
            QStyle.SubElement.SE_ItemViewItemCheckIndicator, mine, view
        )
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole
        ground = option.palette.color(role.Mid if chosen else role.Base)
        draw_tick(painter, place, Qt.CheckState(state) is Qt.CheckState.Checked, view, ground)


def draw_tick(
    painter: QPainter, place: QRect, is_on: bool, view: QWidget, ground: QColor | None
) -> None:
    """A box of 16 px in the middle of ``place``, over what was drawn there."""
    palette = QGuiApplication.palette()  # a table's own has the colours of its selection
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    box = QRectF(0, 0, BOX, BOX)
    box.moveCenter(QRectF(place).center())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.color(QPalette.ColorRole.Highlight) if is_on else ground)
    painter.drawRoundedRect(box, 3, 3)
    if is_on:
        painter.setPen(QPen(palette.color(QPalette.ColorRole.HighlightedText), 2))
        tick = [(4.0, 8.5), (7.0, 11.5), (12.5, 5.0)]
        painter.drawPolyline(QPolygonF([QPointF(box.x() + x, box.y() + y) for x, y in tick]))
    else:
        painter.setPen(QPen(palette.color(QPalette.ColorRole.WindowText), 1.2))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
    painter.restore()


def plain_table() -> QTableView:
    """A quiet table: whole rows, no grid, the last column takes what is left."""
    view = QTableView()
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.verticalHeader().hide()
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    view.horizontalHeader().setDefaultAlignment(left)
    view.horizontalHeader().setStretchLastSection(True)
    view.horizontalHeader().setHighlightSections(False)
    view.setTabKeyNavigation(False)
    return view


def whole_height(view: QTableView) -> None:
    """As high as all its rows; numbers as wide as they are, names take what is left."""
    header = view.horizontalHeader()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    rows = view.verticalHeader().defaultSectionSize() * view.model().rowCount()
    view.setFixedHeight(header.sizeHint().height() + rows + 10)
    view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
