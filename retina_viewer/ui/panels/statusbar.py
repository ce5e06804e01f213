"""The row at the bottom: where the cursor is, what is being done, how long it took."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QToolButton, QWidget

from retina_viewer.ui.canvas.scene import LayerName
from retina_viewer.ui.icons import Icons
from retina_viewer.ui.jobs import Job, Jobs
from retina_viewer.ui.library import Library, Status
from retina_viewer.ui.theme import tabular
from retina_viewer.ui.view.controller import Controller
from retina_viewer.ui.view.view import View
from retina_viewer.ui.widgets.layout import bar, row

HEIGHT = 26
DISTANCE_TIP = (
    "From the pixel size that the file states. Nominal: the true size depends on the eye."
)


class StatusBar(QWidget):
    """Position, colour, zoom; the running task with progress, time left and a cancel button."""

    cancel_clicked = Signal()

    def __init__(self, view: View, controller: Controller, jobs: Jobs, library: Library) -> None:
        super().__init__()
        self.setObjectName("statusbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT)
        self._view, self._controller, self._jobs, self._library = view, controller, jobs, library
        self._chosen: object = None
        self.position, self.distance, self.colour = _label(210), _label(), _label(120)
        self.distance.setToolTip(DISTANCE_TIP)
        self.zoom, self.layers = _label(64), _label()
        self.layers.setToolTip("The layers that are on, at this place")
        self.task, self.time = _label(), _label()
        self.bar = bar()
        self.bar.setFixedWidth(120)
        self.cancel = QToolButton()
        self.cancel.setText("Cancel")
        self.cancel.setToolTip("Cancel (Esc)")
        self.cancel.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.cancel.setFixedHeight(HEIGHT - 2)
        self.cancel.clicked.connect(self.cancel_clicked)
        self._row = row(
            self.position, self.distance, self.colour, self.zoom, self.layers, ...,
            self.task, self.bar, self.cancel, self.time, spacing=12, margins=(12, 0, 8, 0),
        )  # fmt: skip
        self.setLayout(self._row)
        for signal in (jobs.started, jobs.progressed, jobs.ended):
            signal.connect(self._show_work)
        view.changed.connect(self._show)
        view.progressed.connect(self._show_work)
        view.tiles.finished.connect(lambda waited: self.time.setText(f"waited {waited:.1f} s"))
        controller.hovered.connect(self._show_place)
        controller.left.connect(self._show_place)
        self._show_work()

    def add_training(self, chip: QWidget) -> None:
        """Show a training beside what is being computed."""
        self._row.insertWidget(self._row.indexOf(self.task), chip)

    def use_icons(self, icons: Icons) -> None:
        self.cancel.setIcon(icons.icon("close"))

    def _show(self) -> None:
        picture = self._view.picture
        chosen = (picture.photo, [result.settings for result in picture.results])
        if chosen != self._chosen:
            # How long something took is not said of something else.
            self._chosen = chosen
            self.time.setText("")
        self.zoom.setText(f"{picture.camera.zoom * 100:.0f} %" if picture.has_image else "")
        distance = distance_text(self._view)
        self.distance.setText(distance)
        self.distance.setVisible(bool(distance))
        self._show_place()
        self._show_work()
        made = [one for one in picture.results if one.wanted and one.learned and one.sharp >= 1]
        photo = self._view.photo
        if made and photo is not None and photo.image.path:
            self._library.mark(photo.image.path, Status.ENHANCED)

    def _show_place(self) -> None:
        """What is under the cursor now; without one, the loupe's place is the one to name."""
        loupe, photo = self._view.picture.loupe, self._view.photo
        x, y = self._controller.under_cursor or (loupe.x, loupe.y)
        rgb = photo.colour_at(x, y) if photo is not None else None
        self.position.setText(f"x {x:.1f}  y {y:.1f} px" if rgb else "")
        self.colour.setText("RGB {} {} {}".format(*rgb) if rgb else "")
        self.layers.setText(layers_text(self._view, x, y) if rgb else "")

    def _show_work(self, job: Job | None = None) -> None:
        if job is not None and job.title and job.seconds and not job.is_cancelled:
            self.time.setText(f"{job.title} {job.seconds:.1f} s")
        titled = [one for one in self._jobs.active if one.title]
        if titled:
            first = titled[0]
            more = f" (+{len(titled) - 1})" if len(titled) > 1 else ""
            text, fraction = f"{first.title}{more}{_time_left(first)}", first.fraction
        else:
            text, fraction = self._sharpening()
        self.task.setText(text)
        self.bar.setValue(round(fraction * 1000))
        for widget in (self.bar, self.cancel):
            widget.setVisible(bool(text))

    def _sharpening(self) -> tuple[str, float]:
        """What is computed of what is on the screen, and how far it is; no text for nothing."""
        view, results = self._view, self._view.picture.results
        sharp = view.sharp
        if sharp < 1 and not view.tiles.is_paused:
            return f"tiles {int(sharp * 100)} %", sharp
        known = [one.uncertainty for one in results if one.uncertainty is not None]
        share = min((one.share for one in known if not one.stopped), default=1.0)
        return (f"uncertainty {int(share * 100)} %", share) if share < 1 else ("", 0.0)


def _label(width: int = 0) -> QLabel:
    label = QLabel()
    label.setFont(tabular(label.font()))
    label.setMinimumWidth(width)
    return label


def _time_left(job: Job) -> str:
    """Shown once there is something to reckon from, and something worth saying."""
    passed = time.monotonic() - job.started_at if job.started_at else 0.0
    if job.fraction < 0.05 or passed < 1.0:
        return ""
    left = passed * (1 - job.fraction) / job.fraction
    if left < 1:
        return ""
    return f", {left / 60:.0f} min left" if left > 90 else f", {left:.0f} s left"


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
