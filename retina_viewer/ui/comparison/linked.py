"""Panes that show one place: wheel, drag and keys move all of them, all mark the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from retina_viewer.core.progress import Progress
from retina_viewer.ui.canvas.pane import EMPTY, Pane
from retina_viewer.ui.canvas.photo import Photo, TonedPhoto
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Camera
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.view.picture import ResolvedView, resolve
from retina_viewer.ui.view.state import WHEEL_FACTOR, Tone, ViewState, shown_zoom
from retina_viewer.ui.view.view import Viewer

FIRST_ZOOM = 3.0
"""Device pixels per source pixel where the photograph was shown smaller: detail is compared."""
PAN_SHARE = 0.1
"""How far an arrow key pans, as a part of the pane."""
KEY_NOTCHES = 2


class LinkedPanes(QObject):
    """One place for several panes of one size. They show nothing before their owner says what.

    Args:
        panes: all that may be shown; those that are not are hidden.
        key: begins the names of the background jobs.
    """

    moved = Signal()
    """Another place, zoom or size, or the photograph is ready: the scenes must follow."""

    def __init__(self, panes: Sequence[Pane], jobs: Jobs, key: str, parent: QObject) -> None:
        super().__init__(parent)
        self.panes = tuple(panes)
        self.state = ViewState()
        self.photo: Photo | None = None
        self.original: Pyramid | None = None
        """What is drawn of it; None until it is ready."""
        self._jobs, self._key = jobs, key
        self._pointer: tuple[float, float] | None = None
        self._under: Pane | None = None
        for pane in self.panes:
            self._connect(pane)

    def _connect(self, pane: Pane) -> None:
        pane.wheeled.connect(self._wheel)
        pane.dragged.connect(self._drag)
        pane.double_clicked.connect(self.show_whole)
        pane.overview_clicked.connect(self._centre_on)
        pane.resized.connect(lambda: self._resized(pane))
        pane.hovered.connect(lambda x, y: self._point(pane, (x, y)))
        pane.left.connect(lambda: self._point(None, None))

    @property
    def view(self) -> ResolvedView:
        return resolve(self.state)

    @property
    def camera(self) -> Camera:
        return self.view.main

    @property
    def size(self) -> tuple[float, float]:
        """Of a shown pane, in device pixels."""
        return self.state.pane_width, self.state.pane_height

    def pointer_in(self, pane: Pane) -> tuple[float, float] | None:
        """Where to mark the cursor (source pixels): in all panes but the one under it."""
        return None if pane is self._under else self._pointer

    def mark_pointer(self) -> None:
        """Mark the cursor in scenes that were made without it."""
        for pane in self.panes:
            pane.show_scene(replace(pane.scene, pointer=self.pointer_in(pane)))

    # The photograph

    def show_photo(self, photo: Photo | None) -> None:
        """Show another photograph, whole; its pixels come when they are ready."""
        self.photo = photo
        self._jobs.cancel(self._tone_key)
        self.original = None
        for pane in self.panes:
            pane.show_scene(EMPTY)
        if photo is None:
            return
        self.state.set_image(photo.bounds.width, photo.bounds.height)
        ready = photo.toned_if_ready(Tone.COLOUR)
        if ready is not None:
            self.original = ready.pyramid
            return

        def work(progress: Progress) -> TonedPhoto:
            return photo.toned(Tone.COLOUR)

        def done(toned: TonedPhoto) -> None:
            self.original = toned.pyramid
            self.moved.emit()

        self._jobs.submit(self._tone_key, work, done, lane=Lane.FILES)

    def begin_as(self, viewer: Viewer) -> None:
        """Look where the loupe of the window does, if that shows the same photograph."""
        view = viewer.view
        if self.photo is None or view.image != self.photo.bounds:
            return
        self.state.centre_on(view.loupe.x, view.loupe.y)
        ratio = self.panes[0].devicePixelRatioF()
        self.state.zoom_at_centre(max(view.main.zoom, FIRST_ZOOM * ratio))

    def end(self) -> None:
        """Wait for nothing any more."""
        self._jobs.cancel(self._tone_key)

    @property
    def _tone_key(self) -> str:
        return f"{self._key} tone"

    # The place

    def show_whole(self) -> None:
        self.state.show_whole()
        self.moved.emit()

    def one_to_one(self) -> None:
        self.state.zoom_at_centre(1.0)
        self.moved.emit()

    def zoom(self, direction: int) -> None:
        """In (1) or out (-1), at the middle."""
        step = WHEEL_FACTOR ** (KEY_NOTCHES * direction)
        self.state.zoom_at_centre(shown_zoom(self.state) * step)
        self.moved.emit()

    def pan(self, right: int, down: int) -> None:
        """Look further right or down (or left or up, where negative)."""
        state = self.state
        self._drag(-right * state.pane_width * PAN_SHARE, -down * state.pane_height * PAN_SHARE)

    def _wheel(self, notches: float, x: float, y: float, with_ctrl: bool) -> None:
        self.state.zoom_by(notches, x, y)
        self.moved.emit()

    def _drag(self, dx: float, dy: float) -> None:
        self.state.pan(dx, dy)
        self.moved.emit()

    def _centre_on(self, x: float, y: float) -> None:
        self.state.centre_on(x, y)
        self.moved.emit()

    def _resized(self, pane: Pane) -> None:
        if pane.isHidden():
            return  # of those that are shown, all have the same size
        ratio = pane.devicePixelRatioF()
        size = max(1.0, pane.width() * ratio), max(1.0, pane.height() * ratio)
        if size != self.size:
            self.state.pane_width, self.state.pane_height = size
            self.moved.emit()

    def _point(self, pane: Pane | None, place: tuple[float, float] | None) -> None:
        self._under, self._pointer = pane, place
        self.mark_pointer()
