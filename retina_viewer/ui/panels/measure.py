"""Inspector: the ruler's length, in pixels of the photograph, and green along it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress
from retina_viewer.ui.canvas.decorations import length_label
from retina_viewer.ui.icons import ICON_SIZE, Icons, import_late
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.panels.profile import Profile, profile_along
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.view.controller import Controller
from retina_viewer.ui.view.view import View
from retina_viewer.ui.widgets.fields import dim_label, panel_column, value_label

if TYPE_CHECKING:
    from retina_viewer.ui.panels.profile_plot import ProfilePlot


class MeasurePanel(QWidget):
    """The ruler."""

    grown = Signal()
    """The plot has been added."""

    def __init__(self, view: View, controller: Controller, jobs: Jobs) -> None:
        super().__init__()
        self._view = view
        self._jobs = jobs
        self._plot: ProfilePlot | None = None
        self._drawn: object = None
        self._reading = value_label()
        self._button = QPushButton("Measure")
        self._button.setToolTip("Draw a line on the photograph (M)")
        self._button.setCheckable(True)
        self._button.toggled.connect(controller.set_measuring)
        self._clear = QPushButton("Clear")
        self._clear.clicked.connect(lambda: view.change(ruler=None))
        row = QHBoxLayout()
        for button in (self._button, self._clear):
            button.setMinimumHeight(HIT_TARGET)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setIconSize(ICON_SIZE)
            row.addWidget(button)
        self._hint = dim_label("Drag on the photograph to measure a straight distance.")
        self._column = panel_column(self)
        self._column.addLayout(row)
        self._column.addWidget(self._reading)
        self._column.addWidget(self._hint)
        view.changed.connect(self._show)
        view.progressed.connect(self._show_profile)
        self._show()

    def use_icons(self, icons: Icons) -> None:
        self._button.setIcon(icons.toggle("ruler"))
        self._clear.setIcon(icons.icon("clear"))

    @property
    def plot(self) -> ProfilePlot | None:
        """None until a profile has been shown."""
        return self._plot

    def _show(self) -> None:
        picture, photo = self._view.picture, self._view.photo
        ruler = picture.ruler
        with QSignalBlocker(self._button):
            self._button.setChecked(picture.measuring)
        self._button.setEnabled(picture.has_image)
        self._clear.setEnabled(ruler is not None)
        self._hint.setVisible(picture.measuring and ruler is None)
        self._reading.setVisible(ruler is not None)
        if ruler is not None:
            um = photo.image.um_per_px if photo else None
            self._reading.setText(length_label(ruler, um))
        self._show_profile()

    def _show_profile(self) -> None:
        """Draw what is known along the ruler; changes with the ruler and with every tile."""
        view, photo = self._view, self._view.photo
        if self._plot is not None:
            self._plot.setVisible(view.state.ruler is not None)
        if photo is None or view.state.ruler is None:
            return
        if self._plot is None:
            self._make_plot()
            return
        facts = (view.state.ruler, photo.key, view.request, view.tiles.cache.version)
        if facts == self._drawn or not self.isVisible():
            return
        self._drawn = facts
        profile = ruler_profile(view)
        if profile is not None:
            learned, um = view.method.learned, photo.image.um_per_px
            self._plot.show_profile(profile, learned=learned, um_per_px=um)

    def _make_plot(self) -> None:
        if self._jobs.is_active("plot"):
            return

        def work(progress: Progress) -> type[ProfilePlot]:
            import_late("pyqtgraph")
            from retina_viewer.ui.panels.profile_plot import ProfilePlot

            return ProfilePlot

        def done(plot: type[ProfilePlot]) -> None:
            self._plot = plot()
            self._column.addWidget(self._plot)
            self._show()
            self.grown.emit()

        self._jobs.submit("plot", work, done, title="plot")


def ruler_profile(view: View) -> Profile | None:
    """Green along the viewer's ruler, of the photograph and of what is computed of the result."""
    photo, ruler, request = view.photo, view.state.ruler, view.request
    if photo is None or ruler is None:
        return None
    if request is None:
        return profile_along(ruler, photo.image.display_rgb)
    made = request

    def tile(rect: Rect) -> NDArray[np.uint8] | None:
        return view.enhancers.finished(made, rect)

    return profile_along(ruler, photo.image.display_rgb, request.scale, tile)
