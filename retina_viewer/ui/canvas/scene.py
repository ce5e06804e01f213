"""Everything a pane paints, as data: two equal scenes look the same, on a pane of one size.

The pixels are a part of it. They never change once they are in a scene: other pixels are other
objects, and objects are equal only to themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QPointF, QRectF

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.layer_art import Legend
from retina_viewer.ui.camera import Camera
from retina_viewer.ui.canvas.guess_art import GuessArt
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.tiles import PlacedTile, Recipe
from retina_viewer.ui.canvas.vessel_art import VesselArt
from retina_viewer.ui.view_state import LayerName


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


Art = Pyramid | VesselArt | tuple[VesselArt, ...] | GuessArt
"""What is drawn of a layer."""


@dataclass(frozen=True)
class LayerArt:
    """A layer as it is drawn, and what its colours mean."""

    name: LayerName
    opacity: float
    art: Art
    legend: Legend | None = None
    note: str = ""
    """How much of it is there, where it is not all."""


@dataclass(frozen=True)
class Scene:
    """One pane's content and labels. Positions are in source pixels."""

    camera: Camera
    original: Pyramid | None = None
    """The photograph in the tone it is shown in; without it the pane is empty."""
    content: Content = Content.ORIGINAL
    chips: tuple[Chip, ...] = ()
    """Of the original."""
    result_chips: tuple[Chip, ...] = ()
    recipe: Recipe | None = None
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
    marked: tuple[float, float, float, float] | None = None
    """(x, y, width, height): what the loupe shows, marked on the main panes."""
    crosshair: bool = False
    pointer: tuple[float, float] | None = None
    """The cursor, where it is over another pane that shows the same place."""
    ruler: tuple[float, float, float, float] | None = None
    legend: bool = False

    @property
    def bounds(self) -> Rect:
        """The photograph's; empty without one."""
        if self.original is None:
            return Rect(0, 0, 0, 0)
        return Rect(0, 0, self.original.width, self.original.height)


@dataclass(frozen=True)
class Scenes:
    """What the window's panes paint."""

    original: Scene
    result: Scene
    loupe_original: Scene
    loupe_result: Scene


@dataclass(frozen=True)
class Mapping:
    """From source pixels to a pane's device pixels."""

    camera: Camera
    width: float
    height: float

    def rect(self, part: Rect) -> QRectF:
        left = self.width / 2 + (part.x - self.camera.x) * self.camera.zoom
        top = self.height / 2 + (part.y - self.camera.y) * self.camera.zoom
        zoom = self.camera.zoom
        return QRectF(left, top, part.width * zoom, part.height * zoom)

    def point(self, x: float, y: float) -> QPointF:
        zoom = self.camera.zoom
        return QPointF(
            self.width / 2 + (x - self.camera.x) * zoom,
            self.height / 2 + (y - self.camera.y) * zoom,
        )

    def source(self, x: float, y: float) -> tuple[float, float]:
        return (
            self.camera.x + (x - self.width / 2) / self.camera.zoom,
            self.camera.y + (y - self.height / 2) / self.camera.zoom,
        )

    def visible(self, image: Rect) -> Rect:
        return self.camera.visible(self.width, self.height, image)
