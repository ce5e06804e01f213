"""What the window starts with, where a person has said so. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from retina_viewer.core.errors import UserError
from retina_viewer.core.settings import Settings
from retina_viewer.ui.catalogue import Catalogue


@dataclass(frozen=True)
class Start:
    """What the window shall start with; what is None stays as it was remembered."""

    method: str | None = None
    scale: int | None = None
    model: str | None = None
    fidelity: float | None = None
    back_projection: bool | None = None

    def put_into(self, settings: Settings, catalogue: Catalogue) -> None:
        """Replace what was remembered.

        Raises:
            UserError: the method or model is not installed, or they do not fit each other.
        """
        method = self.method or self._method_of_model(catalogue) or settings.method
        known = [one.id for one in catalogue.methods]
        if self.method is not None and self.method not in known:
            raise UserError(
                f"There is no method {self.method!r}.", f"Installed: {', '.join(known)}."
            )
        settings.method = method if method in known else catalogue.default
        if self.method is not None or self.model is not None:
            settings.model, settings.fidelity = self._model_for(settings.method, catalogue), None
        network = catalogue.network(settings.method, settings.model)
        if self.fidelity is not None:
            if network is None or network.twin is None:
                raise UserError(
                    f"The method {settings.method!r} has no fidelity to choose.",
                    "Leave it out, or choose a saliency GAN.",
                )
            if not 0 <= self.fidelity <= 1:
                raise UserError(
                    f"A fidelity of {self.fidelity:g} is not possible.",
                    "Choose one between 0 (most detail) and 1 (closest to the truth).",
                )
            settings.fidelity = self.fidelity
        if self.scale is not None:
            settings.scale = self.scale  # type: ignore[assignment]
        if self.back_projection is not None:
            settings.back_projection = self.back_projection

    def _method_of_model(self, catalogue: Catalogue) -> str | None:
        for method in catalogue.methods:
            if self.model in [network.name for network in catalogue.networks(method.id)]:
                return method.id
        return None

    def _model_for(self, method: str, catalogue: Catalogue) -> str | None:
        names = [network.name for network in catalogue.networks(method)]
        if self.model is not None and self.model not in names:
            raise UserError(
                f"The method {method!r} has no model {self.model!r}.",
                f"It has: {', '.join(names) or 'none'}.",
            )
        return self.model
