"""A model that is compared or calibrated, and need not be installed."""

import hashlib
from dataclasses import dataclass, field

import torch

from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.store import find_model, list_models
from retina_viewer.superres.back_projection import BackProjected
from retina_viewer.superres.cascade import load_cascade
from retina_viewer.superres.enhancer import Enhancer


@dataclass
class Candidate:
    """A super-resolution model as the program uses it: at its card's fidelity, held to the
    photograph by back-projection. ``card`` is read from the model's folder, wherever that is."""

    card: ModelCard
    device: torch.device
    twin: ModelCard | None = None  # of a saliency GAN, where it is not installed
    _ready: dict[tuple[int, float | None], Enhancer] = field(default_factory=dict, repr=False)

    def enhancer(self, scale: int, fidelity: float | None = None) -> Enhancer:
        """Ready for use, not yet fitted to a photograph; each is made once. ``fidelity`` of a model
        with a twin; None for its card's. UserError: the model does not reach that scale."""
        key = (scale, fidelity)
        if key not in self._ready:
            cascade = load_cascade(self.card, scale, self.device, fidelity, twin=self.twin)
            self._ready[key] = BackProjected(cascade)
        return self._ready[key]

    def identity(self) -> str:
        """16 hexadecimal digits: results of different digits must not be mixed."""
        parts = [self.card.weights_sha256]
        if self.card.twin is not None:
            twin = self.twin or find_model(self.card.twin)
            parts += [twin.weights_sha256, str(self.card.fidelity)]
        estimator = default_model("formation")
        if any(one.name == estimator for one in list_models("formation")):
            parts.append(find_model(estimator).weights_sha256)
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]
