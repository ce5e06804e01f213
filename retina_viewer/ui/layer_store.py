"""The layers over the photograph: computed when first turned on, kept for the last photographs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from retina_viewer.core.progress import Progress, part_of
from retina_viewer.imaging.layers import (
    VESSEL_LEGEND,
    Legend,
    SaliencyStyle,
    guess_legend,
    saliency_legend,
)
from retina_viewer.ui.canvas.heat import Drawn, guess_art, heat_art
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.vessel_art import VesselArt
from retina_viewer.ui.enhancer_shelf import EnhancerShelf
from retina_viewer.ui.job import Lane
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.making import Making
from retina_viewer.ui.photo import Photo
from retina_viewer.ui.services import Services
from retina_viewer.ui.view_state import LayerName

if TYPE_CHECKING:
    from retina_viewer.superres.consistency import ConsistencyMap
    from retina_viewer.vessels.segment import VesselMap

PHOTOGRAPHS_KEPT = 4
SaliencyLook = tuple[str, SaliencyStyle]
"""Colour map and style."""
GUESSES_KEPT = 6
"""Maps of where detail is a guess, of one photograph: one a setting."""


@dataclass(frozen=True, eq=False)
class Guess:
    """Where the detail of one result is a guess, and its picture."""

    map: ConsistencyMap
    art: Pyramid


@dataclass(eq=False)
class Layers:
    """What is known of one photograph so far."""

    saliency: NDArray[np.float32] | None = None
    saliency_art: Drawn | None = None
    saliency_legend: Legend | None = None
    """Of the picture, which is remade when another look is chosen."""
    look: SaliencyLook | None = None
    vessels: VesselMap | None = None
    vessel_art: VesselArt | None = None
    guesses: OrderedDict[Making, Guess] = field(default_factory=OrderedDict)

    def art(self, name: LayerName, making: Making) -> Drawn | VesselArt | None:
        """What is drawn of a layer; None until it is there."""
        match name:
            case LayerName.SALIENCY:
                return self.saliency_art
            case LayerName.VESSELS:
                return self.vessel_art
            case LayerName.CONSISTENCY:
                return self.guess_art(making)

    def legend_of(self, name: LayerName) -> Legend | None:
        """What the colours of a layer that is there mean."""
        match name:
            case LayerName.SALIENCY:
                return self.saliency_legend
            case LayerName.VESSELS:
                return VESSEL_LEGEND
            case LayerName.CONSISTENCY:
                return guess_legend()

    def guess_art(self, making: Making) -> Pyramid | None:
        """The picture of where the detail of this result is a guess; None until it is known."""
        guess = self.guesses.get(making)
        return guess.art if guess is not None else None

    def keep_guess(self, making: Making, guess: Guess) -> None:
        self.guesses[making] = guess
        while len(self.guesses) > GUESSES_KEPT:
            self.guesses.popitem(last=False)


class LayerStore(QObject):
    """Computes what is turned on and missing, one layer after the other."""

    changed = Signal()
    """A layer of the shown photograph has arrived or changed its colours."""
    failed = Signal(object, object)
    """(LayerName, Exception): the layer cannot be computed; turn it off."""

    def __init__(
        self, services: Services, shelf: EnhancerShelf, jobs: Jobs, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._shelf = shelf
        self._guessing: Making | None = None
        self._jobs = jobs
        self._kept: OrderedDict[str, Layers] = OrderedDict()
        self._photo: Photo | None = None

    @property
    def current(self) -> Layers:
        """The shown photograph's layers."""
        return self.of(self._photo) if self._photo is not None else Layers()

    def of(self, photo: Photo) -> Layers:
        layers = self._kept.setdefault(photo.key, Layers())
        self._kept.move_to_end(photo.key)
        while len(self._kept) > PHOTOGRAPHS_KEPT:
            self._kept.popitem(last=False)
        return layers

    def forget_vessels(self) -> None:
        """Another network finds them from now on: what was found is found anew when shown."""
        self._jobs.cancel(_key(LayerName.VESSELS))
        for layers in self._kept.values():
            layers.vessels = layers.vessel_art = None

    def is_working(self, name: LayerName) -> bool:
        return self._jobs.is_active(_key(name))

    def show(
        self, photo: Photo | None, wanted: Sequence[LayerName], look: SaliencyLook, making: Making
    ) -> None:
        """Say which layers are on, and of which result; those that are missing are computed."""
        if photo is not self._photo:
            for name in LayerName:
                self._jobs.cancel(_key(name))
        self._photo = photo
        if photo is None:
            return
        for name in LayerName:
            if name not in wanted:
                self._jobs.cancel(_key(name))
            elif name is LayerName.SALIENCY:
                self._want_saliency(photo, look)
            elif name is LayerName.VESSELS:
                self._want_vessels(photo, making.device)
            else:
                self._want_guess(photo, making)

    def _want_saliency(self, photo: Photo, look: SaliencyLook) -> None:
        layers, key = self.of(photo), _key(LayerName.SALIENCY)
        if layers.look == look:
            if layers.saliency_art is None and not self._jobs.is_active(key):
                layers.look = None
            else:
                return
        known = layers.saliency
        layers.look = look

        def work(progress: Progress) -> tuple[NDArray[np.float32], Drawn]:
            values = known
            if values is None:
                values = self._services.saliency(photo.image, part_of(progress, 0.0, 0.9))
            progress(0.95, "colours")
            mask = photo.image.field_of_view.mask
            return values, heat_art(values, mask, *look)

        def done(result: tuple[NDArray[np.float32], Drawn]) -> None:
            layers.saliency, layers.saliency_art = result
            layers.saliency_legend = saliency_legend(*look)
            self.changed.emit()

        def failed(error: Exception) -> None:
            layers.look = None
            self.failed.emit(LayerName.SALIENCY, error)

        self._jobs.submit(key, work, done, failed=failed, title="saliency")

    def _want_vessels(self, photo: Photo, device: str) -> None:
        layers, key = self.of(photo), _key(LayerName.VESSELS)
        if layers.vessel_art is not None or self._jobs.is_active(key):
            return

        def work(progress: Progress) -> tuple[VesselMap, VesselArt]:
            found = self._services.vessels(photo.image, device, part_of(progress, 0.0, 0.9))
            progress(0.95, "outlines")
            return found, VesselArt(found.probability, found.threshold)

        def done(result: tuple[VesselMap, VesselArt]) -> None:
            layers.vessels, layers.vessel_art = result
            self.changed.emit()

        self._jobs.submit(
            key,
            work,
            done,
            failed=lambda error: self.failed.emit(LayerName.VESSELS, error),
            title="vessels",
        )

    def _want_guess(self, photo: Photo, making: Making) -> None:
        """Another result is another map: what is computed for the one before is dropped."""
        layers, key = self.of(photo), _key(LayerName.CONSISTENCY)
        if making.model is None or making in layers.guesses:
            self._jobs.cancel(key)
            return
        if self._jobs.is_active(key) and self._guessing == making:
            return
        self._guessing = making

        def work(progress: Progress) -> Guess:
            progress(0.0, "the photograph's blur and noise")
            enhancer = self._shelf.fitted(photo, making)
            other = None
            if making.fidelity is not None and making.fidelity < 1:
                other = self._shelf.fitted(photo, replace(making, fidelity=1.0))
            found = self._services.consistency(photo.image, enhancer, other, progress)
            return Guess(found, guess_art(found.expected_error, photo.image.field_of_view.mask))

        def done(guess: Guess) -> None:
            layers.keep_guess(making, guess)
            self.changed.emit()

        self._jobs.submit(
            key,
            work,
            done,
            failed=lambda error: self.failed.emit(LayerName.CONSISTENCY, error),
            title="where detail is a guess",
            lane=Lane.LONG,
        )


def _key(name: LayerName) -> str:
    return f"layer {name.value}"
