"""The viewer: holds the person's intent and keeps the panes, the tiles and the layers up to it.

Everything that changes what is seen goes the same way: a method changes the view state,
:meth:`Viewer.apply` resolves it, and the difference is applied. Widgets only call methods and
listen to :attr:`Viewer.changed`.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.imaging.field_of_view import FieldOfView
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.ui.canvas.photo import Photo, TonedPhoto
from retina_viewer.ui.canvas.tiles import Recipe
from retina_viewer.ui.catalogue import Catalogue, MethodInfo, NetworkInfo
from retina_viewer.ui.demand import Demand
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.services import Services
from retina_viewer.ui.stand_in import StandIn
from retina_viewer.ui.view.layer_store import LayerStore
from retina_viewer.ui.view.picture import resolve
from retina_viewer.ui.view.resolve import compose
from retina_viewer.ui.view.stage import Stage
from retina_viewer.ui.view.state import LayerName, ViewState
from retina_viewer.ui.view.tile_loader import TileLoader
from retina_viewer.ui.view.uncertainty import Guesses

TONE_KEY = "tone"


class Viewer(QObject):
    """See the module. Lives in the GUI thread."""

    changed = Signal(object, object)
    """(old ResolvedView, new ResolvedView)"""
    photo_changed = Signal(object)
    """(Photo or None)"""
    sharpened = Signal()
    """More of what is shown is finished; see :attr:`sharp`."""
    layers_changed = Signal()
    problem = Signal(object)
    """(Exception) for the person to read."""
    ruler_changed = Signal()

    def __init__(
        self,
        services: Services,
        catalogue: Catalogue,
        jobs: Jobs,
        stage: Stage,
        state: ViewState,
    ) -> None:
        super().__init__(stage)
        self.state = state
        self.view = resolve(state)
        self.photo: Photo | None = None
        self.shown: TonedPhoto | None = None
        """The photograph as it is shown: in the tone before until the chosen one is ready."""
        self.device = "auto"
        self.ruler: tuple[float, float, float, float] | None = None
        self.tiles = TileLoader(services, jobs, self)
        self.guesses = Guesses(services, self.tiles.shelf, jobs, self)
        self.layers = LayerStore(services, jobs, self)
        self._jobs = jobs
        self._stage = stage
        self.catalogue = catalogue
        self._failed: set[EnhanceSettings] = set()
        self._asked_at: float | None = None
        self._doubt = ""
        self._again: set[str] = set()
        """Keys of enlargements that the person wants to see enlarged again."""
        self._demand = Demand(self, stage)
        self.stand_in = StandIn(self._demand, self.tiles, self.making)
        self._connect()

    def _connect(self) -> None:
        self.tiles.progressed.connect(self._tile_arrived)
        self.tiles.failed.connect(self._enhancing_failed)
        self.guesses.progressed.connect(self._layer_arrived)
        self.guesses.failed.connect(self._guessing_failed)
        self.layers.changed.connect(self._layer_arrived)
        self.layers.failed.connect(self._layer_failed)
        self._stage.main_resized.connect(self._pane_resized)

    # What is there

    @property
    def method(self) -> MethodInfo:
        return self.catalogue.method(self.state.method)

    @property
    def network(self) -> NetworkInfo | None:
        """The network that makes the result; None for interpolation."""
        return self.catalogue.network(self.state.method, self.state.model)

    @property
    def making(self) -> EnhanceSettings:
        """What the person wants the result to be made with."""
        return self.catalogue.making(self.state, self.device)

    @property
    def result_recipe(self) -> Recipe | None:
        """How the result in the main pane is made; None where none is."""
        wanted = self._demand.main(self.view)
        return wanted.recipe if wanted else None

    @property
    def sharp(self) -> float:
        """The finished part of the main pane's visible area; 1 where nothing is to be done."""
        wanted = self._demand.main(self.view)
        return self.tiles.sharp(wanted) if wanted else 1.0

    @property
    def can_enhance(self) -> bool:
        return self.making not in self._failed and not self.needs_yes

    @property
    def needs_yes(self) -> bool:
        """Whether the image is an enlargement, which is not enlarged again unasked."""
        photo = self.photo
        return photo is not None and photo.image.is_enlarged and photo.key not in self._again

    @property
    def remark(self) -> str:
        """What is to be known of the photograph before one looks at it; empty where nothing is."""
        remarks = self.photo.image.remarks if self.photo is not None else ()
        return " ".join((*remarks, self._doubt)).strip()

    @property
    def photo_to_enlarge(self) -> Photo | None:
        """The photograph, unless it needs a yes first."""
        return None if self.needs_yes else self.photo

    @property
    def remedy(self) -> str:
        """What :meth:`retry` would do now, as a button says it; empty where it would do nothing."""
        if self.needs_yes:
            return "Enlarge again"
        return "" if self.can_enhance else "Try again"

    def may_enlarge(self) -> bool:
        """Whether the image may be enlarged; where it needs a yes, the person is asked for it."""
        if self.photo is None or not self.needs_yes:
            return True
        self.problem.emit(enlarged_already(self.photo.image))
        return False

    # What the person wants

    def show_photo(self, photo: Photo | None, asked_at: float | None = None) -> None:
        """Show another photograph, whole; None shows none.

        Args:
            asked_at: ``time.monotonic()`` when the person chose it; None: now.
        """
        self.photo, self._asked_at = photo, asked_at
        self._doubt = ""
        self.ruler = None
        # Until the chosen tone is ready, the colours, or whichever was made first.
        self.shown = next(iter(photo.ready()), None) if photo is not None else None
        width, height = (photo.bounds.width, photo.bounds.height) if photo else (0, 0)
        self.state.set_image(width, height)
        self.photo_changed.emit(photo)
        self.apply(force=True)

    def take_field_of_view(self, field: FieldOfView) -> None:
        """Where the retina is in the photograph, once that is known; and whether there is one."""
        if field.doubt != self._doubt:
            self._doubt = field.doubt
            self.apply(force=True)

    def use_catalogue(self, catalogue: Catalogue) -> None:
        """Other models are installed than before."""
        self.catalogue = catalogue
        if self.state.method not in {method.id for method in catalogue.methods}:
            self.state.method = catalogue.default
        self._failed.clear()
        self.apply(force=True)

    def choose_device(self, device: str) -> None:
        self.device = device
        self.apply(force=True)

    def retry(self) -> None:
        """Compute again what failed or was cancelled; enlarge what was enlarged already."""
        self._failed.clear()
        if self.photo is not None and self.needs_yes:
            self._again.add(self.photo.key)
            self.photo_changed.emit(self.photo)
        self.tiles.resume()
        self.guesses.resume()
        self.apply(force=True)

    def cancelled(self) -> None:
        """The person has cancelled: stop sharpening, and turn off layers that are not there yet."""
        self.tiles.stop()
        self.guesses.stop()
        for name in LayerName:
            if self.state.layer(name).on and not self._is_there(name):
                self.state.layer(name).on = False
        self.apply(force=True)

    def _is_there(self, name: LayerName) -> bool:
        if name is LayerName.CONSISTENCY:
            return self.guesses.has_some
        return self.layers.current.art(name) is not None

    def set_ruler(self, ruler: tuple[float, float, float, float] | None) -> None:
        self.ruler = ruler
        self.ruler_changed.emit()
        self.apply(force=True)

    def apply(self, *, force: bool = False) -> None:
        """Resolve the state and bring everything up to it.

        Args:
            force: also where the view is the same, because what it shows has changed.
        """
        old, new = self.view, resolve(self.state)
        if new == old and not force:
            return
        self.stand_in.follow(old, self.making)
        self.view = new
        if (new.layout, new.loupe_shown) != (old.layout, old.loupe_shown):
            self._stage.set_layout(new.layout, loupe=new.loupe_shown)
            # The panes have been resized and have called this method again.
            new = self.view
        self._want_tone()
        self._want_tiles()
        look = (new.colour_map, new.saliency_style)
        self.layers.show(self.photo, new.layers_on, look, self.making.device)
        self._show()
        self.changed.emit(old, new)

    # Bringing the widgets up to it

    def _show(self) -> None:
        """Give the panes all that they paint; where it is the same, they do not paint again."""
        if self.photo is not None:
            self.shown = self.photo.toned_if_ready(self.view.tone) or self.shown
        scenes = compose(self.view, self._demand.facts(self.view))
        self._stage.show_scenes(scenes, measuring=self.view.measuring)

    def _want_tiles(self) -> None:
        wanted = [self._demand.main(self.view)]
        if self.view.loupe_shown:
            wanted.append(self._demand.loupe(self.view))
        kind = (self.photo.key if self.photo else "", self.making)
        shown = [item for item in wanted if item is not None]
        self.tiles.show(self.photo, kind, shown, self._asked_at)
        self._asked_at = None
        self.guesses.show(self.photo, self._demand.sight(self.view))

    def _want_tone(self) -> None:
        photo, tone = self.photo, self.view.tone
        if photo is None:
            return
        key = f"{TONE_KEY} {tone} {photo.key}"
        if photo.toned_if_ready(tone) is not None or self._jobs.is_active(key):
            return

        def work(progress: Progress) -> TonedPhoto:
            return photo.toned(tone)

        self._jobs.submit(
            key,
            work,
            lambda toned: self.apply(force=True),
            title=tone.value,
            lane=Lane.FILES,
        )

    # What comes back

    def _tile_arrived(self) -> None:
        self._show()
        self.sharpened.emit()

    def _layer_arrived(self) -> None:
        self._show()
        self.layers_changed.emit()

    def _layer_failed(self, name: LayerName, error: Exception) -> None:
        self.state.layer(name).on = False
        self.apply()
        self.problem.emit(error)

    def _guessing_failed(self, error: Exception) -> None:
        self._layer_failed(LayerName.CONSISTENCY, error)

    def _enhancing_failed(self, error: Exception) -> None:
        self._failed.add(self.making)
        self.apply(force=True)
        self.problem.emit(error)

    def _pane_resized(self) -> None:
        pane = self._stage.result
        ratio = pane.devicePixelRatioF()
        self.state.pane_width = max(1.0, pane.width() * ratio)
        self.state.pane_height = max(1.0, pane.height() * ratio)
        self.apply(force=True)


def enlarged_already(image: FundusImage) -> UserError:
    """What a person is told before an enlargement is enlarged."""
    is_ai = image.made_by is not None and image.made_by.is_ai
    again = "takes made detail for real detail" if is_ai else "shows no more than the original does"
    return UserError(
        f"{image.name} was enlarged by this program already ({image.label}).",
        f"Enlarging it again {again}. Open the original if you have it.",
    )
