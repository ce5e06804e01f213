"""What a view shows, all of it, frozen: two equal pictures look the same. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.layer_art import SaliencyStyle
from retina_viewer.superres.enhance_settings import EnhanceSettings, Scale
from retina_viewer.superres.methods import Method
from retina_viewer.ui.canvas.scene import Camera, LayerName, Line, Scene, Tone
from retina_viewer.ui.canvas.tile_requests import TileRequest, Wanted
from retina_viewer.ui.catalogue import Catalogue, NetworkInfo, ResultChoice
from retina_viewer.ui.view.arrange import Arrangement, Places
from retina_viewer.ui.view.sight import Sight

if TYPE_CHECKING:
    from retina_viewer.ui.view.uncertainty_loader import Summary


@dataclass(frozen=True)
class LayerView:
    """A layer as it is drawn."""

    name: LayerName
    opacity: float


@dataclass(frozen=True)
class Cell:
    """A pane: its place among the cells, where it lies on the stage (logical px), what it paints.

    Attributes:
        place: 0 for the original, n for the n-th result.
        foot: where what stands under it lies.
    """

    place: int
    rect: Rect
    scene: Scene
    foot: Rect | None = None


@dataclass(frozen=True)
class Result:
    """One result: how it is made, and how far it is in its main pane.

    Attributes:
        title: as chips name it.
        network: None for interpolation.
        wanted: the tiles of the main pane; None where nothing is to be computed.
        in_loupe: likewise of the loupe.
        sharp: the finished part of what is in view; 1 where nothing is to be computed.
        has_failed: whether its method cannot work.
        sight: where its uncertainty is to be shown; None where it is not.
        uncertainty: what is known of that in view.
    """

    choice: ResultChoice
    settings: EnhanceSettings
    title: str
    method: Method
    network: NetworkInfo | None
    wanted: Wanted | None
    in_loupe: Wanted | None
    sharp: float
    has_failed: bool
    sight: Sight | None
    uncertainty: Summary | None

    @property
    def request(self) -> TileRequest | None:
        return self.wanted.request if self.wanted else None

    @property
    def learned(self) -> bool:
        return self.method.learned

    @property
    def model(self) -> str | None:
        """Whose vessels are shown instead of a result; None where a result is."""
        return self.choice.vessels


@dataclass(frozen=True)
class Picture:
    """See the module. What is computed for it follows from it too.

    Attributes:
        photo: the photograph's key; empty without one.
        image: the photograph's bounds.
        field: what "fit" shows whole.
        is_whole: whether the first cell shows all of the field.
        fit: whether the zoom is the one that fits.
        cells: those that are shown, the original first.
        loupes: the loupe's parts.
        results: all of them, also where one cell is shown alone.
        layers: that are drawn; ``layers_on``: that are to be computed.
        catalogue: equal to itself alone.
        is_paused: whether the person has stopped the tiles.
        layer_news: what is known of the layers of the photograph; other values are other news.
    """

    photo: str
    image: Rect
    field: Rect
    is_whole: bool
    fit: bool
    camera: Camera
    loupe: Camera
    cells: tuple[Cell, ...]
    loupes: tuple[Cell, ...]
    places: Places
    arrangement: Arrangement
    results: tuple[Result, ...]
    active: int
    scale: Scale
    tone: Tone
    shown_tone: Tone | None
    layers: tuple[LayerView, ...]
    layers_on: tuple[LayerName, ...]
    colour_map: str
    saliency_style: SaliencyStyle
    smooth: bool
    overview: bool
    original_shown: bool
    alone: int | None
    loupe_shown: bool
    loupe_locked: bool
    loupe_zoom: float
    measuring: bool
    ruler: Line | None
    needs_yes: bool
    remark: str
    device: str
    catalogue: Catalogue
    is_paused: bool
    layer_news: tuple[object, ...]

    @property
    def has_image(self) -> bool:
        return self.image.area > 0

    @property
    def result(self) -> Result:
        """The active one."""
        return self.results[self.active]

    @property
    def sharp(self) -> float:
        """The finished part of what all results show; 1 where nothing is to be computed."""
        return min(result.sharp for result in self.results)

    def cell(self, place: int) -> Cell | None:
        return next((cell for cell in self.cells if cell.place == place), None)
