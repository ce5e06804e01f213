"""One comparison: what is compared, on which photograph, where, against what; and the work on it.

The dialog shows it and passes on what the person does.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from retina_viewer.core.geometry import Rect
from retina_viewer.superres.enhance_settings import Scale
from retina_viewer.ui.canvas.pane import Pane
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.canvas.tile_requests import is_worthwhile, scale_for
from retina_viewer.ui.comparison.choice import Choice
from retina_viewer.ui.comparison.enlarging import Enlarging, Look
from retina_viewer.ui.comparison.exporting import Part, Request
from retina_viewer.ui.comparison.linked import LinkedPanes
from retina_viewer.ui.comparison.measuring import Measuring
from retina_viewer.ui.comparison.reference import Reference
from retina_viewer.ui.comparison.reference_choice import ReferenceChoice
from retina_viewer.ui.comparison.truth import truth_scene
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.view import Viewer

KEY = "methods"
OVERVIEW_ROOM = 240
"""Logical pixels: in a lower pane the overview would hide what is compared."""
REST_MS = 300
"""Figures wait until the eye rests."""


class Comparison(QObject):
    """See the module. Lives in the GUI thread.

    Args:
        panes: as many as methods can be compared.
        viewer: of the window: its photograph, place and settings.
    """

    changed = Signal()
    """What is shown, or what is known of it."""
    failed = Signal(object)
    """(Exception)"""

    def __init__(
        self, panes: Sequence[Pane], viewer: Viewer, services: Services, jobs: Jobs, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._opened: Photo | None = None
        self._truth_held = False
        shelf = viewer.tiles.shelf
        self.choice = Choice(viewer.catalogue, viewer.state, viewer.device, viewer.state.scale)
        self.linked = LinkedPanes(panes, jobs, KEY, self)
        self.reference = ReferenceChoice(services, jobs, f"{KEY} reference", self)
        self.measuring = Measuring(services, jobs, shelf, f"{KEY} figures", self)
        self.enlargings = [
            Enlarging(pane, services, jobs, shelf, f"{KEY} pane {number}", self)
            for number, pane in enumerate(panes)
        ]
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._shown_contenders = self.choice.contenders
        self._connect()
        self.show_photo(viewer.photo)

    def _connect(self) -> None:
        self.linked.moved.connect(self.refresh)
        self.reference.changed.connect(self._reference_changed)
        self.reference.failed.connect(self.failed)
        self.measuring.changed.connect(self.changed)
        self._rest.timeout.connect(self._measure)
        for enlarging in self.enlargings:
            enlarging.changed.connect(self.refresh)
            enlarging.failed.connect(self.failed)
        self._viewer.photo_changed.connect(self.show_photo)
        self._viewer.changed.connect(self._window_changed)

    # What there is

    @property
    def photo(self) -> Photo | None:
        """What is enlarged: the open photograph or its shrunk copy."""
        return self.linked.photo

    @property
    def truth(self) -> Reference | None:
        """What the results are measured against, where there is something."""
        reference = self.reference.at(self.choice.scale)
        return reference if reference is not None and reference.photo is self.photo else None

    @property
    def region(self) -> Rect:
        """What the panes show, in source pixels."""
        bounds = Rect(0, 0, 0, 0) if self.photo is None else self.photo.bounds
        return self.linked.camera.visible(*self.linked.size, bounds)

    @property
    def is_enlarged(self) -> bool:
        """Whether the panes show results, and not that one should zoom in."""
        photo = self.photo
        return photo is not None and is_worthwhile(self.linked.camera, photo.bounds)

    def request(self) -> Request | None:
        """What an export would write; None where nothing is enlarged."""
        photo, opened = self.photo, self._opened
        if photo is None or opened is None or not self.is_enlarged:
            return None
        region, truth = self.region, self.truth
        contenders = self.choice.contenders
        parts = [Part(one, self.measuring.figures(truth, one.making, region)) for one in contenders]
        scale = scale_for(self.linked.camera, self.choice.scale)
        return Request(opened.image, photo, region, scale, parts, truth)

    # What the person wants

    def show_photo(self, photo: Photo | None) -> None:
        """The window shows another photograph."""
        photo = self._viewer.photo_to_enlarge
        self._opened = photo
        self.linked.show_photo(None)
        self.reference.set_photo(photo)
        self.linked.begin_as(self._viewer)
        self.refresh()

    def set_scale(self, scale: Scale) -> None:
        self.choice.scale = scale
        self.reference.set_scale(scale)
        self._follow_reference()
        self.refresh()

    def toggle(self, method: str) -> None:
        self.choice.toggle(method)
        self.refresh()

    def rotate(self) -> None:
        self.choice.rotate()
        self.refresh()

    def hold_truth(self, held: bool) -> None:
        """Show the reference or the original in every pane, as long as a key is held."""
        self._truth_held = held
        self.refresh()

    def retry(self) -> None:
        """Try again what has failed."""
        for enlarging in self.enlargings:
            enlarging.retry()
        self.measuring.retry()
        self.refresh()

    def end(self) -> None:
        """Compute nothing any more."""
        self._rest.stop()
        self.linked.end()
        self.reference.end()
        self.measuring.end()
        for enlarging in self.enlargings:
            enlarging.end()

    # Bringing the panes up to it

    def refresh(self) -> None:
        """Bring scenes and work up to what is wanted."""
        contenders = self._shown_contenders = self.choice.contenders
        photo = self.photo
        for place, enlarging in enumerate(self.enlargings):
            if photo is None or place >= len(contenders):
                enlarging.end()
                continue
            look = self._look(enlarging.pane)
            enlarging.show(photo, contenders[place], look)
            if self._truth_held:
                enlarging.pane.show_scene(truth_scene(photo, self.truth, look))
        self._rest.start()
        self.changed.emit()

    def _look(self, pane: Pane) -> Look:
        linked, view = self.linked, self.linked.view
        first = next((one for one in linked.panes if not one.isHidden()), None)
        overview = pane is first and not view.whole and pane.height() >= OVERVIEW_ROOM
        return Look(view.main, linked.original, linked.size, overview, linked.pointer_in(pane))

    def _measure(self) -> None:
        """Once all panes are finished: the figures must not keep the pictures waiting."""
        contenders = self.choice.contenders
        if all(one.is_finished for one in self.enlargings[: len(contenders)]):
            self.measuring.show(self.truth, [one.making for one in contenders], self.region)

    def _reference_changed(self) -> None:
        self._follow_reference()
        self.refresh()

    def _follow_reference(self) -> None:
        """Enlarge what the reference is for, at the same place of the scene."""
        reference, opened = self.reference.at(self.choice.scale), self._opened
        photo = opened if reference is None else reference.photo
        old, view = self.linked.photo, self.linked.view
        if photo is old:
            return
        self.linked.show_photo(photo)
        if old is not None and photo is not None and not view.fit:
            factor = photo.bounds.width / old.bounds.width
            self.linked.state.centre_on(view.main.x * factor, view.main.y * factor)
            self.linked.state.zoom_at_centre(view.main.zoom / factor)

    def _window_changed(self) -> None:
        if self._viewer.catalogue is not self.choice.catalogue:
            self.choice.offer(self._viewer.catalogue)
        self.choice.device = self._viewer.device
        if self.choice.contenders != self._shown_contenders:
            self.refresh()
