"""What two models make of one photograph: computed in the background, put into scenes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from retina_viewer.core.progress import Progress, part_of
from retina_viewer.model_store.card import ModelCard
from retina_viewer.superres.enhance_settings import SCALES, EnhanceSettings, Scale
from retina_viewer.superres.methods import weights_behind
from retina_viewer.ui.camera import Camera
from retina_viewer.ui.canvas.layer_art import VesselArt
from retina_viewer.ui.canvas.pane import Pane
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Chip, LayerArt, Scene, Source
from retina_viewer.ui.comparison.enlarging import Contender, Enlarging, Look
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.enhancer_cache import EnhancerShelf
from retina_viewer.ui.view.state import LayerName

KEY = "comparison"
_VESSELS = f"{KEY} vessels"
_OPACITY = 0.95
Side = tuple[ModelCard, Pane]


class Comparing(Protocol):
    """One kind of result. ``changed`` and ``failed`` are signals."""

    def show(
        self, photo: Photo, original: Pyramid | None, camera: Camera, sides: Sequence[Side]
    ) -> None:
        """Give the panes their scenes, and compute what they lack.

        Args:
            original: what is drawn of the photograph; None until it is ready.
        """

    def end(self) -> None:
        """Compute nothing any more."""


class Enlargements(QObject):
    """Two enlargements, tile by tile, the middle first.

    Args:
        scale: the enlargement, where both models offer it.
        device: to compute on.
        shelf: the window's, so that what it knows is not computed again.
    """

    changed = Signal()
    failed = Signal(object)
    """(Exception)"""

    def __init__(
        self,
        services: Services,
        jobs: Jobs,
        shelf: EnhancerShelf,
        scale: Scale,
        device: str,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._services, self._jobs, self._shelf = services, jobs, shelf
        self._scale, self._device = scale, device
        self._makings: dict[str, EnhanceSettings] = {}
        self.enlargings: dict[Pane, Enlarging] = {}

    def show(
        self, photo: Photo, original: Pyramid | None, camera: Camera, sides: Sequence[Side]
    ) -> None:
        """See :class:`Comparing`."""
        for card, pane in sides:
            ratio = pane.devicePixelRatioF()
            look = Look(camera, original, (pane.width() * ratio, pane.height() * ratio))
            contender = Contender(card.title, self.making(card), learned=True)
            self._enlarging(pane).show(photo, contender, look)

    def end(self) -> None:
        """See :class:`Comparing`."""
        for enlarging in self.enlargings.values():
            enlarging.end()

    def making(self, card: ModelCard) -> EnhanceSettings:
        """How a model makes its result: at its own fidelity, held to the photograph."""
        if card.name not in self._makings:
            scale: Scale = max(
                (one for one in SCALES if one <= self._scale and one in card.scales), default=2
            )
            self._makings[card.name] = EnhanceSettings(
                method=card.enhancer_method,
                scale=scale,
                device=self._device,
                model=card.name,
                fidelity=card.fidelity_at(scale),
                weights=weights_behind(card),
            )
        return self._makings[card.name]

    def _enlarging(self, pane: Pane) -> Enlarging:
        if pane not in self.enlargings:
            key = f"{KEY} pane {len(self.enlargings)}"
            made = Enlarging(pane, self._services, self._jobs, self._shelf, key, self)
            made.changed.connect(self.changed)
            made.failed.connect(self.failed)
            self.enlargings[pane] = made
        return self.enlargings[pane]


class Vessels(QObject):
    """The vessels that two models find, each on the whole photograph."""

    changed = Signal()
    failed = Signal(object)
    """(Exception)"""

    def __init__(self, jobs: Jobs, device: str, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs, self._device = jobs, device
        self._art: dict[tuple[str, str], VesselArt] = {}
        self._broken: set[tuple[str, str]] = set()

    def show(
        self, photo: Photo, original: Pyramid | None, camera: Camera, sides: Sequence[Side]
    ) -> None:
        """See :class:`Comparing`."""
        wanted = {_job_key(photo, card) for card, _ in sides}
        self._jobs.cancel_where(lambda job: job.key.startswith(_VESSELS) and job.key not in wanted)
        for card, pane in sides:
            key = (photo.key, card.name)
            art = self._art.get(key)
            if art is not None:
                chip = Chip(f"AI VESSELS · {card.title}", Source.NETWORK)
                layers: tuple[LayerArt, ...] = (LayerArt(LayerName.VESSELS, _OPACITY, art),)
            else:
                word = "failed" if key in self._broken else "PENDING"
                chip, layers = Chip(f"{word} {card.title}", Source.PENDING), ()
                self._find(photo, card)
            pane.show_scene(Scene(camera, original, result_chips=(chip,), layers=layers))

    def end(self) -> None:
        """See :class:`Comparing`."""
        self._jobs.cancel_where(lambda job: job.key.startswith(_VESSELS))

    def _find(self, photo: Photo, card: ModelCard) -> None:
        key, job_key = (photo.key, card.name), _job_key(photo, card)
        if key in self._broken or self._jobs.is_active(job_key):
            return
        device = self._device

        def work(progress: Progress) -> VesselArt:
            from retina_viewer.vessels.segment import segment_vessels

            image, finding = photo.image, part_of(progress, 0.0, 0.9)
            found = segment_vessels(image, model=card.name, device=device, progress=finding)
            return VesselArt(found.probability, found.threshold)

        def done(art: VesselArt) -> None:
            self._art[key] = art
            self.changed.emit()

        def failed(error: Exception) -> None:
            self._broken.add(key)
            self.failed.emit(error)
            self.changed.emit()

        self._jobs.submit(job_key, work, done, failed=failed, title=f"vessels, {card.title}")


def _job_key(photo: Photo, card: ModelCard) -> str:
    return f"{_VESSELS} {photo.key} {card.name}"
