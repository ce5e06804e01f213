"""Learning curves: every loss term and every validation metric of a training, as small multiples.

Importing this module imports pyqtgraph, which takes most of a second.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGridLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from retina_viewer.core.errors import UserError
from retina_viewer.ui.app import make_application
from retina_viewer.ui.learning_history import Curve, LearningHistory, read_history, smoothed
from retina_viewer.ui.theme import Tokens, apply_theme
from retina_viewer.ui.widgets.fields import dim_label

COLUMNS = 5
_PLOT_HEIGHT = 172
_AXIS_WIDTH, _AXIS_HEIGHT = 54, 24
_CUT = 0.02
"""Share of losses above the plot: a few spikes would flatten all else."""
_LEAST_RANGE = 0.002
_NOTE = (
    "Losses: thin, the mean of 50 steps; strong, the trend. Validation: photographs that are not "
    "trained on, every metric drawn so that up is better; ringed, the weights that were kept. "
    "Every plot has a scale of its own."
)

_STEP_TICKS = 2
"""Steps of a tick below a plot: more of them, with thousands, would touch."""

pg.setConfigOptions(antialias=True)


class CurvePlot(QFrame):
    """One quantity: as it was measured, thin; of losses also the trend, strong."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setMinimumSize(180, _PLOT_HEIGHT)
        # Words beside the plot, not in it: a title of pyqtgraph's widens what it does not fit into.
        self._title, self._reading = QLabel(), dim_label()
        self._title.setWordWrap(True)
        self.chart = pg.PlotWidget()
        self.chart.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.chart.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 4, 4)
        column.setSpacing(1)
        column.addWidget(self._title)
        column.addWidget(self._reading)
        column.addWidget(self.chart, stretch=1)
        plot = self.plot = self.chart.getPlotItem()
        plot.setMouseEnabled(x=False, y=False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.layout.setContentsMargins(0, 4, 18, 0)  # the outermost figures are not cut
        plot.showGrid(x=False, y=True, alpha=0.18)
        # Axes that fit themselves to their figures can go on doing so for ever, the window
        # standing still meanwhile: https://github.com/pyqtgraph/pyqtgraph/issues/3135
        plot.getAxis("left").setWidth(_AXIS_WIDTH)
        plot.getAxis("bottom").setHeight(_AXIS_HEIGHT)
        for side in ("left", "bottom"):
            plot.getAxis(side).enableAutoSIPrefix(False)
        plot.getAxis("bottom").setStyle(maxTickLevel=0, hideOverlappingLabels=False)
        self._curve: Curve | None = None
        self._measured = plot.plot()
        self._trend = plot.plot()
        self._kept = pg.ScatterPlotItem(size=9)
        plot.addItem(self._kept)
        self.use_tokens(tokens)

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of a theme."""
        self._tokens = tokens
        self.chart.setBackground(tokens.panel)
        for side in ("left", "bottom"):
            axis = self.plot.getAxis(side)
            axis.setPen(tokens.border)
            axis.setTextPen(tokens.dim)
        self._trend.setPen(pg.mkPen(tokens.accent, width=2.0))
        self._kept.setPen(pg.mkPen(tokens.text, width=1.6))
        self._kept.setBrush(pg.mkBrush(tokens.panel))
        if self._curve is not None:
            self.show_curve(self._curve)

    def show_curve(self, curve: Curve) -> None:
        """Draw it; also when it has grown."""
        self._curve, tokens = curve, self._tokens
        self.setAccessibleName(f"{curve.title}, {curve.reading}")
        self._title.setText(curve.title)
        self._reading.setText(curve.reading)
        pen = (tokens.dim, 0.8) if curve.is_loss else (tokens.accent, 2.0)
        self._measured.setPen(pg.mkPen(pen[0], width=pen[1]))
        self._measured.setData(curve.steps, curve.values)
        if curve.is_loss:
            self._trend.setData(curve.steps, smoothed(curve.values))
        if curve.kept is not None:
            self._kept.setData([curve.kept[0]], [curve.kept[1]])
        last = max(float(curve.steps[-1]), 1.0)
        self.plot.setXRange(0, last, padding=0.06)
        self.plot.getAxis("bottom").setTicks([round_ticks(0, last, _STEP_TICKS)])
        self.plot.invertY(curve.falls)
        low, high = value_range(curve)
        self.plot.setYRange(low, high, padding=0.1)
        self.plot.getAxis("left").setTicks([round_ticks(low, high)])


def value_range(curve: Curve) -> tuple[float, float]:
    """What the plot shows: all of a metric; of a loss all but its few highest values.

    At least 0.2 % of the value (0.1 dB of a PSNR), so that what hardly changes looks level.
    """
    low, high = float(curve.values.min()), float(curve.values.max())
    if curve.is_loss:
        high = float(np.quantile(curve.values, 1 - _CUT))
    least = max(_LEAST_RANGE * max(abs(low), abs(high)), 1e-6)
    missing = max(least - (high - low), 0.0)
    return low - missing / 2, high + missing / 2


def round_ticks(low: float, high: float, parts: int = 5) -> list[tuple[float, str]]:
    """Round values from ``low`` to ``high``, at most ``parts`` steps apart (more where only one
    would be left), with as many decimals as they need: ``12,000``, ``0.125``."""
    rough = (high - low) / parts
    power = math.floor(math.log10(rough))
    step = next(m * 10.0**power for m in (1, 2, 5, 10) if m * 10.0**power >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last <= first:
        return round_ticks(low, high, parts + 1)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [(number * step, f"{number * step:,.{decimals}f}") for number in range(first, last + 1)]


class LearningCurves(QWidget):
    """All curves of a training, stage by stage; it may be shown again while they grow.

    Args:
        columns: plots beside each other; each needs 180 px.
    """

    def __init__(
        self, tokens: Tokens, parent: QWidget | None = None, *, columns: int = COLUMNS
    ) -> None:
        super().__init__(parent)
        self._columns = columns
        self.setObjectName("window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._tokens = tokens
        self._plots: dict[tuple[int, str], CurvePlot] = {}
        self._headings: list[QLabel] = []
        self._grids: list[QGridLayout] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(16, 12, 16, 12)
        self._layout.setSpacing(8)
        note = QLabel(_NOTE)
        note.setProperty("role", "dim")
        note.setWordWrap(True)
        self._layout.addWidget(note)

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of a theme."""
        self._tokens = tokens
        for plot in self._plots.values():
            plot.use_tokens(tokens)

    def show_history(self, history: LearningHistory) -> None:
        """Draw everything in it; plots that are there already are drawn on."""
        for stage in range(len(history.stages)):
            if stage == len(self._grids):
                self._begin_stage()
            self._headings[stage].setText(history.title(stage))
            for curve in history.curves(stage):
                plot = self._plots.get((stage, curve.name)) or self._place(stage, curve.name)
                plot.show_curve(curve)

    def plot_of(self, stage: int, name: str) -> CurvePlot:
        """The plot of one quantity in one stage; KeyError where there is none."""
        return self._plots[stage, name]

    @property
    def wanted_height(self) -> int:
        """Logical pixels in which every plot has its least height, or a little more."""
        rows = sum(-(-grid.count() // self._columns) for grid in self._grids)
        return 80 + 46 * len(self._grids) + rows * (_PLOT_HEIGHT + 8)

    def _begin_stage(self) -> None:
        heading, grid = QLabel(), QGridLayout()
        heading.setProperty("role", "heading")
        grid.setSpacing(8)
        for column in range(self._columns):
            grid.setColumnStretch(column, 1)
        self._layout.addWidget(heading)
        self._layout.addLayout(grid, stretch=1)
        self._headings.append(heading)
        self._grids.append(grid)

    def _place(self, stage: int, name: str) -> CurvePlot:
        plot = self._plots[stage, name] = CurvePlot(self._tokens)
        grid = self._grids[stage]
        grid.addWidget(plot, *divmod(grid.count(), self._columns))
        return plot


def render_curves(
    run: Path, png: Path, *, theme: str = "dark", width: int = 1360, pixel_ratio: float = 1.0
) -> None:
    """Draw the curves of a training into a picture, without a display.

    Args:
        run: a training's folder, or its ``history.json``.
        png: the picture to write; replaced if it exists.
        theme: ``dark`` or ``light``.
        width: in logical pixels; the height follows from the number of curves.
        pixel_ratio: device pixels per logical pixel; only the first window of a process sets it.

    Raises:
        UserError: there is no history, or the picture cannot be written.
    """
    history = read_history(run)
    if not any(history.stages):
        raise UserError("The training has not written anything down yet.", "Let it run a while.")
    if QApplication.instance() is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        os.environ["QT_SCALE_FACTOR"] = str(pixel_ratio)
    curves = LearningCurves(apply_theme(make_application(), theme))
    try:
        curves.show_history(history)
        curves.resize(width, curves.wanted_height)
        curves.show()
        QApplication.processEvents()
        if not curves.grab().save(str(png), "PNG"):
            raise UserError(f"{png.name} could not be written.", "Choose another folder.")
    finally:
        curves.close()
        curves.deleteLater()
