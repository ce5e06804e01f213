"""Everything a pane paints, as data. Two equal scenes over the same picture look the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from PySide6.QtCore import QPointF, QRectF

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.layers import SaliencyStyle
from retina_viewer.ui.camera import Camera
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.tiles import Recipe, TileCache
from retina_viewer.ui.canvas.vessel_art import VesselArt
from retina_viewer.ui.resolved_view import LayerView
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


@dataclass(frozen=True)
class Chip:
    """What one looks at, in a few words."""

    text: str
    source: Source


@dataclass(frozen=True)
class Scene:
    """One pane's content and labels. Positions are in source pixels."""

    camera: Camera
    content: Content = Content.ORIGINAL
    chips: tuple[Chip, ...] = ()
    """Of the original."""
    result_chips: tuple[Chip, ...] = ()
    recipe: Recipe | None = None
    stand_in: Recipe | None = None
    """Drawn where the recipe's own tiles are missing: the same method with other settings."""
    layers: tuple[LayerView, ...] = ()
    smooth: bool = True
    divider: float = 0.5
    overview: bool = False
    note: str = ""
    """A short read-out in the corner, such as ``37 % sharp``."""
    um_per_px: float | None = None
    marked: tuple[float, float, float, float] | None = None
    """(x, y, width, height): what the loupe shows, marked on the main panes."""
    crosshair: bool = False
    pointer: tuple[float, float] | None = None
    """The cursor, where it is over another pane that shows the same place."""
    ruler: tuple[float, float, float, float] | None = None
    legend: bool = False
    colour_map: str = "inferno"
    saliency_style: SaliencyStyle = SaliencyStyle.COLOURS


@dataclass(eq=False)
class Picture:
    """The pixels that scenes refer to: shared by all panes, replaced by the viewer."""

    original: Pyramid | None = None
    tiles: TileCache = field(default_factory=TileCache)
    saliency: Pyramid | tuple[VesselArt, ...] | None = None
    """Colours, or contours."""
    vessels: VesselArt | None = None
    consistency: Pyramid | None = None

    @property
    def bounds(self) -> Rect:
        if self.original is None:
            return Rect(0, 0, 0, 0)
        return Rect(0, 0, self.original.width, self.original.height)

    def has_layer(self, name: LayerName) -> bool:
        match name:
            case LayerName.SALIENCY:
                return self.saliency is not None
            case LayerName.VESSELS:
                return self.vessels is not None
            case LayerName.CONSISTENCY:
                return self.consistency is not None


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
