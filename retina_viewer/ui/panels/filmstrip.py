"""The strip of thumbnails. They are made when they come into view."""

from __future__ import annotations

from PySide6 import QtCore
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem

from retina_viewer.core.geometry import Rect
from retina_viewer.core.names import readable
from retina_viewer.ui.library import Library, Status
from retina_viewer.ui.theme import Tokens

WIDTH = 110
ROW = QtCore.QSize(WIDTH - 2, 98)
PICTURE = QtCore.QSize(96, 66)
Index = QtCore.QModelIndex | QtCore.QPersistentModelIndex


class _Model(QtCore.QAbstractListModel):
    def __init__(self, library: Library) -> None:
        super().__init__(library)
        self._library = library

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._library.paths)

    def data(self, index: Index, role: int = QtCore.Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._library.paths):
            return None
        path = self._library.paths[index.row()]
        if role == QtCore.Qt.ItemDataRole.DisplayRole:
            return readable(path.name)
        if role == QtCore.Qt.ItemDataRole.ToolTipRole:
            return readable(str(path))
        return None

    def reload(self) -> None:
        self.beginResetModel()
        self.endResetModel()

    def refresh(self, row: int) -> None:
        place = self.index(row)
        self.dataChanged.emit(place, place)


class _Painter(QStyledItemDelegate):
    """A picture, its name and its dot."""

    def __init__(self, library: Library, tokens: Tokens) -> None:
        super().__init__(library)
        self._library = library
        self._tokens = tokens

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QtCore.QSize:
        return ROW

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        if index.row() >= len(self._library.paths):
            return
        rect: QtCore.QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QtCore.QRectF(rect).adjusted(2, 2, -2, -2)
        if index.row() == self._library.current:
            painter.setPen(QPen(QColor(self._tokens.accent), 2))
            painter.setBrush(QColor(self._tokens.raised))
            painter.drawRoundedRect(frame, 4, 4)
        self._paint_picture(painter, index.row(), frame)
        self._paint_name(painter, index, frame)
        painter.restore()

    def _paint_picture(self, painter: QPainter, row: int, frame: QtCore.QRectF) -> None:
        room = QtCore.QRectF(frame.x() + 4, frame.y() + 4, PICTURE.width(), PICTURE.height())
        picture = self._library.thumbnail(row)
        if picture is None:
            painter.fillRect(room, QColor(self._tokens.window))
            return
        factor = min(room.width() / picture.width, room.height() / picture.height)
        target = QtCore.QRectF(0, 0, picture.width * factor, picture.height * factor)
        target.moveCenter(room.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        whole = Rect(0, 0, picture.width, picture.height)
        picture.draw(painter, target, whole, factor * painter.device().devicePixelRatioF())

    def _paint_name(self, painter: QPainter, index: Index, frame: QtCore.QRectF) -> None:
        tokens = self._tokens
        colour = {
            Status.UNSEEN: None,
            Status.OPENED: tokens.dim,
            Status.ENHANCED: tokens.amber,
            Status.FAILED: tokens.red,
        }[self._library.status(index.row())]
        line = QtCore.QRectF(frame.x() + 4, frame.bottom() - 22, frame.width() - 8, 20)
        if colour is not None:
            painter.setPen(QtCore.Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            painter.drawEllipse(QtCore.QPointF(line.x() + 4, line.center().y()), 3.5, 3.5)
        painter.setPen(QColor(tokens.text))
        box = line.adjusted(12, 0, 0, 0)
        metrics = QFontMetrics(painter.font())
        name = metrics.elidedText(
            index.data(), QtCore.Qt.TextElideMode.ElideMiddle, int(box.width())
        )
        painter.drawText(box, QtCore.Qt.AlignmentFlag.AlignVCenter, name)


class Filmstrip(QListView):
    """The library's photographs from top to bottom."""

    picked = QtCore.Signal(int)

    def __init__(self, library: Library, tokens: Tokens) -> None:
        super().__init__()
        self.setObjectName("filmstrip")
        self.setAccessibleName("Photographs")
        self._library = library
        self._model = _Model(library)
        self.setModel(self._model)
        self.use_tokens(tokens)
        self.setFixedWidth(WIDTH)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        # Asks once per turn of the event loop, however often the list scrolls.
        self._ask = QtCore.QTimer(self)
        self._ask.setSingleShot(True)
        self._ask.setInterval(0)
        self._ask.timeout.connect(self._want_visible)
        # Not the timer's method itself, which would take the value for milliseconds to wait.
        self.verticalScrollBar().valueChanged.connect(lambda value: self._ask.start())
        self.clicked.connect(lambda index: self.picked.emit(index.row()))
        self.activated.connect(lambda index: self.picked.emit(index.row()))
        library.list_changed.connect(self._reload)
        library.current_changed.connect(self._show_current)
        # What was read anew has lost its picture.
        library.opened.connect(lambda photo: self._ask.start())
        library.thumbnail_ready.connect(lambda row, _: self._model.refresh(row))
        library.status_changed.connect(self._model.refresh)

    def use_tokens(self, tokens: Tokens) -> None:
        self.setItemDelegate(_Painter(self._library, tokens))

    def _reload(self) -> None:
        self._model.reload()
        self._ask.start()

    def _show_current(self, row: int) -> None:
        index = self._model.index(row)
        self.setCurrentIndex(index)
        self.scrollTo(index)
        self.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._ask.start()

    def _want_visible(self) -> None:
        if not self.isVisible() or not self._library.paths:
            return
        top = self.verticalOffset() // ROW.height()
        shown = self.viewport().height() // ROW.height() + 2
        last = min(len(self._library.paths), top + shown)
        self._library.want_thumbnails(range(max(0, top), last))
