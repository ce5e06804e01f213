"""What keys and buttons do to the view: small changes of the state, each followed by apply()."""

from __future__ import annotations

from retina_viewer.imaging.layer_art import SaliencyStyle
from retina_viewer.superres.enhance_settings import Scale
from retina_viewer.ui.library import Library
from retina_viewer.ui.view_state import (
    WHEEL_FACTOR,
    LayerName,
    Layout,
    Tone,
    shown_zoom,
)
from retina_viewer.ui.viewer import Viewer

PAN_SHARE = 0.1
"""How far an arrow key pans, as a part of the pane."""
KEY_NOTCHES = 2
FIDELITY_STEP = 0.05


class Commands:
    """The commands of :data:`retina_viewer.ui.keys.KEYS` that concern the view."""

    def __init__(self, viewer: Viewer, library: Library) -> None:
        self._viewer = viewer
        self._state = viewer.state
        self._library = library

    def fit(self) -> None:
        self._state.show_whole()
        self._viewer.apply()

    def one_to_one(self) -> None:
        self._zoom_at_eye(1.0)

    def zoom_in(self) -> None:
        self._zoom_at_eye(shown_zoom(self._state) * WHEEL_FACTOR**KEY_NOTCHES)

    def zoom_out(self) -> None:
        self._zoom_at_eye(shown_zoom(self._state) / WHEEL_FACTOR**KEY_NOTCHES)

    def _zoom_at_eye(self, zoom: float) -> None:
        if self._viewer.view.has_image:
            self._state.zoom_at_centre(zoom)
            self._viewer.apply()

    def pan(self, right: int, down: int) -> None:
        """Look further right or down (or left or up, where negative)."""
        if self._viewer.view.has_image:
            state = self._state
            state.pan(-right * state.pane_width * PAN_SHARE, -down * state.pane_height * PAN_SHARE)
            self._viewer.apply()

    def next_photo(self) -> None:
        self._library.step(1)

    def previous_photo(self) -> None:
        self._library.step(-1)

    def next_layout(self) -> None:
        layouts = list(Layout)
        self.set_layout(layouts[(layouts.index(self._state.layout) + 1) % len(layouts)])

    def set_layout(self, layout: Layout) -> None:
        self._state.layout = layout
        self._viewer.apply()

    def toggle_saliency(self) -> None:
        self.set_layer(LayerName.SALIENCY, not self._state.saliency.on)

    def toggle_consistency(self) -> None:
        self.set_layer(LayerName.CONSISTENCY, not self._state.consistency.on)

    def toggle_vessels(self) -> None:
        self.set_layer(LayerName.VESSELS, not self._state.vessels.on)

    def set_layer(self, name: LayerName, on: bool) -> None:
        if self._viewer.view.has_image or not on:
            self._state.layer(name).on = on
            self._viewer.apply()

    def set_opacity(self, name: LayerName, opacity: float) -> None:
        self._state.layer(name).opacity = opacity
        self._viewer.apply()

    def set_colour_map(self, name: str) -> None:
        self._state.colour_map = name
        self._viewer.apply()

    def set_saliency_style(self, style: SaliencyStyle) -> None:
        self._state.saliency_style = style
        self._viewer.apply()

    def tone_colour(self) -> None:
        self.set_tone(Tone.COLOUR)

    def tone_red_free(self) -> None:
        self.set_tone(Tone.RED_FREE)

    def tone_clahe(self) -> None:
        self.set_tone(Tone.CLAHE)

    def set_tone(self, tone: Tone) -> None:
        self._state.tone = tone
        self._viewer.apply()

    def set_scale(self, scale: Scale) -> None:
        self._state.scale = scale
        self._viewer.apply()

    def set_method(self, method: str) -> None:
        old = self._viewer.network
        self._state.method = method
        # The fast network of one method goes with the fast network of the other.
        self._state.model = self._viewer.catalogue.counterpart(method, old)
        scales = self._viewer.method.scales
        if self._state.scale not in scales:
            self._state.scale = scales[0]  # type: ignore[assignment]
        self._viewer.apply()

    def set_network(self, name: str) -> None:
        self._state.model = name
        self._viewer.apply()

    def set_fidelity(self, fidelity: float | None) -> None:
        """0 to 1; None for the network's default."""
        self._state.fidelity = fidelity
        self._viewer.apply()

    def more_detail(self) -> None:
        self._step_fidelity(-FIDELITY_STEP)

    def more_fidelity(self) -> None:
        self._step_fidelity(FIDELITY_STEP)

    def _step_fidelity(self, by: float) -> None:
        shown = self._viewer.making.fidelity
        if shown is not None:
            self.set_fidelity(round(min(max(shown + by, 0.0), 1.0), 2))

    def toggle_back_projection(self) -> None:
        self.set_back_projection(not self._state.back_projection)

    def set_back_projection(self, on: bool) -> None:
        self._state.back_projection = on
        self._viewer.apply()

    def set_smooth(self, on: bool) -> None:
        self._state.smooth = on
        self._viewer.apply()

    def set_overview(self, on: bool) -> None:
        self._state.overview = on
        self._viewer.apply()

    def set_loupe_shown(self, on: bool) -> None:
        self._state.loupe_shown = on
        self._viewer.apply()

    def set_loupe_zoom(self, zoom: float) -> None:
        self._state.loupe_zoom = zoom
        self._viewer.apply()

    def toggle_measure(self) -> None:
        self.set_measuring(not self._state.measuring)

    def set_measuring(self, on: bool) -> None:
        self._state.measuring = on and self._viewer.view.has_image
        self._viewer.apply()

    def hold_layers_hidden(self, held: bool) -> None:
        self._state.holding_layers_hidden = held
        self._viewer.apply()

    def hold_original(self, held: bool) -> None:
        self._state.holding_original = held
        self._viewer.apply()
