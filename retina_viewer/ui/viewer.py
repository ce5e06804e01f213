"""The viewer: holds the person's intent and keeps the panes, the tiles and the layers up to it.

Everything that changes what is seen goes the same way: a method changes the view state,
:meth:`Viewer.apply` resolves it, and the difference is applied. Widgets only call methods and
listen to :attr:`Viewer.changed`.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from retina_viewer.core.progress import Progress
from retina_viewer.ui.canvas.scene import Picture
from retina_viewer.ui.canvas.stage import Stage
from retina_viewer.ui.canvas.tiles import Recipe
from retina_viewer.ui.demand import Demand
from retina_viewer.ui.display import Display
from retina_viewer.ui.job import Lane
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.layer_store import Guess, Layers, LayerStore
from retina_viewer.ui.making import Catalogue, Making, MethodInfo, NetworkInfo
from retina_viewer.ui.photo import Photo, TonedPhoto
from retina_viewer.ui.resolved_view import resolve
from retina_viewer.ui.services import Services
from retina_viewer.ui.stand_in import StandIn
from retina_viewer.ui.tile_loader import TileLoader
from retina_viewer.ui.view_state import LayerName, Tone, ViewState

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
        picture: Picture,
        state: ViewState,
    ) -> None:
        super().__init__(stage)
        self.state = state
        self.view = resolve(state)
        self.photo: Photo | None = None
        self.device = "auto"
        self.ruler: tuple[float, float, float, float] | None = None
        self.tiles = TileLoader(services, jobs, self)
        self.layers = LayerStore(services, self.tiles.shelf, jobs, self)
        self._jobs = jobs
        self._stage = stage
        self._picture = picture
        self.catalogue = catalogue
        self._failed: set[Making] = set()
        picture.tiles = self.tiles.cache
        self._demand = Demand(self, stage)
        self._display = Display(stage, picture, self._demand)
        self.stand_in = StandIn(self._demand, self.tiles, self.making)
        self._connect()

    def _connect(self) -> None:
        self.tiles.progressed.connect(self._tile_arrived)
        self.tiles.failed.connect(self._enhancing_failed)
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
    def making(self) -> Making:
        """What the person wants the result to be made with."""
        return self.catalogue.making(self.state, self.device)

    @property
    def shown_tone(self) -> Tone:
        """What the original is shown in: the colours until the chosen tone is ready."""
        tone = self.view.tone
        ready = self.photo is not None and self.photo.toned_if_ready(tone) is not None
        return tone if ready else Tone.COLOUR

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
        return self.making not in self._failed

    @property
    def guess(self) -> Guess | None:
        """Where the detail of the chosen result is a guess; None until it is known."""
        return self.layers.current.guesses.get(self.making)

    # What the person wants

    def show_photo(self, photo: Photo | None) -> None:
        """Show another photograph, whole; None shows none."""
        self.photo = photo
        self.ruler = None
        self._display.take_original(None)
        if photo is not None:
            toned = photo.toned_if_ready(self.state.tone)
            # A tone that is not ready yet: the colours until it is.
            shown = toned or next(iter(photo.ready()), None)
            self._display.take_original(shown.pyramid if shown else None)
        width, height = (photo.bounds.width, photo.bounds.height) if photo else (0, 0)
        self.state.set_image(width, height)
        self._display.take_layers(self.layers.of(photo) if photo else Layers(), self.making)
        self.photo_changed.emit(photo)
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
        """Compute again what failed or was cancelled."""
        self._failed.clear()
        self.tiles.resume()
        self.apply(force=True)

    def cancelled(self) -> None:
        """The person has cancelled: stop sharpening, and turn off layers that are not there yet."""
        self.tiles.stop()
        for name in LayerName:
            if self.state.layer(name).on and not self._picture.has_layer(name):
                self.state.layer(name).on = False
        self.apply(force=True)

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
        self.layers.show(self.photo, new.layers_on, look, self.making)
        self._display.take_layers(self.layers.current, self.making)
        self._display.show(new)
        self.changed.emit(old, new)

    # Bringing the widgets up to it

    def _want_tiles(self) -> None:
        wanted = [self._demand.main(self.view)]
        if self.view.loupe_shown:
            wanted.append(self._demand.loupe(self.view))
        kind = (self.photo.key if self.photo else "", self.making)
        self.tiles.show(self.photo, kind, [item for item in wanted if item is not None])

    def _want_tone(self) -> None:
        photo, tone = self.photo, self.view.tone
        if photo is None:
            return
        ready = photo.toned_if_ready(tone)
        if ready is not None:
            self._display.take_original(ready.pyramid)
        elif not self._jobs.is_active(f"{TONE_KEY} {tone} {photo.key}"):

            def work(progress: Progress) -> TonedPhoto:
                return photo.toned(tone)

            self._jobs.submit(
                f"{TONE_KEY} {tone} {photo.key}",
                work,
                lambda toned: self.apply(force=True),
                title=tone.value,
                lane=Lane.FILES,
            )

    # What comes back

    def _tile_arrived(self) -> None:
        self._display.repaint_results(self.view)
        self.sharpened.emit()

    def _layer_arrived(self) -> None:
        self._display.take_layers(self.layers.current, self.making)
        self._display.repaint_results(self.view)
        self.layers_changed.emit()

    def _layer_failed(self, name: LayerName, error: Exception) -> None:
        self.state.layer(name).on = False
        self.apply()
        self.problem.emit(error)

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
