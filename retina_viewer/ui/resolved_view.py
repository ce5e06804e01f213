"""What follows from the person's intent: what the widgets show. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.layer_art import SaliencyStyle
from retina_viewer.superres.enhance_settings import Scale
from retina_viewer.ui.camera import Camera
from retina_viewer.ui.view_state import (
    LayerName,
    Layout,
    Tone,
    ViewState,
    shown_centre,
    shown_zoom,
)


@dataclass(frozen=True)
class LayerView:
    """A layer as it is drawn."""

    name: LayerName
    opacity: float


@dataclass(frozen=True)
class ResolvedView:
    """What the widgets show. Equal values look the same."""

    image: Rect
    whole: bool
    """Whether the main panes show all of the photograph."""
    main: Camera
    loupe: Camera
    layout: Layout
    tone: Tone
    method: str
    scale: Scale
    model: str | None
    fidelity: float | None
    back_projection: bool
    layers: tuple[LayerView, ...]
    layers_on: tuple[LayerName, ...]
    colour_map: str
    saliency_style: SaliencyStyle
    smooth: bool
    overview: bool
    divider: float
    loupe_shown: bool
    loupe_locked: bool
    show_original: bool
    measuring: bool
    fit: bool

    @property
    def has_image(self) -> bool:
        return self.image.area > 0


def resolve(state: ViewState) -> ResolvedView:
    """What follows from the person's intent. Pure."""
    x, y = shown_centre(state)
    on = tuple(name for name in LayerName if state.layer(name).on)
    shown = () if state.holding_layers_hidden else on
    image = Rect(0, 0, state.image_width, state.image_height)
    main = Camera(x, y, shown_zoom(state))
    return ResolvedView(
        image=image,
        whole=main.visible(state.pane_width, state.pane_height, image) == image,
        main=main,
        loupe=Camera(
            x if state.loupe_x is None else state.loupe_x,
            y if state.loupe_y is None else state.loupe_y,
            max(state.loupe_zoom, shown_zoom(state)),
        ),
        layout=state.layout,
        tone=state.tone,
        method=state.method,
        scale=state.scale,
        model=state.model,
        fidelity=state.fidelity,
        back_projection=state.back_projection,
        layers=tuple(LayerView(name, state.layer(name).opacity) for name in shown),
        layers_on=on,
        colour_map=state.colour_map,
        saliency_style=state.saliency_style,
        smooth=state.smooth,
        overview=state.overview,
        divider=state.divider,
        loupe_locked=state.loupe_locked,
        loupe_shown=state.loupe_shown or state.layout is Layout.LOUPE,
        show_original=state.holding_original,
        measuring=state.measuring,
        fit=state.fit,
    )
