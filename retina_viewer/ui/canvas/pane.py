"""One view of the photograph: paints a scene and reports what the person does on it.

A pane decides nothing. It says "wheel, two notches, here"; the viewer changes the view state and
the new scene comes back.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from retina_viewer.ui.canvas import decorations as deco
from retina_viewer.ui.canvas.mapping import Mapping
from retina_viewer.ui.canvas.painting import paint_picture
from retina_viewer.ui.canvas.scene import EMPTY, Content, Point, Scene
from retina_viewer.ui.theme import DARK

NOTCH = 120.0
GRAB = 10.0
"""How near the divider the cursor must be to take it, in logical pixels."""


class Pane(QWidget):
    """Shows a scene, and nothing else: equal scenes are not painted again.

    Cursor positions in signals are device pixels of the pane.
    """

    wheeled = Signal(float, float, float, bool)
    """(notches, x, y, with Ctrl)"""
    dragged = Signal(float, float)
    """(dx, dy) since the last one"""
    hovered = Signal(float, float)
    """(x, y) in source pixels"""
    left = Signal()
    clicked = Signal(float, float)
    """(x, y) in source pixels: pressed and released without moving"""
    double_clicked = Signal()
    divider_moved = Signal(float)
    """The divider's place, 0 to 1 of the pane's width"""
    overview_clicked = Signal(float, float)
    """(x, y) in source pixels"""
    measured = Signal(float, float, float, float)
    """(x0, y0, x1, y1) in source pixels, while the ruler is drawn"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scene = EMPTY
        self.measuring = False
        self._cursor: QPointF | None = None
        self._last: QPointF | None = None
        self._moved = False
        self._action = ""
        self._ruler_start = (0.0, 0.0)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(80, 80)
        self.setAccessibleName("Photograph")

    def show_scene(self, scene: Scene) -> None:
        if scene != self.scene:
            self.scene = scene
            self.update()

    @property
    def under_cursor(self) -> tuple[float, float] | None:
        """(x, y) in source pixels of what is shown under the cursor now; None without one. Also a
        cursor that stands still lies over another point when the scene changes."""
        if self._cursor is None or self.scene.original is None or not self.isVisible():
            return None
        return self._source(self._cursor)

    @property
    def device_size(self) -> Point:
        """Width and height in device pixels."""
        ratio = self.devicePixelRatioF()
        return self.width() * ratio, self.height() * ratio

    @property
    def mapping(self) -> Mapping:
        return Mapping(self.scene.camera, *self.device_size)

    def sizeHint(self) -> QSize:
        return QSize(400, 400)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(DARK.canvas))
        if self.scene.original is not None:
            mapping, ratio = self.mapping, self.devicePixelRatioF()
            painter.save()
            painter.scale(1 / ratio, 1 / ratio)
            paint_picture(painter, self.scene, mapping)
            painter.restore()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_labels(painter, mapping, ratio)
        painter.end()

    def _paint_labels(self, painter: QPainter, mapping: Mapping, ratio: float) -> None:
        scene, width, height = self.scene, float(self.width()), float(self.height())
        self._paint_marks(painter, mapping, ratio)
        left = deco.MARGIN
        if scene.overview and scene.original is not None:
            box = deco.overview_rect(scene.bounds, width, height)
            deco.paint_overview(painter, scene.original, mapping, box)
            left = box.right() + deco.MARGIN
        if scene.note:
            deco.paint_note(painter, scene.note, left, height - deco.MARGIN)
        right, bottom = width - deco.MARGIN, height - deco.MARGIN
        if width - scene.covered >= 260:
            deco.paint_scale_bar(painter, scene, ratio, right - scene.covered, bottom)
        edge = scene.divider * width if scene.content is Content.SPLIT else width
        if scene.content is Content.SPLIT:
            below = deco.paint_chips(painter, scene.chips, 0, edge, deco.MARGIN)
            legend = deco.paint_chips(painter, scene.result_chips, edge, width, deco.MARGIN)
        else:
            chips = (*scene.chips, *scene.result_chips)
            below = legend = deco.paint_chips(painter, chips, 0, width, deco.MARGIN)
        if scene.legend:
            deco.paint_legend(painter, scene, right, legend + 8)
        if scene.remark:
            deco.paint_remark(painter, scene.remark, 0, edge, below + 4)

    def _paint_marks(self, painter: QPainter, mapping: Mapping, ratio: float) -> None:
        """What belongs to places of the photograph, and the lines of the pane itself."""
        scene, width, height = self.scene, float(self.width()), float(self.height())
        if scene.content is Content.SPLIT:
            deco.paint_divider(painter, scene.divider * width, height)
        if scene.marked is not None:
            corner = mapping.point(*scene.marked[:2]) / ratio
            across, down = (side * scene.camera.zoom / ratio for side in scene.marked[2:])
            deco.paint_mark(painter, QRectF(corner.x(), corner.y(), across, down))
        if scene.crosshair:
            deco.paint_crosshair(painter, QPointF(width / 2, height / 2))
        if scene.pointer is not None:
            deco.paint_crosshair(painter, mapping.point(*scene.pointer) / ratio)
        if scene.ruler is not None:
            start = mapping.point(*scene.ruler[:2]) / ratio
            end = mapping.point(*scene.ruler[2:]) / ratio
            label = deco.length_label(scene.ruler, scene.um_per_px)
            deco.paint_ruler(painter, start, end, label, width)
        if scene.is_active or scene.is_inset:
            colour = DARK.accent if scene.is_active else DARK.text
            deco.paint_frame(painter, QRectF(self.rect()), colour)

    # What the person does

    def _source(self, place: QPointF) -> tuple[float, float]:
        ratio = self.devicePixelRatioF()
        return self.mapping.source(place.x() * ratio, place.y() * ratio)

    def _over_divider(self, place: QPointF) -> bool:
        at = self.scene.divider * self.width()
        return self.scene.content is Content.SPLIT and abs(place.x() - at) <= GRAB

    def _over_overview(self, place: QPointF) -> tuple[float, float] | None:
        if not self.scene.overview or self.scene.original is None:
            return None
        box = deco.overview_rect(self.scene.bounds, self.width(), self.height())
        if not box.contains(place):
            return None
        factor = self.scene.bounds.width / box.width()
        return (place.x() - box.x()) * factor, (place.y() - box.y()) * factor

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / NOTCH
        if notches and self.scene.original is not None:
            ratio, place = self.devicePixelRatioF(), event.position()
            with_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self.wheeled.emit(notches, place.x() * ratio, place.y() * ratio, with_ctrl)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton or self.scene.original is None:
            return
        place = event.position()
        self._last, self._moved = place, False
        over = self._over_overview(place)
        if over is not None:
            self._action = "overview"
            self.overview_clicked.emit(*over)
        elif self._over_divider(place):
            self._action = "divider"
        elif self.measuring:
            self._action = "ruler"
            self._ruler_start = self._source(place)
        else:
            self._action = "pan"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = self._cursor = event.position()
        if self.scene.original is None:
            return
        self.hovered.emit(*self._source(place))
        if self._last is None:
            self._show_cursor(place)
            return
        step = place - self._last
        if not self._moved and QPoint(step.toPoint()).manhattanLength() < 3:
            return
        self._moved = True
        self._last = place
        if self._action == "pan":
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            ratio = self.devicePixelRatioF()
            self.dragged.emit(step.x() * ratio, step.y() * ratio)
        elif self._action == "divider":
            self.divider_moved.emit(min(max(place.x() / self.width(), 0.0), 1.0))
        elif self._action == "ruler":
            self.measured.emit(*self._ruler_start, *self._source(place))
        elif (over := self._over_overview(place)) is not None:
            self.overview_clicked.emit(*over)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton or self._last is None:
            return
        if self._action == "pan" and not self._moved:
            self.clicked.emit(*self._source(event.position()))
        self._last, self._action = None, ""
        self._show_cursor(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.double_clicked.emit()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._show_cursor(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        self._cursor = None
        self.left.emit()

    def _show_cursor(self, place: QPointF) -> None:
        if self._over_divider(place):
            self.setCursor(Qt.CursorShape.SplitHCursor)
        elif self.measuring:
            self.setCursor(Qt.CursorShape.CrossCursor)
        else:
            self.setCursor(Qt.CursorShape.ArrowCursor)
