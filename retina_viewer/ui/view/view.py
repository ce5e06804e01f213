"""The view: what the person wants and what is there, and the stage that shows it.

Everything that changes what is seen goes the same way: the state or the data is changed, and
:meth:`View.apply` makes the picture anew, shows what differs and asks for what is missing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.imaging.field_of_view import FieldOfView
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.methods import Method
from retina_viewer.ui.canvas.photo import Photo, TonedPhoto
from retina_viewer.ui.canvas.scene import Camera, LayerName, Point, Tone
from retina_viewer.ui.canvas.tile_requests import TileKey, TileRequest
from retina_viewer.ui.catalogue import Catalogue, NetworkInfo
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.data import HeldReference, ViewData
from retina_viewer.ui.view.enhancer_cache import EnhancerCache
from retina_viewer.ui.view.layer_store import LayerStore
from retina_viewer.ui.view.picture import Picture
from retina_viewer.ui.view.resolve import resolve
from retina_viewer.ui.view.stage import Stage
from retina_viewer.ui.view.state import ViewState
from retina_viewer.ui.view.tile_loader import TileLoader
from retina_viewer.ui.view.uncertainty_loader import Uncertainty

TONE_KEY = "tone"


class View(QObject):
    """See the module. Lives in the GUI thread."""

    changed = Signal(object, object)
    """(old Picture, new Picture)"""
    photo_changed = Signal(object)
    """(Photo or None)"""
    progressed = Signal()
    """More was computed, or will not be; whether or not the picture differs."""
    problem = Signal(object)
    """(Exception) for the person to read."""

    def __init__(
        self, services: Services, catalogue: Catalogue, jobs: Jobs, stage: Stage, state: ViewState
    ) -> None:
        super().__init__(stage)
        self.state = state
        self.enhancers = EnhancerCache(services)
        self.tiles = TileLoader(self.enhancers, jobs, self)
        self.uncertainty = Uncertainty(services, self.enhancers, jobs, self)
        self.layers = LayerStore(services, jobs, self)
        self.data = ViewData(catalogue, self.tiles.cache, uncertainty=self.uncertainty)
        self.picture = resolve(state, self.data)
        self._jobs, self._stage = jobs, stage
        self._asked_at: float | None = None
        self._again: set[str] = set()
        """Keys of enlargements that the person wants to see enlarged again."""
        self.tiles.progressed.connect(self._arrived)
        self.tiles.failed.connect(self._enhancing_failed)
        self.uncertainty.progressed.connect(self._arrived)
        self.uncertainty.failed.connect(
            lambda key, error: self._layer_failed(LayerName.UNCERTAINTY, error)
        )
        self.layers.changed.connect(self._arrived)
        self.layers.failed.connect(self._layer_failed)
        self.layers.model_failed.connect(self._model_failed)
        stage.resized.connect(self._stage_resized)

    # What is there

    @property
    def photo(self) -> Photo | None:
        return self.data.photo

    @property
    def catalogue(self) -> Catalogue:
        return self.data.catalogue

    @property
    def settings(self) -> EnhanceSettings:
        """What the person wants the active result to be made with."""
        return self.picture.result.settings

    @property
    def method(self) -> Method:
        return self.picture.result.method

    @property
    def network(self) -> NetworkInfo | None:
        return self.picture.result.network

    @property
    def request(self) -> TileRequest | None:
        """How the active result is made in its pane; None where none is."""
        return self.picture.result.request

    @property
    def sharp(self) -> float:
        """The finished part of what all results show; 1 where nothing is to be done."""
        return self.picture.sharp

    @property
    def can_enhance(self) -> bool:
        return not self.picture.result.has_failed and not self.data.needs_yes

    @property
    def photo_to_enlarge(self) -> Photo | None:
        """The photograph, unless it needs a yes first."""
        return None if self.data.needs_yes else self.photo

    @property
    def remedy(self) -> str:
        """What :meth:`retry` would do now, as a button says it; empty where it would do nothing."""
        if self.data.needs_yes:
            return "Enlarge again"
        return "" if self.can_enhance else "Try again"

    def may_enlarge(self) -> bool:
        """Whether the image may be enlarged; where it needs a yes, the person is asked for it."""
        image = self.data.image
        if image is None or not self.data.needs_yes:
            return True
        self.problem.emit(enlarged_already(image))
        return False

    # What changes the state and the data

    def change(self, **wishes: Any) -> None:
        """Set fields of the state, and show what follows."""
        for name, value in wishes.items():
            setattr(self.state, name, value)
        self.apply()

    def show_photo(
        self, photo: Photo | None, asked_at: float | None = None, *, at: Camera | None = None
    ) -> None:
        """Show another photograph; None shows none.

        Args:
            asked_at: ``time.monotonic()`` when the person chose it; None: now.
            at: where to look; None: as large as it fits.
        """
        self._asked_at = asked_at
        self.state.begin_photo()
        self.state.camera = at
        # Until the chosen tone is ready, the colours, or whichever was made first.
        toned = next(iter(photo.ready()), None) if photo is not None else None
        self._set(
            photo=photo,
            toned=toned,
            field_of_view=photo.image.known_field_of_view if photo is not None else None,
            salient=None,
            reference=None,
            finished={},
            layers=self.layers.of(photo) if photo is not None else None,
            again=photo is not None and photo.key in self._again,
        )
        self.photo_changed.emit(photo)
        self.apply()

    def take_field_of_view(self, field: FieldOfView, salient: Point | None) -> None:
        """Where the retina is in the photograph, and where there is most to see in it."""
        self._set(field_of_view=field, salient=salient)
        self.apply()

    def use_catalogue(self, catalogue: Catalogue) -> None:
        """Other models are installed than before."""
        self.state.results = tuple(catalogue.still(one) for one in self.state.results)
        self._set(catalogue=catalogue, failed=frozenset(), broken_models=frozenset())
        self.apply()

    def choose_device(self, device: str) -> None:
        self._set(device=device)
        self.apply()

    def set_reference(self, reference: HeldReference | None) -> None:
        """What every pane shows while the original is held; None for the original."""
        self._set(reference=reference)
        self.apply()

    def retry(self) -> None:
        """Compute again what failed or was cancelled; enlarge what was enlarged already."""
        again = self.photo is not None and self.data.needs_yes
        if self.photo is not None and again:
            self._again.add(self.photo.key)
        self._set(failed=frozenset(), broken_models=frozenset(), again=self.data.again or again)
        if again:
            self.photo_changed.emit(self.photo)
        self.tiles.resume()
        self.uncertainty.resume()
        self._arrived()

    def cancelled(self) -> None:
        """The person has cancelled: stop sharpening, and turn off layers that are not there yet."""
        self.tiles.stop()
        self.uncertainty.stop()
        for name in self.picture.layers_on:
            if not self._is_there(name):
                self.state.layer(name).on = False
        self._arrived()

    def _is_there(self, name: LayerName) -> bool:
        if name is LayerName.UNCERTAINTY:
            sights = [result.sight for result in self.picture.results if result.sight]
            return any(self.uncertainty.has_some(sight) for sight in sights)
        return self.data.layers is not None and self.data.layers.art(name) is not None

    def _set(self, **changes: Any) -> None:
        self.data = replace(self.data, **changes)

    # Bringing the stage up to it

    def apply(self) -> None:
        """Make the picture anew; show what differs, and ask for what is missing."""
        self._take_tone()
        self._set(is_paused=self.tiles.is_paused)
        old, new = self.picture, resolve(self.state, self.data)
        if new == old:
            return
        self.picture = new
        self._stage.show_picture(new)
        self._ask_for(new)
        self._note_finished(new)
        self.changed.emit(old, new)

    def _ask_for(self, picture: Picture) -> None:
        photo = self.photo
        self._want_tone(picture.tone)
        results = picture.results
        panes = [result.wanted for result in results if result.wanted]
        loupes = [result.in_loupe for result in results if result.in_loupe]
        kind = (picture.photo, tuple(result.settings for result in results))
        self.tiles.show(photo, kind, (panes, loupes), self._asked_at)
        self._asked_at = None
        self.uncertainty.show(photo, [result.sight for result in results if result.sight])
        look = (picture.colour_map, picture.saliency_style)
        broken = self.data.broken_models
        models = [one.model for one in results if one.model is not None and one.model not in broken]
        self.layers.show(photo, picture.layers_on, look, self.data.device, models)

    def _note_finished(self, picture: Picture) -> None:
        """Whose tiles may be shown until those of similar settings are there."""
        found = dict(self.data.finished)
        for place, result in enumerate(picture.results, start=1):
            if result.wanted is not None and result.sharp >= 1:
                found[place] = result.settings
        if found != self.data.finished:
            self._set(finished=found)

    def _take_tone(self) -> None:
        """The chosen tone, once it is there; until then the one before."""
        toned = self.photo.toned_if_ready(self.state.tone) if self.photo else None
        if toned is not None and toned is not self.data.toned:
            self._set(toned=toned)

    def _want_tone(self, tone: Tone) -> None:
        photo = self.photo
        if photo is None:
            return
        wanted, key = photo, f"{TONE_KEY} {tone} {photo.key}"
        if photo.toned_if_ready(tone) is not None or self._jobs.is_active(key):
            return

        def work(progress: Progress) -> TonedPhoto:
            return wanted.toned(tone)

        self._jobs.submit(key, work, lambda toned: self.apply(), title=tone.value, lane=Lane.FILES)

    # What comes back

    def _arrived(self) -> None:
        self.apply()
        self.progressed.emit()

    def _layer_failed(self, name: LayerName, error: Exception) -> None:
        self.state.layer(name).on = False
        self.apply()
        self.problem.emit(error)

    def _model_failed(self, model: str, error: Exception) -> None:
        self._set(broken_models=self.data.broken_models | {model})
        self.apply()
        self.problem.emit(error)

    def _enhancing_failed(self, key: TileKey, error: Exception) -> None:
        scale, made = key.request.scale, key.request.settings
        failed = {
            result.settings for result in self.picture.results if result.settings.at(scale) == made
        }
        self._set(failed=self.data.failed | failed)
        self._arrived()
        self.problem.emit(error)

    def _stage_resized(self) -> None:
        size = max(1, self._stage.width()), max(1, self._stage.height())
        self._set(stage=size, ratio=self._stage.devicePixelRatioF())
        self.apply()


def enlarged_already(image: FundusImage) -> UserError:
    """What a person is told before an enlargement is enlarged."""
    is_ai = image.made_by is not None and image.made_by.is_ai
    again = "takes made detail for real detail" if is_ai else "shows no more than the original does"
    return UserError(
        f"{image.name} was enlarged by this program already ({image.label}).",
        f"Enlarging it again {again}. Open the original if you have it.",
    )
