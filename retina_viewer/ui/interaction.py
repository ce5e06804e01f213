"""What the person does on the panes, turned into changes of the view state."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from retina_viewer.ui.canvas.pane import Pane
from retina_viewer.ui.view.stage import Stage
from retina_viewer.ui.view.state import LayerName
from retina_viewer.ui.view.view import Viewer

OPACITY_STEP = 0.05


class Interaction(QObject):
    """Connects the panes to the viewer."""

    hovered = Signal(float, float)
    """(x, y) under the cursor, in source pixels"""
    left = Signal()

    def __init__(self, viewer: Viewer, stage: Stage) -> None:
        super().__init__(viewer)
        self._viewer = viewer
        self._stage = stage
        self._under: Pane | None = None
        for pane in stage.mains:
            self._connect_main(pane)
        for pane in stage.loupes:
            self._connect_loupe(pane)
        for pane in stage.panes:
            pane.hovered.connect(lambda x, y, pane=pane: self._hovers(pane, x, y))
            pane.left.connect(self.left)
            pane.measured.connect(lambda *ends: viewer.set_ruler(ends))

    def _connect_main(self, pane: Pane) -> None:
        pane.wheeled.connect(self._wheel)
        pane.dragged.connect(self._drag)
        pane.double_clicked.connect(self.fit)
        pane.hovered.connect(self._hover)
        pane.clicked.connect(self._click)
        pane.divider_moved.connect(self._move_divider)
        pane.overview_clicked.connect(self._centre_on)

    def _connect_loupe(self, pane: Pane) -> None:
        pane.wheeled.connect(self._wheel_loupe)
        pane.dragged.connect(self._drag_loupe)
        pane.double_clicked.connect(self.fit)

    @property
    def under_cursor(self) -> tuple[float, float] | None:
        """The source point that lies under the cursor now, moved or not; None over no pane."""
        return self._under.under_cursor if self._under is not None else None

    def _hovers(self, pane: Pane, x: float, y: float) -> None:
        self._under = pane
        self.hovered.emit(x, y)

    def fit(self) -> None:
        self._viewer.state.show_whole()
        self._viewer.apply()

    def change_opacity(self, steps: float) -> None:
        """Of the layers that are on."""
        state = self._viewer.state
        for name in LayerName:
            layer = state.layer(name)
            if layer.on:
                layer.opacity = min(max(layer.opacity + steps * OPACITY_STEP, 0.0), 1.0)
        self._viewer.apply()

    def _wheel(self, notches: float, x: float, y: float, with_ctrl: bool) -> None:
        if with_ctrl:
            self.change_opacity(notches)
            return
        self._viewer.state.zoom_by(notches, x, y)
        self._viewer.apply()

    def _wheel_loupe(self, notches: float, x: float, y: float, with_ctrl: bool) -> None:
        if with_ctrl:
            self.change_opacity(notches)
            return
        state = self._viewer.state
        state.loupe_zoom = min(max(state.loupe_zoom * 1.2**notches, 2.0), 64.0)
        self._viewer.apply()

    def _drag(self, dx: float, dy: float) -> None:
        self._viewer.state.pan(dx, dy)
        self._viewer.apply()

    def _drag_loupe(self, dx: float, dy: float) -> None:
        view, state = self._viewer.view.loupe, self._viewer.state
        self._place_loupe(view.x - dx / view.zoom, view.y - dy / view.zoom)
        state.loupe_locked = True
        self._viewer.apply()

    def _hover(self, x: float, y: float) -> None:
        if not self._viewer.state.loupe_locked:
            self._place_loupe(x, y)
            self._viewer.apply()

    def _click(self, x: float, y: float) -> None:
        """A click holds the loupe there; the next one frees it."""
        state = self._viewer.state
        state.loupe_locked = not state.loupe_locked
        self._place_loupe(x, y)
        self._viewer.apply()

    def _place_loupe(self, x: float, y: float) -> None:
        state = self._viewer.state
        state.loupe_x = min(max(x, 0.0), float(state.image_width))
        state.loupe_y = min(max(y, 0.0), float(state.image_height))

    def _move_divider(self, place: float) -> None:
        self._viewer.state.divider = place
        self._viewer.apply()

    def _centre_on(self, x: float, y: float) -> None:
        self._viewer.state.centre_on(x, y)
        self._viewer.apply()
