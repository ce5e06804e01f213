"""The layers over the photograph: computed when first turned on, kept for the last photographs.

Uncertainty is no such layer: it is of a result, and computed as that is, in view.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from retina_viewer.core.progress import Progress, part_of
from retina_viewer.imaging.layer_art import (
    VESSEL_LEGEND,
    Legend,
    SaliencyStyle,
    saliency_legend,
    uncertainty_legend,
)
from retina_viewer.ui.canvas.layer_pictures import Drawn, VesselArt, heat_art
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.canvas.scene import LayerName
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.services import Services
from retina_viewer.vessels.segment import VesselMap

PHOTOGRAPHS_KEPT = 4
SaliencyLook = tuple[str, SaliencyStyle]
"""Colour map and style."""


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
    by_model: dict[str, VesselArt] = field(default_factory=dict)
    """The vessels that models find that are compared."""

    def art(self, name: LayerName) -> Drawn | VesselArt | None:
        """What is drawn of a layer; None until it is there. Uncertainty is kept elsewhere."""
        match name:
            case LayerName.SALIENCY:
                return self.saliency_art
            case LayerName.VESSELS:
                return self.vessel_art
            case LayerName.UNCERTAINTY:
                return None

    def vessels_of(self, model: str) -> VesselArt | None:
        """What a model that is compared finds; None until it has."""
        return self.by_model.get(model)

    @property
    def news(self) -> tuple[object, ...]:
        """What has come; equal as long as nothing more has."""
        return self.saliency_art, self.vessel_art, *self.by_model.values()

    def legend_of(self, name: LayerName) -> Legend | None:
        """What the colours of a layer that is there mean."""
        match name:
            case LayerName.SALIENCY:
                return self.saliency_legend
            case LayerName.VESSELS:
                return VESSEL_LEGEND
            case LayerName.UNCERTAINTY:
                return uncertainty_legend()


class LayerStore(QObject):
    """Computes what is turned on and missing, one layer after the other."""

    changed = Signal()
    """A layer of the shown photograph has arrived or changed its colours."""
    failed = Signal(object, object)
    """(LayerName, Exception): the layer cannot be computed; turn it off."""
    model_failed = Signal(object, object)
    """(name of the model, Exception): its vessels cannot be found; do not ask again."""

    def __init__(self, services: Services, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
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
        self,
        photo: Photo | None,
        wanted: Sequence[LayerName],
        look: SaliencyLook,
        device: str,
        models: Sequence[str] = (),
    ) -> None:
        """Say which layers are on; those that are missing are computed on the device.

        Args:
            models: for vessels, that are compared.
        """
        if photo is not self._photo:
            for name in LayerName:
                self._jobs.cancel(_key(name))
        is_same, self._photo = photo is self._photo, photo
        keys = {_key(LayerName.VESSELS, model) for model in models} if is_same else set()
        prefix = _key(LayerName.VESSELS, "")
        self._jobs.cancel_where(lambda job: job.key.startswith(prefix) and job.key not in keys)
        if photo is None:
            return
        for name in LayerName:
            if name not in wanted:
                self._jobs.cancel(_key(name))
            elif name is LayerName.SALIENCY:
                self._want_saliency(photo, look)
            elif name is LayerName.VESSELS:
                self._want_vessels(photo, device)
        for model in models:
            self._want_vessels_of(model, photo, device)

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

        def done(result: tuple[VesselMap, VesselArt]) -> None:
            layers.vessels, layers.vessel_art = result
            self.changed.emit()

        self._jobs.submit(
            key,
            self._finding(photo, None, device),
            done,
            failed=lambda error: self.failed.emit(LayerName.VESSELS, error),
            title="vessels",
        )

    def _want_vessels_of(self, model: str, photo: Photo, device: str) -> None:
        layers, key = self.of(photo), _key(LayerName.VESSELS, model)
        if model in layers.by_model or self._jobs.is_active(key):
            return

        def done(result: tuple[VesselMap, VesselArt]) -> None:
            layers.by_model[model] = result[1]
            self.changed.emit()

        self._jobs.submit(
            key,
            self._finding(photo, model, device),
            done,
            failed=lambda error: self.model_failed.emit(model, error),
            title=f"vessels, {model}",
        )

    def _finding(
        self, photo: Photo, model: str | None, device: str
    ) -> Callable[[Progress], tuple[VesselMap, VesselArt]]:
        def work(progress: Progress) -> tuple[VesselMap, VesselArt]:
            part = part_of(progress, 0.0, 0.9)
            found = self._services.vessels(photo.image, model, device, part)
            progress(0.95, "outlines")
            return found, VesselArt(found.probability, found.threshold)

        return work


def _key(name: LayerName, model: str | None = None) -> str:
    return f"layer {name.value}" if model is None else f"layer {name.value} of {model}"
