"""Painting the picture itself: photograph, tiles, hatching and layers. Device pixels throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPixmap

from retina_viewer.core.geometry import Rect
from retina_viewer.ui.canvas.layer_pictures import VesselArt
from retina_viewer.ui.canvas.mapping import Mapping
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Content, Scene, UncertaintyArt

VECTOR_ZOOM = 1.0
"""From here on vessel outlines are drawn as lines of constant width."""
THICK_ZOOM = 3.0
_SPOT_SHOWN = 10.0
"""Device pixels on a plain screen: smaller spots of uncertainty are drawn as large as this."""
_RING = QColor(255, 255, 255, 150)


@dataclass(frozen=True)
class _Hatching:
    """Diagonal lines over what is still to come; sizes in logical pixels."""

    spacing: int
    colour: QColor
    width: float
    rising: bool


_RISING = _Hatching(12, QColor(255, 255, 255, 26), 1.4, rising=True)
"""Over a result; those over its uncertainty fall."""
_FALLING = _Hatching(8, QColor(255, 255, 255, 70), 1.0, rising=False)


def paint_picture(painter: QPainter, scene: Scene, mapping: Mapping) -> None:
    """Fill the pane with what the scene says. Without a photograph nothing is painted."""
    if scene.original is None:
        return
    smooth = scene.smooth or scene.camera.zoom < 1
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
    _paint_whole(painter, scene.original, scene, mapping)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
    painter.save()
    _keep_to_result(painter, scene, mapping)
    _paint_tiles(painter, scene, mapping)
    _paint_layers(painter, scene, mapping)
    painter.restore()


def _paint_layers(painter: QPainter, scene: Scene, mapping: Mapping) -> None:
    for layer in scene.layers:
        painter.setOpacity(layer.opacity)
        if isinstance(layer.art, VesselArt):
            _paint_outlines(painter, layer.art, scene, mapping)
        elif isinstance(layer.art, UncertaintyArt):
            paint_uncertainty(painter, layer.art, mapping)
        elif isinstance(layer.art, tuple):
            for outlines in layer.art:
                _paint_outlines(painter, outlines, scene, mapping)
        else:
            _paint_whole(painter, layer.art, scene, mapping)


def _keep_to_result(painter: QPainter, scene: Scene, mapping: Mapping) -> None:
    """Where the original lies left of a divider, paint right of it alone."""
    if scene.content is Content.SPLIT:
        x = scene.divider * mapping.width
        painter.setClipRect(QRectF(x, 0, mapping.width - x, mapping.height))


def _paint_whole(painter: QPainter, art: Pyramid, scene: Scene, mapping: Mapping) -> None:
    """What is as large as the photograph: itself, or a heat map of it."""
    part = mapping.visible(scene.bounds)
    if part.area:
        art.draw(painter, mapping.rect(part), part, mapping.camera.zoom)


def _paint_tiles(painter: QPainter, scene: Scene, mapping: Mapping) -> None:
    """The finished tiles over the interpolated photograph, which was drawn before them."""
    pending: list[Rect] = []
    for rect, tile in scene.tiles:
        if tile is None:
            pending.append(rect)
        else:
            whole = Rect(0, 0, tile.width, tile.height)
            zoom = mapping.camera.zoom * rect.width / tile.width
            tile.draw(painter, mapping.rect(rect), whole, zoom)
    _hatch(painter, pending, mapping, _RISING)


def _hatch(painter: QPainter, pending: Sequence[Rect], mapping: Mapping, lines: _Hatching) -> None:
    if not pending:
        return
    brush = QBrush(_hatching(lines, painter.device().devicePixelRatioF()))
    painter.setBrushOrigin(QPointF(0, 0))
    for rect in pending:
        painter.fillRect(mapping.rect(rect), brush)


def _hatching(lines: _Hatching, ratio: float) -> QPixmap:
    """A tile of thin diagonal lines that repeats without a seam, in device pixels."""
    side = round(lines.spacing * ratio)
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(lines.colour, lines.width * ratio))
    start, end = (side, 0) if lines.rising else (0, side)
    for shift in (-side, 0, side):
        painter.drawLine(shift, start, shift + side, end)
    painter.end()
    return pixmap


def _paint_outlines(painter: QPainter, art: VesselArt, scene: Scene, mapping: Mapping) -> None:
    zoom = mapping.camera.zoom
    part = mapping.visible(scene.bounds)
    if not part.area:
        return
    ratio = painter.device().devicePixelRatioF()
    if zoom < VECTOR_ZOOM:
        # On a fine screen from a smaller picture, whose lines are wider there.
        level = art.level_for(zoom / ratio)
        fx, fy = level.width / art.width, level.height / art.height
        source = QRectF(part.x * fx, part.y * fy, part.width * fx, part.height * fy)
        painter.drawImage(mapping.rect(part), level.levels[0].image, source)
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(QColor(*art.colour), 1.0)
    # Cosmetic and 1 px: Qt draws such lines many times faster than wider ones.
    pen.setCosmetic(True)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    origin = mapping.point(0, 0)
    painter.translate(origin)
    painter.scale(zoom, zoom)
    polygons = art.visible(part)
    # Drawn twice, a little apart, where there is room for a line that is easier to see.
    for shift in (0.0, 0.7 * ratio / zoom) if zoom >= THICK_ZOOM or ratio > 1 else (0.0,):
        painter.translate(shift, shift)
        for polygon in polygons:
            painter.drawPolyline(polygon)
    painter.restore()


def paint_uncertainty(painter: QPainter, art: UncertaintyArt, mapping: Mapping) -> None:
    """What is known in its colours, what is not yet under lines: no colour means certain."""
    opacity = painter.opacity()
    for rect, tile in art.tiles:
        tile.draw(painter, mapping.rect(rect), _all_of(tile), mapping.camera.zoom)
    ratio = painter.device().devicePixelRatioF()
    painter.setOpacity(1.0)
    _hatch(painter, art.pending, mapping, _FALLING)
    for rect, tile in art.spots:
        target = mapping.rect(rect)
        grow = max(0.0, (_SPOT_SHOWN * ratio - target.width()) / 2)
        target.adjust(-grow, -grow, grow, grow)
        painter.setOpacity(opacity)
        tile.draw(painter, target, _all_of(tile), 1.0)
        painter.setOpacity(1.0)
        painter.setPen(QPen(_RING, ratio))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(target)
    painter.setOpacity(opacity)


def _all_of(tile: Pyramid) -> Rect:
    return Rect(0, 0, tile.width, tile.height)
