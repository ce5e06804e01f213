"""Which tiles a pane needs, in which order, and the ones that are done. No threads here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from retina_viewer.core.geometry import Rect
from retina_viewer.superres.enhance_settings import SCALES, EnhanceSettings, Scale
from retina_viewer.ui.canvas.scene import Camera, Tone

if TYPE_CHECKING:
    from retina_viewer.ui.canvas.pyramid import Pyramid

PlacedTile = tuple[Rect, "Pyramid | None"]
"""A tile and its place in source pixels; None where it is still to come."""
RESULT_SIDE = 384
"""The side of a tile in result pixels: about 0.1 s for the cascade on one CPU core."""
CACHE_BYTES = 768 * 2**20
WORTHWHILE_ZOOM = 0.5
"""Below it, the screen shows so few of the photograph's own pixels that more would not be seen."""
SMALL_PHOTOGRAPH = 1_500_000
"""Photographs of up to this many pixels are enhanced at any zoom."""


@dataclass(frozen=True)
class TileRequest:
    """What tiles are made from and how. Tiles of different requests never mix on a pane."""

    photo: str
    settings: EnhanceSettings
    tone: Tone

    @property
    def scale(self) -> Scale:
        return self.settings.scale


@dataclass(frozen=True)
class Wanted:
    """A part of the photograph that a pane shows, and where the eye is in it (source pixels)."""

    request: TileRequest
    region: Rect
    x: float
    y: float


@dataclass(frozen=True)
class TileKey:
    request: TileRequest
    rect: Rect
    """In source pixels."""


def tile_side(scale: Scale) -> int:
    """The side of a tile in source pixels."""
    return RESULT_SIDE // scale


def tiles_over(region: Rect, image: Rect, side: int) -> Iterator[Rect]:
    """The grid's tiles that a region of the image touches, row by row."""
    if region.area == 0:
        return
    for y in range(region.y // side * side, region.bottom, side):
        for x in range(region.x // side * side, region.right, side):
            tile = Rect(x, y, side, side).intersected(image)
            if tile.area:
                yield tile


def nearest(tiles: Iterable[Rect], x: float, y: float) -> Rect:
    """The tile whose centre is nearest to a source point; computing it first is centre first."""

    def distance(tile: Rect) -> float:
        return (tile.x + tile.width / 2 - x) ** 2 + (tile.y + tile.height / 2 - y) ** 2

    return min(tiles, key=distance)


def scale_for(camera: Camera, wanted: Scale) -> Scale:
    """The enlargement to compute for what this camera shows.

    The cascade's intermediate results are the levels of a pyramid: the smallest whose pixels are
    as fine as the screen's, but never above the chosen one. x4 begins to differ from x2 on the
    screen only above 200 %, and costs four times as much; and so on.
    """
    for scale in SCALES:
        if scale >= camera.zoom:
            return min(scale, wanted)
    return wanted


def is_worthwhile(camera: Camera, image: Rect) -> bool:
    """Whether enhancing what this camera shows can be seen."""
    return camera.zoom >= WORTHWHILE_ZOOM or image.area <= SMALL_PHOTOGRAPH


class Kept(Protocol):
    """What a cache keeps."""

    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=Kept)


class Cache(Generic[T]):
    """What is finished of each tile, least recently drawn out first.

    Args:
        capacity: bytes of pixels to keep.
    """

    def __init__(self, capacity: int = CACHE_BYTES) -> None:
        self.capacity = capacity
        self.nbytes = 0
        self.version = 0
        """Grows with every change: what was reckoned from the content is then stale."""
        self._tiles: OrderedDict[TileKey, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tiles)

    def __contains__(self, key: TileKey) -> bool:
        return key in self._tiles

    def get(self, key: TileKey) -> T | None:
        tile = self._tiles.get(key)
        if tile is not None:
            self._tiles.move_to_end(key)
        return tile

    def of(self, request: TileRequest) -> dict[Rect, T]:
        """All that is there of a request."""
        return {key.rect: tile for key, tile in self._tiles.items() if key.request == request}

    def put(self, key: TileKey, tile: T) -> None:
        self.discard(key)
        self._tiles[key] = tile
        self.version += 1
        self.nbytes += tile.nbytes
        while self.nbytes > self.capacity and len(self._tiles) > 1:
            _, oldest = self._tiles.popitem(last=False)
            self.nbytes -= oldest.nbytes

    def discard(self, key: TileKey) -> None:
        old = self._tiles.pop(key, None)
        if old is not None:
            self.nbytes -= old.nbytes
            self.version += 1

    def clear(self) -> None:
        self._tiles.clear()
        self.version += 1
        self.nbytes = 0


class TileCache(Cache["Pyramid"]):
    """The finished tiles of results."""

    def in_view(
        self, wanted: Wanted, image: Rect, placeholder: TileRequest | None = None
    ) -> tuple[PlacedTile, ...]:
        """The tiles of a region, finished or not.

        Args:
            placeholder: whose tiles are shown where the wanted ones are missing.
        """

        def find(rect: Rect) -> Pyramid | None:
            found = self.get(TileKey(wanted.request, rect))
            if found is None and placeholder is not None:
                found = self.get(TileKey(placeholder, rect))
            return found

        side = tile_side(wanted.request.scale)
        return tuple((rect, find(rect)) for rect in tiles_over(wanted.region, image, side))

    def share(self, wanted: Wanted, image: Rect) -> float:
        """The part of a region that is finished, 0 to 1."""
        if not wanted.region.area:
            return 0.0
        done = sum(
            rect.intersected(wanted.region).area
            for rect in tiles_over(wanted.region, image, tile_side(wanted.request.scale))
            if TileKey(wanted.request, rect) in self
        )
        return done / wanted.region.area
