"""What the person asked to see. No Qt.

Intent, resolve, apply: events change a :class:`ViewState` through its methods, the pure
:func:`~retina_viewer.ui.resolved_view.resolve` turns it into a frozen
:class:`~retina_viewer.ui.resolved_view.ResolvedView`, and the widgets apply the difference.

Coordinates: positions are in source pixels of the photograph (pixel centres at .5); the zoom is
device pixels per source pixel; pane sizes and cursor positions are in device pixels.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from retina_viewer.imaging.layer_art import (
    SALIENCY_OPACITY,
    UNCERTAINTY_OPACITY,
    VESSEL_OPACITY,
    SaliencyStyle,
)
from retina_viewer.superres.enhance_settings import Scale

WHEEL_FACTOR = 1.2
MAX_ZOOM = 64.0
MIN_SHOWN = 0.5
"""The smallest zoom, as a part of the one that fits the pane."""


class Layout(StrEnum):
    SIDE_BY_SIDE = "side by side"
    """Original, result, and the loupe in a narrow column."""
    SLIDER = "slider"
    """One picture: original left of a line, result right of it; and the loupe."""
    LOUPE = "loupe"
    """The result to find one's way, and the loupe as large as it."""


class Tone(StrEnum):
    COLOUR = "colour"
    RED_FREE = "red-free"
    CLAHE = "CLAHE"


class LayerName(StrEnum):
    SALIENCY = "saliency"
    VESSELS = "vessels"
    CONSISTENCY = "uncertainty"
    """Where the result's detail is a guess."""


class LayerState(BaseModel):
    """One layer as the person set it."""

    model_config = ConfigDict(validate_assignment=True)

    on: bool = False
    opacity: float = Field(default=SALIENCY_OPACITY, ge=0.0, le=1.0)


class ViewState(BaseModel):
    """The person's intent; every assignment is validated."""

    model_config = ConfigDict(validate_assignment=True)

    image_width: int = Field(default=0, ge=0)
    image_height: int = Field(default=0, ge=0)
    pane_width: float = Field(default=1.0, gt=0)
    pane_height: float = Field(default=1.0, gt=0)
    fit: bool = True
    centre_x: float = Field(default=0.0, allow_inf_nan=False)
    centre_y: float = Field(default=0.0, allow_inf_nan=False)
    zoom: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    layout: Layout = Layout.SIDE_BY_SIDE
    tone: Tone = Tone.COLOUR
    method: str = "bicubic"
    scale: Scale = 4
    model: str | None = None
    """The network's name; None for the method's own choice."""
    fidelity: float | None = Field(default=None, ge=0.0, le=1.0)
    """None for the network's own default."""
    back_projection: bool = True
    saliency: LayerState = Field(default_factory=LayerState)
    vessels: LayerState = Field(default_factory=lambda: LayerState(opacity=VESSEL_OPACITY))
    consistency: LayerState = Field(default_factory=lambda: LayerState(opacity=UNCERTAINTY_OPACITY))
    colour_map: str = "inferno"
    saliency_style: SaliencyStyle = SaliencyStyle.COLOURS
    smooth: bool = True
    overview: bool = True
    divider: float = Field(default=0.5, ge=0.0, le=1.0)
    loupe_x: float | None = None
    loupe_y: float | None = None
    loupe_locked: bool = False
    loupe_shown: bool = True
    loupe_zoom: float = Field(default=8.0, ge=1.0, le=MAX_ZOOM)
    holding_layers_hidden: bool = False
    holding_original: bool = False
    measuring: bool = False

    def layer(self, name: LayerName) -> LayerState:
        match name:
            case LayerName.SALIENCY:
                return self.saliency
            case LayerName.VESSELS:
                return self.vessels
            case LayerName.CONSISTENCY:
                return self.consistency

    def set_image(self, width: int, height: int) -> None:
        """Show another photograph, whole. A size of 0 shows none."""
        self.image_width, self.image_height = width, height
        self.loupe_x = self.loupe_y = None
        self.loupe_locked = False
        self.show_whole()

    def show_whole(self) -> None:
        self.fit = True
        self.centre_x, self.centre_y = self.image_width / 2, self.image_height / 2

    def zoom_to(self, zoom: float, cursor_x: float, cursor_y: float) -> None:
        """Set the zoom so that the source point under the cursor stays under it.

        Args:
            zoom: device pixels per source pixel; limited to what :func:`zoom_limits` allows.
            cursor_x, cursor_y: device pixels from the pane's top left corner.

        The point moves only where keeping it would push the photograph's edge past the pane's
        centre, which can only happen when zooming out.
        """
        x, y = self.source_at(cursor_x, cursor_y)
        low, high = zoom_limits(self)
        self._leave_fit()
        self.zoom = min(max(zoom, low), high)
        self.centre_x = x - (cursor_x - self.pane_width / 2) / self.zoom
        self.centre_y = y - (cursor_y - self.pane_height / 2) / self.zoom
        self._keep_in_image()

    def zoom_by(self, notches: float, cursor_x: float, cursor_y: float) -> None:
        """Zoom by wheel notches, 1.2 each, at the cursor."""
        self.zoom_to(shown_zoom(self) * WHEEL_FACTOR**notches, cursor_x, cursor_y)

    def zoom_at_centre(self, zoom: float) -> None:
        self.zoom_to(zoom, self.pane_width / 2, self.pane_height / 2)

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by device pixels (as a drag does); a point of it stays at the centre."""
        self._leave_fit()
        self.centre_x -= dx / self.zoom
        self.centre_y -= dy / self.zoom
        self._keep_in_image()

    def centre_on(self, x: float, y: float) -> None:
        self._leave_fit()
        self.centre_x, self.centre_y = x, y
        self._keep_in_image()

    def source_at(self, cursor_x: float, cursor_y: float) -> tuple[float, float]:
        """The source point under a place of the pane."""
        zoom = shown_zoom(self)
        centre_x, centre_y = shown_centre(self)
        return (
            centre_x + (cursor_x - self.pane_width / 2) / zoom,
            centre_y + (cursor_y - self.pane_height / 2) / zoom,
        )

    def _leave_fit(self) -> None:
        if self.fit:
            self.zoom = shown_zoom(self)
            self.centre_x, self.centre_y = shown_centre(self)
            self.fit = False

    def _keep_in_image(self) -> None:
        self.centre_x = min(max(self.centre_x, 0.0), float(self.image_width))
        self.centre_y = min(max(self.centre_y, 0.0), float(self.image_height))


def fit_zoom(state: ViewState) -> float:
    """The zoom that shows the whole photograph; 1 without one."""
    if not state.image_width or not state.image_height:
        return 1.0
    return min(
        state.pane_width / state.image_width, state.pane_height / state.image_height, MAX_ZOOM
    )


def zoom_limits(state: ViewState) -> tuple[float, float]:
    return min(fit_zoom(state), 1.0) * MIN_SHOWN, MAX_ZOOM


def shown_zoom(state: ViewState) -> float:
    return fit_zoom(state) if state.fit else state.zoom


def shown_centre(state: ViewState) -> tuple[float, float]:
    if state.fit:
        return state.image_width / 2, state.image_height / 2
    return state.centre_x, state.centre_y
