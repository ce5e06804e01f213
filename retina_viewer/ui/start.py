"""What the window starts with, and what it leaves to the next start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retina_viewer.core.errors import UserError
from retina_viewer.core.settings import LayerSettings, Settings
from retina_viewer.imaging.layer_art import COLOUR_MAPS, SaliencyStyle
from retina_viewer.ui.canvas.scene import LayerName
from retina_viewer.ui.catalogue import Catalogue, ResultChoice
from retina_viewer.ui.view.arrange import Arrangement
from retina_viewer.ui.view.state import ViewState

if TYPE_CHECKING:
    from retina_viewer.ui.view.view import View


@dataclass(frozen=True)
class Start:
    """What the window shall start with; what is None stays as it was remembered."""

    method: str | None = None
    scale: int | None = None
    model: str | None = None
    fidelity: float | None = None
    back_projection: bool | None = None

    def put_into(self, settings: Settings, catalogue: Catalogue) -> None:
        """Replace what was remembered. Raises UserError: the method or model is not installed, or
        they do not fit each other.
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


def state_from(settings: Settings, catalogue: Catalogue) -> ViewState:
    """The view state to start with. What no longer exists falls back to the default."""
    known = {method.id for method in catalogue.methods}
    method = settings.method if settings.method in known else catalogue.default
    models = {network.name for network in catalogue.networks(method)}
    choice = ResultChoice(
        method,
        settings.model if settings.model in models else None,
        settings.fidelity,
        settings.back_projection,
    )
    scales, layout = catalogue.method(method).scales, settings.pane_layout
    state = ViewState(
        results=(choice,),
        scale=settings.scale if settings.scale in scales else 4,
        arrangement=Arrangement(layout) if layout in set(Arrangement) else Arrangement.AUTO,
        loupe_shown=settings.loupe_shown,
    )
    for name in LayerName:
        saved = settings.layers.get(name.value)
        if saved is not None:
            state.layer(name).opacity = saved.opacity
    saliency = settings.layers.get(LayerName.SALIENCY.value)
    if saliency is not None and saliency.colour_map in COLOUR_MAPS:
        state.colour_map = saliency.colour_map
    if saliency is not None and saliency.style in set(SaliencyStyle):
        state.saliency_style = SaliencyStyle(saliency.style)
    return state


def remember(settings: Settings, view: View) -> None:
    """Write the choices that outlive a run into the settings.

    Layers that are on are not among them: they cost time on every start. Of results that are
    compared, the active one is remembered.
    """
    state, chosen = view.state, view.state.result
    settings.pane_layout, settings.loupe_shown = state.arrangement.value, state.loupe_shown
    settings.method, settings.scale = chosen.method, state.scale
    settings.model, settings.fidelity = chosen.model, chosen.fidelity
    settings.back_projection = chosen.back_projection
    settings.device = view.data.device
    for name in LayerName:
        old = settings.layers.get(name.value, LayerSettings())
        colours = state.colour_map if name is LayerName.SALIENCY else old.colour_map
        style = state.saliency_style.value if name is LayerName.SALIENCY else old.style
        settings.layers[name.value] = LayerSettings(
            opacity=state.layer(name).opacity, colour_map=colours, style=style
        )
