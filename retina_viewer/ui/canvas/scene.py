"""Everything a pane paints, as data: two equal scenes look the same, on a pane of one size. No Qt.

The pixels are a part of it. They never change once they are in a scene: other pixels are other
objects, and objects are equal only to themselves.

Positions are in source pixels of the photograph (pixel centres at .5); a zoom is device pixels per
source pixel; sizes of panes and places of the cursor are in device pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.layer_art import Legend

if TYPE_CHECKING:
    from retina_viewer.ui.canvas.layer_pictures import VesselArt
    from retina_viewer.ui.canvas.pyramid import Pyramid
    from retina_viewer.ui.canvas.tile_requests import PlacedTile, TileRequest

Point = tuple[float, float]
Line = tuple[float, float, float, float]
"""(x0, y0, x1, y1)"""


class Tone(StrEnum):
    COLOUR = "colour"
    RED_FREE = "red-free"
    CLAHE = "CLAHE"


class LayerName(StrEnum):
    SALIENCY = "saliency"
    VESSELS = "vessels"
    UNCERTAINTY = "uncertainty"
    """The error to be expected of a result."""


@dataclass(frozen=True)
class Camera:
    """Which part of the photograph a pane shows: a centre (source px) and a zoom."""

    x: float
    y: float
    zoom: float

    def visible(self, width: float, height: float, image: Rect) -> Rect:
        """The source pixels that a pane of this size shows, cut to the image."""
        half_width, half_height = width / 2 / self.zoom, height / 2 / self.zoom
        left, top = int(self.x - half_width) - 1, int(self.y - half_height) - 1
        right, bottom = int(self.x + half_width) + 2, int(self.y + half_height) + 2
        return Rect(left, top, right - left, bottom - top).intersected(image)

    def source(self, x: float, y: float, size: Point) -> Point:
        """The source point under a place of a pane."""
        return self.x + (x - size[0] / 2) / self.zoom, self.y + (y - size[1] / 2) / self.zoom

    def zoomed(self, zoom: float, x: float, y: float, size: Point) -> Camera:
        """With another zoom; the source point under a place of the pane stays there."""
        at_x, at_y = self.source(x, y, size)
        return Camera(at_x - (x - size[0] / 2) / zoom, at_y - (y - size[1] / 2) / zoom, zoom)

    def panned(self, dx: float, dy: float) -> Camera:
        """The picture moved by device pixels, as a drag does."""
        return Camera(self.x - dx / self.zoom, self.y - dy / self.zoom, self.zoom)

    def kept_in(self, image: Rect) -> Camera:
        """The same with a point of the image at the centre."""
        x = min(max(self.x, float(image.x)), float(image.right))
        y = min(max(self.y, float(image.y)), float(image.bottom))
        return Camera(x, y, self.zoom)


class Content(Enum):
    """What fills the pane."""

    ORIGINAL = auto()
    RESULT = auto()
    SPLIT = auto()
    """The original left of the divider, the result right of it."""


class Source(Enum):
    """Where the pixels that a chip labels come from."""

    CAMERA = auto()
    INTERPOLATED = auto()
    NETWORK = auto()
    PENDING = auto()
    DAMAGED = auto()
    """A part of them is missing or wrong in the file."""


@dataclass(frozen=True)
class Chip:
    """What one looks at, in a few words."""

    text: str
    source: Source


@dataclass(frozen=True)
class UncertaintyArt:
    """What is drawn of the uncertainty of what is in view, each at its place in source pixels."""

    tiles: tuple[tuple[Rect, Pyramid], ...] = ()
    spots: tuple[tuple[Rect, Pyramid], ...] = ()
    """Off the tiles."""
    pending: tuple[Rect, ...] = ()
    """Where nothing is known yet."""


@dataclass(frozen=True)
class LayerArt:
    """A layer as it is drawn, and what its colours mean."""

    name: LayerName
    opacity: float
    art: Pyramid | VesselArt | tuple[VesselArt, ...] | UncertaintyArt
    legend: Legend | None = None
    note: str = ""
    """How much of it is there, where it is not all."""


@dataclass(frozen=True)
class Scene:
    """One pane's content and labels."""

    camera: Camera = Camera(0, 0, 1)
    original: Pyramid | None = None
    """The photograph in the tone it is shown in; without it the pane is empty."""
    content: Content = Content.ORIGINAL
    chips: tuple[Chip, ...] = ()
    """Of the original."""
    result_chips: tuple[Chip, ...] = ()
    request: TileRequest | None = None
    tiles: tuple[PlacedTile, ...] = ()
    """What is there of the result in view."""
    layers: tuple[LayerArt, ...] = ()
    """Those that are there; the result's alone."""
    smooth: bool = True
    divider: float = 0.5
    overview: bool = False
    note: str = ""
    """A short read-out in the corner, such as ``37 % sharp``."""
    remark: str = ""
    """What is to be known of the photograph before one looks at it, in sentences."""
    um_per_px: float | None = None
    marked: Line | None = None
    """(x, y, width, height): what the loupe shows, marked on the main panes."""
    crosshair: bool = False
    pointer: Point | None = None
    """The cursor, where it is over another pane that shows the same place."""
    ruler: Line | None = None
    legend: bool = False
    covered: float = 0.0
    """Logical pixels of the width, from the right, whose lower corner another pane lies over."""
    is_inset: bool = False
    """Whether it lies over another pane, and needs a frame to be told from it."""
    is_active: bool = False
    """Whether it is the one of several results that the panel's choices are for."""

    @property
    def bounds(self) -> Rect:
        """The photograph's; empty without one."""
        if self.original is None:
            return Rect(0, 0, 0, 0)
        return Rect(0, 0, self.original.width, self.original.height)


EMPTY = Scene()
