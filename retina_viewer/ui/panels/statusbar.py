"""The row at the bottom: where the cursor is, what is being done, how long it took."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from retina_viewer.ui.canvas.scene import LayerName
from retina_viewer.ui.icons import Icons
from retina_viewer.ui.jobs import Job, Jobs
from retina_viewer.ui.library import Library, Status
from retina_viewer.ui.panels.toolbar import Toolbar
from retina_viewer.ui.theme import tabular
from retina_viewer.ui.view.controller import Controller
from retina_viewer.ui.view.view import View

HEIGHT = 26
DISTANCE_TIP = (
    "From the pixel size that the file states. Nominal: the true size depends on the eye."
)


class StatusBar(QWidget):
    """Position, colour, zoom; the running task with progress, time left and a cancel button."""

    cancel_clicked = Signal()

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self.setObjectName("statusbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT)
        self._jobs = jobs
        self._tiles = ""
        self._tiles_fraction = 0.0
        self.position = self._label(210)
        self.distance = self._label(0)
        self.distance.setToolTip(DISTANCE_TIP)
        self.colour = self._label(120)
        self.zoom = self._label(64)
        self.layers = self._label(0)
        self.layers.setToolTip("The layers that are on, at this place")
        self.task = self._label(0)
        self.time = self._label(0)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setFixedWidth(120)
        self.cancel = QToolButton()
        self.cancel.setText("Cancel")
        self.cancel.setToolTip("Cancel (Esc)")
        self.cancel.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.cancel.setFixedHeight(HEIGHT - 2)
        self.cancel.clicked.connect(self.cancel_clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 8, 0)
        row.setSpacing(12)
        for label in (self.position, self.distance, self.colour, self.zoom, self.layers):
            row.addWidget(label)
        row.addStretch(1)
        for widget in (self.task, self.bar, self.cancel, self.time):
            row.addWidget(widget)
        for signal in (jobs.started, jobs.progressed, jobs.ended):
            signal.connect(self._show_work)
        self._show_work()

    def add_training(self, chip: QWidget) -> None:
        """Show a training beside what is being computed."""
        row = self.layout()
        assert isinstance(row, QHBoxLayout)
        row.insertWidget(row.indexOf(self.task), chip)

    def use_icons(self, icons: Icons) -> None:
        self.cancel.setIcon(icons.icon("close"))

    def _label(self, width: int) -> QLabel:
        label = QLabel()
        label.setFont(tabular(label.font()))
        label.setMinimumWidth(width)
        return label

    def show_cursor(self, x: float, y: float, rgb: tuple[int, int, int] | None) -> None:
        """A place in source pixels and the original's 8-bit sRGB there; None off the picture."""
        self.position.setText(f"x {x:.1f}  y {y:.1f} px" if rgb else "")
        self.colour.setText("RGB {} {} {}".format(*rgb) if rgb else "")

    def show_layers(self, text: str) -> None:
        """What the layers say of the place under the cursor."""
        self.layers.setText(text)

    def show_zoom(self, zoom: float | None) -> None:
        self.zoom.setText("" if zoom is None else f"{zoom * 100:.0f} %")

    def show_distance(self, text: str) -> None:
        """A length on the retina; empty where the photograph has no known pixel size."""
        self.distance.setText(text)
        self.distance.setVisible(bool(text))

    def show_tiles(self, text: str, fraction: float) -> None:
        """The sharpening of what is on the screen; an empty text while there is nothing to do."""
        self._tiles, self._tiles_fraction = text, fraction
        self._show_work()

    def show_time(self, text: str) -> None:
        self.time.setText(text)

    def _show_work(self, job: Job | None = None) -> None:
        if job is not None and job.title and job.seconds and not job.is_cancelled:
            self.time.setText(f"{job.title} {job.seconds:.1f} s")
        titled = [one for one in self._jobs.active if one.title]
        busy = bool(titled) or bool(self._tiles)
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        if titled:
            first = titled[0]
            more = f" (+{len(titled) - 1})" if len(titled) > 1 else ""
            self.task.setText(f"{first.title}{more}{_time_left(first)}")
            self.bar.setValue(round(first.fraction * 1000))
        else:
            self.task.setText(self._tiles)
            self.bar.setValue(round(self._tiles_fraction * 1000))


