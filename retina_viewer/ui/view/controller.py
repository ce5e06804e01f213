"""What the person does with keys, buttons and on the panes: changes of the state, then apply()."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from retina_viewer.ui.canvas.pane import Pane
from retina_viewer.ui.canvas.scene import Camera, LayerName, Point, Tone
from retina_viewer.ui.view.arrange import Arrangement, Divider, automatic, dragged
from retina_viewer.ui.view.data import zoom_limits
from retina_viewer.ui.view.stage import Stage
from retina_viewer.ui.view.state import WHEEL_FACTOR
from retina_viewer.ui.view.view import View

PAN_SHARE = 0.1
"""How far an arrow key pans, as a part of the pane."""
KEY_NOTCHES = 2
FIDELITY_STEP = 0.05
OPACITY_STEP = 0.05
LOUPE_ZOOMS = (2.0, 64.0)


class Controller(QObject):
    """Its methods are the commands of :data:`retina_viewer.ui.keys.KEYS` that concern the view."""

    hovered = Signal(float, float)
    """(x, y) under the cursor, in source pixels"""
    left = Signal()

    def __init__(self, view: View, stage: Stage) -> None:
        super().__init__(view)
        self._view, self._state, self._stage = view, view.state, stage
        self._under: Pane | None = None
        for place, pane in enumerate(stage.mains):
            self._connect_main(place, pane)
        for pane in stage.loupes:
            pane.wheeled.connect(self._wheel_loupe)
            pane.dragged.connect(self._drag_loupe)
        for pane in stage.panes:
            pane.double_clicked.connect(self.fit)
            pane.hovered.connect(lambda x, y, pane=pane: self._hovers(pane, x, y))
            pane.left.connect(self._leaves)
            pane.measured.connect(lambda *ends: view.change(ruler=ends))
        stage.divider_moved.connect(self._move_cells)
        stage.divider_reset.connect(self._reset_cells)

    def _connect_main(self, place: int, pane: Pane) -> None:
        pane.wheeled.connect(lambda *how: self._wheel(pane, *how))
        pane.dragged.connect(self._drag)
        pane.hovered.connect(lambda x, y: self._hover(place, x, y))
        pane.clicked.connect(lambda x, y: self._click(place, x, y))
        pane.divider_moved.connect(lambda place: self._view.change(divider=place))
        pane.overview_clicked.connect(self._centre_on)

    # Where one looks

    def fit(self) -> None:
        self._view.change(camera=None)

    def one_to_one(self) -> None:
        self.zoom_to(1.0)

    def zoom_in(self) -> None:
        self.zoom_to(self._view.picture.camera.zoom * WHEEL_FACTOR**KEY_NOTCHES)

    def zoom_out(self) -> None:
        self.zoom_to(self._view.picture.camera.zoom / WHEEL_FACTOR**KEY_NOTCHES)

    def zoom_to(self, zoom: float) -> None:
        """Device pixels per source pixel, at the middle."""
        self._look(self._zoomed(zoom, 0.0, 0.0, (0.0, 0.0)))

    def _zoomed(self, zoom: float, x: float, y: float, size: Point) -> Camera:
        low, high = zoom_limits(self._view.data)
        return self._view.picture.camera.zoomed(min(max(zoom, low), high), x, y, size)

    def _look(self, camera: Camera) -> None:
        if self._view.picture.has_image:
            self._view.change(camera=camera.kept_in(self._view.picture.image))

    def pan(self, right: int, down: int) -> None:
        """Look further right or down (or left or up, where negative)."""
        cells = self._view.picture.cells
        rect, ratio = cells[0].rect, self._view.data.ratio
        self._drag(-right * rect.width * ratio * PAN_SHARE, -down * rect.height * ratio * PAN_SHARE)

    def _wheel(self, pane: Pane, notches: float, x: float, y: float, with_ctrl: bool) -> None:
        if with_ctrl:
            self.change_opacity(notches)
            return
        size = pane.device_size
        zoom = self._view.picture.camera.zoom * WHEEL_FACTOR**notches
        camera = self._zoomed(zoom, x, y, size)
        self._look(camera)
        if pane.device_size != size:  # the loupe has gone or come: the point stays at the cursor
            at, now = camera.source(x, y, size), camera.source(x, y, pane.device_size)
            self._look(replace(camera, x=camera.x + at[0] - now[0], y=camera.y + at[1] - now[1]))

    def _drag(self, dx: float, dy: float) -> None:
        self._look(self._view.picture.camera.panned(dx, dy))

    def _centre_on(self, x: float, y: float) -> None:
        self._look(Camera(x, y, self._view.picture.camera.zoom))

    # The cursor and the loupe

    @property
    def under_cursor(self) -> Point | None:
        """The source point that lies under the cursor now, moved or not; None over no pane."""
        return self._under.under_cursor if self._under is not None else None

    def _hovers(self, pane: Pane, x: float, y: float) -> None:
        self._under = pane
        self.hovered.emit(x, y)

    def _leaves(self) -> None:
        self._view.change(pointer=None)
        self.left.emit()

    def _hover(self, place: int, x: float, y: float) -> None:
        self._state.pointer = place, (x, y)
        if not self._state.loupe_locked:
            self._place_loupe(x, y)
        self._view.apply()

    def _click(self, place: int, x: float, y: float) -> None:
        """A click holds the loupe there; the next one frees it. Of several results, the one that is
        clicked is the one that the panels' choices are for."""
        self._state.loupe_locked = not self._state.loupe_locked
        self._place_loupe(x, y)
        if 1 <= place <= len(self._state.results):
            self._state.active = place - 1
        self._view.apply()

    def _place_loupe(self, x: float, y: float) -> None:
        kept = Camera(x, y, 1.0).kept_in(self._view.picture.image)
        self._state.loupe_at = kept.x, kept.y

    def _wheel_loupe(self, notches: float, x: float, y: float, with_ctrl: bool) -> None:
        if with_ctrl:
            self.change_opacity(notches)
            return
        low, high = LOUPE_ZOOMS
        zoom = self._state.loupe_zoom * WHEEL_FACTOR**notches
        self._view.change(loupe_zoom=min(max(zoom, low), high))

    def _drag_loupe(self, dx: float, dy: float) -> None:
        moved = self._view.picture.loupe.panned(dx, dy)
        self._place_loupe(moved.x, moved.y)
        self._state.loupe_locked = True
        self._view.apply()

    # The arrangement

    def _move_cells(self, divider: Divider, x: float, y: float) -> None:
        places = self._view.picture.places
        self._view.change(shares=dragged(places, self._state.shares, divider, x, y))

    def _reset_cells(self, divider: Divider) -> None:
        self._view.change(shares=automatic(self._state.shares, divider))

    def next_arrangement(self) -> None:
        """All panes beside each other, or the slider."""
        is_slider = self._state.arrangement is Arrangement.SLIDER
        wish = Arrangement.AUTO if is_slider else Arrangement.SLIDER
        self._view.change(arrangement=wish)

    # The layers

    def toggle_saliency(self) -> None:
        self.set_layer(LayerName.SALIENCY, not self._state.saliency.on)

    def toggle_uncertainty(self) -> None:
        self.set_layer(LayerName.UNCERTAINTY, not self._state.uncertainty.on)

    def toggle_vessels(self) -> None:
        self.set_layer(LayerName.VESSELS, not self._state.vessels.on)

    def set_layer(self, name: LayerName, on: bool) -> None:
        if self._view.picture.has_image or not on:
            self._state.layer(name).on = on
            self._view.apply()

    def set_opacity(self, name: LayerName, opacity: float) -> None:
        self._state.layer(name).opacity = opacity
        self._view.apply()

    def change_opacity(self, steps: float) -> None:
        """Of the layers that are on."""
        for name in self._view.picture.layers_on:
            layer = self._state.layer(name)
            layer.opacity = min(max(layer.opacity + steps * OPACITY_STEP, 0.0), 1.0)
        self._view.apply()

    # How the picture is shown

    def tone_colour(self) -> None:
        self._view.change(tone=Tone.COLOUR)

    def tone_red_free(self) -> None:
        self._view.change(tone=Tone.RED_FREE)

    def tone_clahe(self) -> None:
        self._view.change(tone=Tone.CLAHE)

    def toggle_measure(self) -> None:
        self.set_measuring(not self._state.measuring)

    def set_measuring(self, on: bool) -> None:
        self._view.change(measuring=on and self._view.picture.has_image)

    # What makes the active result

    def set_method(self, method: str) -> None:
        catalogue, old = self._view.catalogue, self._view.network
        # The fast network of one method goes with the fast network of the other.
        self._state.choose(method=method, model=catalogue.counterpart(method, old), title="")
        scales = catalogue.method(method).scales
        if self._state.scale not in scales:
            self._state.scale = scales[0]  # type: ignore[assignment]
        self._view.apply()

    def set_fidelity(self, fidelity: float | None) -> None:
        """0 to 1; None for the network's default."""
        self.choose(fidelity=fidelity)

    def more_detail(self) -> None:
        self._step_fidelity(-FIDELITY_STEP)

    def more_fidelity(self) -> None:
        self._step_fidelity(FIDELITY_STEP)

    def _step_fidelity(self, by: float) -> None:
        shown = self._view.settings.fidelity
        if shown is not None:
            self.set_fidelity(round(min(max(shown + by, 0.0), 1.0), 2))

    def toggle_back_projection(self) -> None:
        self.choose(back_projection=not self._state.result.back_projection)

    def choose(self, **changes: object) -> None:
        """Change how the active result is made."""
        self._state.choose(**changes)
        self._view.apply()
