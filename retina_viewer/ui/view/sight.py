"""Of which places in view the uncertainty is computed. No Qt.

The map costs about nine enlargements, so it is computed as the eye moves: first spots, spread over
the view, then all of it where the enlargement itself is shown. Zoomed out so far that no
enlargement is, spots are all there will be: a spot tells of its place as the whole map does, and
nothing is said of what lies between. A map of the photograph made smaller would tell of another
result.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.field_of_view import FieldOfView
from retina_viewer.ui.canvas.scene import Camera
from retina_viewer.ui.canvas.tile_requests import TileRequest, is_worthwhile, tiles_over

TILE = 192
"""Source pixels: the side of what is computed at once. Networks see 15 to 50 pixels around it, so
that smaller tiles would be mostly rim."""
SPOT = 16
"""Source pixels: the side of a spot, which costs a small part of a tile."""
MOST_SPOTS = 32
"""In a view of which all is computed afterwards: they show within seconds where to look."""
SPOTS_APART = 24.0
"""Device pixels between spots where there is nothing else: closer, the screen would be full."""


@dataclass(frozen=True)
class Sight:
    """What is looked at, for the uncertainty of one result."""

    request: TileRequest
    camera: Camera
    region: Rect
    """In source pixels."""
    image: Rect
    field: FieldOfView | None = None
    """What lies outside is not looked at; None as long as it is not known."""

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

    @cached_property
    def inside(self) -> tuple[list[Rect], list[Rect]]:
        """The spots, and what is computed at once, that touch the field of view."""
        tiles = self.tiles if self.is_whole else ()
        if self.field is None:
            return list(self.spots), list(tiles)
        mask = self.field.mask
        spots, whole = (
            [rect for rect in rects if mask[rect.slices()].any()] for rects in (self.spots, tiles)
        )
        return spots, whole

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
