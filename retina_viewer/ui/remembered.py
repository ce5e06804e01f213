"""Between the settings file and the view state."""

from __future__ import annotations

from collections.abc import Sequence

from retina_viewer.core.settings import LayerSettings, Settings
from retina_viewer.imaging.overlay import COLOUR_MAPS
from retina_viewer.ui.services import MethodInfo
from retina_viewer.ui.view_state import LayerName, Layout, ViewState
from retina_viewer.ui.viewer import Viewer


def state_from(settings: Settings, methods: Sequence[MethodInfo]) -> ViewState:
    """The view state to start with. What no longer exists falls back to the default."""
    state = ViewState(layout=_layout(settings.pane_layout))
    chosen = next((one for one in methods if one.id == settings.method), methods[0])
    state.method = chosen.id
    state.scale = settings.scale if settings.scale in chosen.scales else 4
    for name in LayerName:
        saved = settings.layers.get(name.value)
        if saved is not None:
            state.layer(name).opacity = saved.opacity
    saliency = settings.layers.get(LayerName.SALIENCY.value)
    if saliency is not None and saliency.colour_map in COLOUR_MAPS:
        state.colour_map = saliency.colour_map
    return state


def remember(settings: Settings, viewer: Viewer) -> None:
    """Write the choices that outlive a run into the settings.

    Layers that are on are not among them: they cost time on every start.
    """
    state = viewer.state
    settings.pane_layout = state.layout.value
    settings.method, settings.scale = state.method, state.scale
    settings.device = viewer.device
    for name in LayerName:
        old = settings.layers.get(name.value, LayerSettings())
        colours = state.colour_map if name is LayerName.SALIENCY else old.colour_map
        settings.layers[name.value] = LayerSettings(
            opacity=state.layer(name).opacity, colour_map=colours
        )


def _layout(name: str) -> Layout:
    return Layout(name) if name in set(Layout) else Layout.SIDE_BY_SIDE
