"""The methods that are compared, each made once, with what it rests on."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.store import find_model, list_models
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition
from retina_viewer.superres.classical import Interpolation, phase_weights
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.linear import LinearFilter
from retina_viewer.superres.methods import default_network, make_enhancer
from studies.linear_filter import fit_linear_filters

SHARP_BICUBIC = "bicubic-0.75"
"""Keys' cubic with a = -0.75, as OpenCV and torch have it: 0.1 to 0.35 dB better than a = -0.5
on blurred input, so the fairer baseline."""

LINEAR = "linear"
LINEAR_FOLDS = "linear-5fold"
"""The linear filter as :mod:`~studies.all_tables` fits it."""

_FITTED_HERE = (LINEAR, LINEAR_FOLDS)


_USUAL = EnhanceSettings()


@dataclass
class Contenders:
    """Makes the enhancers that are compared, each once.

    Args:
        methods: of ``superres.methods``, or ``linear``, or ``bicubic-0.75``.
        conditions: all that will be asked for; the linear filter is fitted to each.
        training: what the linear filter may learn from.
        settings: for the methods with a network; method and scale are those that are asked for,
            the model makes the results of its own method alone, the fidelity is of GANs with a
            twin.

    Raises:
        UserError: the model named is for none of the methods.
    """

    methods: Sequence[str]
    conditions: Sequence[Condition]
    training: Sequence[Photograph] = ()
    settings: EnhanceSettings = _USUAL
    progress: Progress = no_progress
    _ready: dict[tuple[str, int], Enhancer] = field(default_factory=dict)
    _linear: dict[Condition, LinearFilter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        model = self.settings.model
        if model is not None and not any(map(self._is_of_the_model, self.methods)):
            raise UserError(
                f"The model {model!r} is for none of the methods that are measured.",
                f"It is for the method {find_model(model).enhancer_method}.",
            )

    def enhancer(self, method: str, condition: Condition) -> Enhancer:
        """Ready for use.

        Raises:
            UserError: unknown method or model, or no photographs for the linear filter.
        """
        if self._is_fitted_here(method):
            if not self._linear:
                self._linear = fit_linear_filters(
                    self.training, self.conditions, progress=self.progress
                )
            return self._linear[condition]
        key = (method, condition.scale)
        if key not in self._ready:
            self._ready[key] = self._made(method, condition.scale)
        return self._ready[key]

    def _made(self, method: str, scale: int) -> Enhancer:
        if method == SHARP_BICUBIC:
            return sharp_bicubic(scale)
        model = self.settings.model if self._is_of_the_model(method) else None
        card = default_network(method) if model is None else find_model(model)
        mixes = method != "pixel" and card is not None and card.twin is not None
        fidelity = self.settings.fidelity if mixes else None
        own = replace(self.settings, method=method, model=model, fidelity=fidelity)
        return make_enhancer(own.at(scale))

    def _is_fitted_here(self, method: str) -> bool:
        """The linear filter is, to the very condition, unless the shipped one is named."""
        return method in _FITTED_HERE and not self._is_of_the_model(method)

    def _is_of_the_model(self, method: str) -> bool:
        """Whether the model that a person named makes this method's results: it, or for ``pixel``
        its pixel-trained twin."""
        if self.settings.model is None:
            return False
        card = find_model(self.settings.model)
        return method == card.enhancer_method or (method == "pixel" and card.twin is not None)

    def models(self) -> dict[str, dict[str, str]]:
        """Name and SHA-256 of what each method rests on, for methods that rest on something.

        With them what else decides a network's result: its twin's hash, the fidelity, whether it
        is held to the photograph, and the hash of what estimates the photograph's blur.
        """
        found = {}
        for method in self.methods:
            if self._is_fitted_here(method):
                names = "\n".join(photograph.name for photograph in self.training)
                digest = hashlib.sha256(names.encode()).hexdigest()
                found[method] = {"name": f"{len(self.training)} photographs", "sha256": digest}
                continue
            enhancer = self.enhancer(method, self.conditions[0])
            if enhancer.model is not None:
                found[method] = self._rests_on(enhancer.model)
        return found

    def identities(self) -> dict[str, str]:
        """16 hexadecimal digits by method: results of different digits must not be mixed."""
        return {
            method: hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
            for method, about in self.models().items()
        }

    def _rests_on(self, name: str) -> dict[str, str]:
        card = find_model(name)
        about = {"name": card.name, "sha256": card.weights_sha256}
        if card.twin is not None:
            about["twin_sha256"] = find_model(card.twin).weights_sha256
            asked = self.settings.fidelity
            about["fidelity"] = str(card.fidelity if asked is None else asked)
        about["back_projection"] = "on" if self.settings.back_projection else "off"
        estimator = default_model("formation")
        if any(one.name == estimator for one in list_models("formation")):
            about["formation_sha256"] = find_model(estimator).weights_sha256
        return about


def sharp_bicubic(scale: int) -> Interpolation:
    """Keys' cubic convolution with a = -0.75."""

    def cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
        a, x = -0.75, np.abs(distance)
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        far = a * (((x - 5) * x + 8) * x - 4)
        return np.where(x <= 1, near, np.where(x < 2, far, 0.0))

    return Interpolation(SHARP_BICUBIC, scale, 2, phase_weights(cubic, 2, scale))
