"""The plot of a profile. Importing this module imports pyqtgraph, which takes most of a second."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from retina_viewer.ui.panels.profile import Profile
from retina_viewer.ui.theme import DARK

HEIGHT = 220
ORIGINAL, AI, INTERPOLATED = "original", "AI", "interpolated"

pg.setConfigOptions(imageAxisOrder="row-major", antialias=True)


class ProfilePlot(pg.PlotWidget):  # type: ignore[misc]
    """Green along the ruler: the original in white, what a network made in amber.

    On the dark ground of the canvas in every theme: amber is not seen on white.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=DARK.canvas)
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Green along the ruler")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        plot = self.plot = self.getPlotItem()
        plot.setMouseEnabled(x=False, y=False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.layout.setContentsMargins(2, 4, 10, 2)  # the outermost figures are not cut
        plot.setYRange(0, 255, padding=0)
        plot.showGrid(x=False, y=True, alpha=0.15)
        for side in ("left", "bottom", "top"):
            axis = plot.getAxis(side)
            axis.setPen(DARK.border)
            axis.setTextPen(DARK.text)
            axis.enableAutoSIPrefix(False)
        plot.setLabel("left", "green, 0 to 255")
        plot.setLabel("bottom", "distance (px)")
        plot.getAxis("left").setTickSpacing(100, 50)
        # Along the lower rim, where a retina's green seldom is.
        self._legend = plot.addLegend(
            offset=(4, -2), colCount=2, labelTextColor=DARK.text, brush=QColor(16, 16, 16, 160)
        )
        self.original = plot.plot(pen=pg.mkPen(DARK.text, width=1.0), connect="finite")
        self.result = plot.plot(connect="finite")
        self.original.setZValue(1)  # thin over thick: both are seen where they agree

    def show_profile(self, profile: Profile, *, learned: bool, um_per_px: float | None) -> None:
        """Draw it.

        Args:
            profile: what to draw.
            learned: whether a network made the result.
            um_per_px: micrometres per source pixel, where known.
        """
        end = float(profile.distance[-1])
        self.plot.setXRange(0, max(end, 1e-3), padding=0)
        self.original.setData(profile.distance, profile.original)
        shown = profile.result is not None
        self.result.setVisible(shown)
        if profile.result is not None:
            colour = DARK.amber if learned else DARK.dim
            self.result.setPen(pg.mkPen(colour, width=2.4))
            self.result.setData(profile.distance, profile.result)
        self._legend.clear()
        self._legend.addItem(self.original, ORIGINAL)
        if shown:
            self._legend.addItem(self.result, AI if learned else INTERPOLATED)
        self._show_micrometres(um_per_px)

    def _show_micrometres(self, um_per_px: float | None) -> None:
        self.plot.showAxis("top", um_per_px is not None)
        if um_per_px is not None:
            axis = self.plot.getAxis("top")
            axis.setScale(um_per_px)
            axis.setLabel("distance (µm, nominal)")
