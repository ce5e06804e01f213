"""One enlargement in one pane: its tiles computed in the background, its scene kept up to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.ui.canvas.pane import EMPTY, Pane
from retina_viewer.ui.canvas.photo import Photo, inherited_chips
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Camera, Chip, Content, Scene, Source
from retina_viewer.ui.canvas.tile_requests import (
    CACHE_BYTES,
    Recipe,
    TileCache,
    Wanted,
    is_worthwhile,
    scale_for,
)
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.enhancer_cache import EnhancerShelf
from retina_viewer.ui.view.state import Tone
from retina_viewer.ui.view.tile_loader import TileLoader

MOST_PANES = 4


@dataclass(frozen=True)
class Contender:
    """What is compared.

    Attributes:
        title: for people.
        learned: whether what it makes was learned, and is marked as AI.
    """

    title: str
    making: EnhanceSettings
    learned: bool

    def name(self, scale: int) -> str:
        """As on a chip, of a result at this scale: ``AI ×2 (of ×4) · Saliency GAN, ...``."""
        chosen = self.making.scale
        kind = "AI " if self.learned else ""
        of = "" if scale == chosen else f" (of ×{chosen})"
        fidelity = self.making.fidelity
        settings = "" if fidelity is None else f", fidelity {fidelity * 100:.0f} %"
        return f"{kind}×{scale}{of} · {self.title}{settings}"


@dataclass(frozen=True)
class Look:
    """What the panes that are compared have in common.

    Attributes:
        original: what is drawn of the photograph; None until it is ready.
        size: of a pane, in device pixels.
        overview: whether the overview is to be drawn.
        pointer: the cursor, in source pixels, where another pane is under it.
    """

    camera: Camera
    original: Pyramid | None
    size: tuple[float, float]
    overview: bool = False
    pointer: tuple[float, float] | None = None


class Enlarging(QObject):
    """Keeps a pane up to a contender and a place.

    Args:
        shelf: the window's, so that what it knows is not computed again.
        key: of its background job; one of its own for every pane.
    """

    changed = Signal()
    failed = Signal(object)
    """(Exception): the contender cannot work; the pane says so."""

    def __init__(
        self,
        pane: Pane,
        services: Services,
        jobs: Jobs,
        shelf: EnhancerShelf,
        key: str,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.pane = pane
        self.tiles = TileLoader(services, jobs, self, key)
        self.tiles.shelf = shelf
        self.tiles.cache = TileCache(CACHE_BYTES // MOST_PANES)
        self._broken: set[tuple[str, EnhanceSettings]] = set()
        self._now: tuple[str, EnhanceSettings] | None = None
        self._wanted: Wanted | None = None
        self.tiles.progressed.connect(self.changed)
        self.tiles.failed.connect(self._failed)

    @property
    def is_broken(self) -> bool:
        """Whether what is to be shown has failed."""
        return self._now in self._broken

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will come for what is shown."""
        wanted = self._wanted
        return wanted is None or self.is_broken or self.tiles.sharp(wanted) >= 1

    def show(self, photo: Photo, contender: Contender, look: Look) -> None:
        """Give the pane its scene, and compute what it lacks."""
        self._now = (photo.key, contender.making)
        self._wanted = None if self.is_broken else _wanted(photo, contender, look)
        shown = [] if self._wanted is None else [self._wanted]
        self.tiles.show(photo, self._now, shown)
        self.pane.show_scene(self._scene(photo, contender, look))

    def end(self) -> None:
        """Compute and show nothing any more."""
        self.pane.show_scene(EMPTY)
        self._now = self._wanted = None
        self.tiles.show(None, None, ())

    def retry(self) -> None:
        """Try again what has failed, when it is next shown."""
        self._broken.clear()
        self.tiles.resume()

    def _scene(self, photo: Photo, contender: Contender, look: Look) -> Scene:
        scene = Scene(
            look.camera,
            look.original,
            overview=look.overview,
            pointer=look.pointer,
            um_per_px=photo.image.um_per_px,
        )
        wanted, chosen = self._wanted, contender.name(contender.making.scale)
        interpolated = Chip("INTERPOLATED", Source.INTERPOLATED)
        if wanted is None:
            word = "failed" if self.is_broken else "zoom in for"
            chips = (interpolated, Chip(f"{word} {chosen}", Source.PENDING))
            return replace(scene, result_chips=chips)
        sharp = self.tiles.sharp(wanted)
        name = contender.name(wanted.recipe.scale)
        made = Source.NETWORK if contender.learned else Source.INTERPOLATED
        waiting = (interpolated, Chip(f"PENDING {name}", Source.PENDING))
        return replace(
            scene,
            content=Content.RESULT,
            recipe=wanted.recipe,
            tiles=self.tiles.cache.in_view(wanted, photo.bounds),
            result_chips=(
                *(waiting if sharp <= 0 else (Chip(name, made),)),
                *inherited_chips(photo.image),
            ),
            note="" if sharp >= 1 else f"{int(sharp * 100)} % sharp",
        )

    def _failed(self, error: Exception) -> None:
        if self._now is not None:
            self._broken.add(self._now)
        self.failed.emit(error)
        self.changed.emit()


def _wanted(photo: Photo, contender: Contender, look: Look) -> Wanted | None:
    """The tiles that the pane shows; None where enlarging would not be seen."""
    camera = look.camera
    if not is_worthwhile(camera, photo.bounds):
        return None
    making = contender.making
    recipe = Recipe(photo.key, making.at(scale_for(camera, making.scale)), Tone.COLOUR)
    region = camera.visible(*look.size, photo.bounds)
    return Wanted(recipe, region, camera.x, camera.y) if region.area else None
