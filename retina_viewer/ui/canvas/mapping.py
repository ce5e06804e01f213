"""From source pixels to a pane's device pixels, and back, in Qt's own shapes."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF

from retina_viewer.core.geometry import Rect
from retina_viewer.ui.canvas.scene import Camera, Point


@dataclass(frozen=True)
class Mapping:
    """Of a pane of this size, in device pixels."""

    camera: Camera
    width: float
    height: float

    def point(self, x: float, y: float) -> QPointF:
        zoom = self.camera.zoom
        return QPointF(
            self.width / 2 + (x - self.camera.x) * zoom,
            self.height / 2 + (y - self.camera.y) * zoom,
        )

    def rect(self, part: Rect) -> QRectF:
        zoom = self.camera.zoom
        return QRectF(self.point(part.x, part.y), QSizeF(part.width * zoom, part.height * zoom))

    def source(self, x: float, y: float) -> Point:
        return self.camera.source(x, y, (self.width, self.height))

    def visible(self, image: Rect) -> Rect:
        return self.camera.visible(self.width, self.height, image)