def _time_left(job: Job) -> str:
    """Shown once there is something to reckon from, and something worth saying."""
    passed = time.monotonic() - job.started_at if job.started_at else 0.0
    if job.fraction < 0.05 or passed < 1.0:
        return ""
    left = passed * (1 - job.fraction) / job.fraction
    if left < 1:
        return ""
    return f", {left / 60:.0f} min left" if left > 90 else f", {left:.0f} s left"


class Readouts(QObject):
    """Keeps toolbar and status bar up to the view, the work and the place under the cursor."""

    def __init__(
        self,
        view: View,
        controller: Controller,
        library: Library,
        toolbar: Toolbar,
        statusbar: StatusBar,
    ) -> None:
        super().__init__(view)
        self._view, self._controller, self._library = view, controller, library
        self._toolbar, self._statusbar = toolbar, statusbar
        self._chosen: object = None
        view.changed.connect(self._show)
        view.progressed.connect(self._show_progress)
        view.tiles.finished.connect(lambda waited: statusbar.show_time(f"waited {waited:.1f} s"))
        controller.hovered.connect(self._show_place)
        controller.left.connect(self._show_place)
        toolbar.show_picture(view.picture)

    def _show(self) -> None:
        picture = self._view.picture
        chosen = (picture.photo, [result.settings for result in picture.results])
        if chosen != self._chosen:
            # How long something took is not said of something else.
            self._chosen = chosen
            self._statusbar.show_time("")
        self._toolbar.show_picture(picture)
        self._statusbar.show_zoom(picture.camera.zoom if picture.has_image else None)
        self._statusbar.show_distance(distance_text(self._view))
        self._show_place()
        self._show_progress()

    def _show_progress(self) -> None:
        view, picture = self._view, self._view.picture
        sharp = picture.sharp
        busy = sharp < 1 and not view.tiles.is_paused
        shares = [
            one.uncertainty.share
            for one in picture.results
            if one.uncertainty is not None and not one.uncertainty.stopped
        ]
        if not busy and shares and min(shares) < 1:
            share = min(shares)
            self._statusbar.show_tiles(f"uncertainty {int(share * 100)} %", share)
        else:
            self._statusbar.show_tiles(f"tiles {int(sharp * 100)} %" if busy else "", sharp)
        made = [one for one in picture.results if one.wanted and one.learned and one.sharp >= 1]
        if made and view.photo is not None and view.photo.image.path:
            self._library.mark(view.photo.image.path, Status.ENHANCED)

    def _show_place(self) -> None:
        """What is under the cursor now; without one, the loupe's place is the one to name."""
        loupe = self._view.picture.loupe
        x, y = self._controller.under_cursor or (loupe.x, loupe.y)
        photo = self._view.photo
        rgb = photo.colour_at(x, y) if photo is not None else None
        self._statusbar.show_cursor(x, y, rgb)
        self._statusbar.show_layers(layers_text(self._view, x, y) if rgb else "")


def layers_text(view: View, x: float, y: float) -> str:
    """What the layers that are on say of a place in the photograph (source pixels)."""
    parts, layers = [], view.layers.current
    place = int(y), int(x)
    if LayerName.SALIENCY in view.picture.layers_on and layers.saliency is not None:
        parts.append(f"saliency {layers.saliency[place]:.2f}")
    sight = view.picture.result.sight
    if sight is not None:
        error = view.uncertainty.value_at(sight, x, y)
        known = "not computed here" if error is None else f"{error:.1f}"
        parts.append(f"expected error {known}")
    return "   ".join(parts)


def distance_text(view: View) -> str:
    """The ruler's length, or else the width of what the first pane shows, in nominal millimetres.

    Empty where the file gives no pixel size. Nominal: the size of a pixel on the retina depends on
    the eye, which the camera has not measured.
    """
    photo, picture = view.photo, view.picture
    um, ruler = photo.image.um_per_px if photo is not None else None, picture.ruler
    if photo is None or um is None:
        return ""
    if ruler is not None:
        length = math.hypot(ruler[2] - ruler[0], ruler[3] - ruler[1])
        return f"ruler {length * um / 1000:.2f} mm nominal"
    shown = picture.cells[0].rect.width * view.data.ratio / picture.camera.zoom
    return f"view {min(shown, photo.bounds.width) * um / 1000:.2f} mm nominal"
