"""Between the settings file and the view state."""

from __future__ import annotations

from retina_viewer.core.settings import LayerSettings, Settings
from retina_viewer.imaging.layer_art import COLOUR_MAPS, SaliencyStyle
from retina_viewer.ui.making import Catalogue
from retina_viewer.ui.view_state import LayerName, Layout, ViewState
from retina_viewer.ui.viewer import Viewer


def state_from(settings: Settings, catalogue: Catalogue) -> ViewState:
    """The view state to start with. What no longer exists falls back to the default."""
    state = ViewState(layout=_layout(settings.pane_layout))
    known = {method.id for method in catalogue.methods}
    state.method = settings.method if settings.method in known else catalogue.default
    scales = catalogue.method(state.method).scales
    state.scale = settings.scale if settings.scale in scales else 4
    if settings.model in {network.name for network in catalogue.networks(state.method)}:
        state.model = settings.model
    state.fidelity, state.back_projection = settings.fidelity, settings.back_projection
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


def remember(settings: Settings, viewer: Viewer) -> None:
    """Write the choices that outlive a run into the settings.

    Layers that are on are not among them: they cost time on every start.
    """
    state = viewer.state
    settings.pane_layout = state.layout.value
    settings.method, settings.scale = state.method, state.scale
    settings.model, settings.fidelity = state.model, state.fidelity
    settings.back_projection = state.back_projection
    settings.device = viewer.device
    for name in LayerName:
        old = settings.layers.get(name.value, LayerSettings())
        colours = state.colour_map if name is LayerName.SALIENCY else old.colour_map
        style = state.saliency_style.value if name is LayerName.SALIENCY else old.style
        settings.layers[name.value] = LayerSettings(
            opacity=state.layer(name).opacity, colour_map=colours, style=style
        )


def _layout(name: str) -> Layout:
    return Layout(name) if name in set(Layout) else Layout.SIDE_BY_SIDE
