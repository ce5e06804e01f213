"""Where detail is a guess, as far as it has been computed of what is in view.

The map costs about nine enlargements, so it is computed as the eye moves: first spots, spread over
the view, then all of it where the enlargement itself is shown. Zoomed out so far that no
enlargement is, spots are all there will be: a spot tells of its place as the whole map does, and
nothing is said of what lies between. A map of the photograph made smaller would tell of another
result.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPixmap

from retina_viewer.core.geometry import Rect
from retina_viewer.ui.camera import Camera
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.tiles import Recipe, is_worthwhile, tiles_over

if TYPE_CHECKING:
    from retina_viewer.ui.canvas.scene import Mapping

TILE = 192
"""Source pixels: the side of what is computed at once. Networks see 15 to 50 pixels around it, so
that smaller tiles would be mostly rim."""
SPOT = 16
"""Source pixels: the side of a spot, which costs a small part of a tile."""
MOST_SPOTS = 32
"""In a view of which all is computed afterwards: they show within seconds where to look."""
SPOTS_APART = 24.0
"""Device pixels between spots where there is nothing else: closer, the screen would be full."""
SPOT_SHOWN = 10.0
"""Device pixels: smaller spots are drawn as large as this."""
_RING = QColor(255, 255, 255, 150)
_HATCH = QColor(255, 255, 255, 70)
_HATCH_SPACING = 8


@dataclass(frozen=True)
class Sight:
    """What is looked at, for the guesses of one result."""

    recipe: Recipe
    camera: Camera
    region: Rect
    """In source pixels."""
    image: Rect

    @property
    def is_whole(self) -> bool:
        """Whether all in view is to be computed, and not spots alone."""
        return is_worthwhile(self.camera, self.image)

    @cached_property
    def apart(self) -> int:
        """Source pixels between spots."""
        side = TILE
        while not self._wide_enough(side):
            side *= 2
        return side

    def _wide_enough(self, side: int) -> bool:
        if self.is_whole:
            return sum(1 for _ in tiles_over(self.region, self.image, side)) <= MOST_SPOTS
        return side * self.camera.zoom >= SPOTS_APART

    @cached_property
    def tiles(self) -> tuple[Rect, ...]:
        """What is computed at once, over all in view, row by row."""
        return tuple(tiles_over(self.region, self.image, TILE))

    @cached_property
    def spots(self) -> tuple[Rect, ...]:
        """Those in view, row by row."""
        return tuple(spot_of(cell) for cell in tiles_over(self.region, self.image, self.apart))

    def around(self, spot: Rect) -> Rect:
        """What a spot stands for."""
        side = self.apart
        left, top = spot.x + (spot.width - side) // 2, spot.y + (spot.height - side) // 2
        return Rect(left, top, side, side).intersected(self.image)

    def coarseness(self, spot: Rect) -> int:
        """Spots of larger numbers lie on a coarser grid, of which one is where the eye is."""
        column = spot.x // self.apart - int(self.camera.x) // self.apart
        row = spot.y // self.apart - int(self.camera.y) // self.apart
        return next((n for n in (3, 2, 1) if not (column % 2**n or row % 2**n)), 0)


def tile_at(x: int, y: int, image: Rect) -> Rect:
    """The tile that a source pixel lies in."""
    return Rect(x // TILE * TILE, y // TILE * TILE, TILE, TILE).intersected(image)


def is_tile(rect: Rect) -> bool:
    """Whether it is a tile, and not a spot."""
    return rect.x % TILE == 0 and rect.y % TILE == 0


def spot_of(cell: Rect) -> Rect:
    """The middle of the tile in a cell's corner, so that a spot stays one at any distance."""
    tile = Rect(cell.x, cell.y, min(cell.width, TILE), min(cell.height, TILE))
    if max(tile.width, tile.height) <= 2 * SPOT:
        return tile
    x, y = tile.x + (tile.width - SPOT) // 2, tile.y + (tile.height - SPOT) // 2
    return Rect(x, y, SPOT, SPOT).intersected(tile)


Placed = tuple[Rect, Pyramid]


@dataclass(frozen=True)
class GuessArt:
    """What is drawn of one view. Pictures are equal to themselves alone."""

    tiles: tuple[Placed, ...] = ()
    spots: tuple[Placed, ...] = ()
    """Off the tiles."""
    pending: tuple[Rect, ...] = ()
    """Where nothing is known yet."""


def paint_guesses(painter: QPainter, art: GuessArt, mapping: Mapping) -> None:
    """What is known in its colours, what is not yet under lines: no colour means no guesses."""
    opacity = painter.opacity()
    for rect, tile in art.tiles:
        tile.draw(painter, mapping.rect(rect), _all_of(tile), mapping.camera.zoom)
    ratio = painter.device().devicePixelRatioF()
    painter.setOpacity(1.0)
    _hatch(painter, art.pending, mapping, ratio)
    for rect, tile in art.spots:
        target = mapping.rect(rect)
        grow = max(0.0, (SPOT_SHOWN * ratio - target.width()) / 2)
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


def _hatch(painter: QPainter, pending: tuple[Rect, ...], mapping: Mapping, ratio: float) -> None:
    """Lines that fall where those over a result still to come rise."""
    if not pending:
        return
    side = round(_HATCH_SPACING * ratio)
    lines = QPixmap(side, side)
    lines.fill(Qt.GlobalColor.transparent)
    pen = QPainter(lines)
    pen.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen.setPen(QPen(_HATCH, ratio))
    for shift in (-side, 0, side):
        pen.drawLine(shift, 0, shift + side, side)
    pen.end()
    brush = QBrush(lines)
    painter.setBrushOrigin(QPointF(0, 0))
    for rect in pending:
        painter.fillRect(mapping.rect(rect), brush)
