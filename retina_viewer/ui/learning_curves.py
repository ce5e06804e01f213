"""Learning curves: every loss term and every validation metric of a training, as small multiples.

Importing this module imports pyqtgraph, which takes most of a second.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from retina_viewer.core.errors import UserError
from retina_viewer.ui.learning_history import Curve, LearningHistory, read_history, smoothed
from retina_viewer.ui.theme import Tokens

COLUMNS = 3
_PLOT_HEIGHT = 168
_AXIS_WIDTH = 58
_BOTTOM = 0.02
"""Share of losses above the plot: the first steps would flatten all that comes after them."""

pg.setConfigOptions(antialias=True)


class StepAxis(pg.AxisItem):  # type: ignore[misc]
    """Steps as people write them: 12,000."""

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: N802
        return [f"{value:,.0f}" for value in values]


class CurvePlot(pg.PlotWidget):  # type: ignore[misc]
    """One quantity: as it was measured, thin; of losses also the trend, strong."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        axes = {"bottom": StepAxis(orientation="bottom")}
        super().__init__(parent, background=tokens.panel, axisItems=axes)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(_PLOT_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._tokens = tokens
        plot = self.plot = self.getPlotItem()
        plot.setMouseEnabled(x=False, y=False)
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.layout.setContentsMargins(2, 2, 14, 2)  # the outermost figures are not cut
        plot.showGrid(x=False, y=True, alpha=0.18)
        plot.getAxis("left").setWidth(_AXIS_WIDTH)
        self._measured = plot.plot(connect="finite")
        self._trend = plot.plot(connect="finite")
        self._kept = pg.ScatterPlotItem()
        plot.addItem(self._kept)
        self._borders: list[pg.InfiniteLine] = []
        self.use_tokens(tokens)

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of a theme."""
        self._tokens = tokens
        self.setBackground(tokens.panel)
        for side in ("left", "bottom"):
            axis = self.plot.getAxis(side)
            axis.setPen(tokens.border)
            axis.setTextPen(tokens.dim)
            axis.enableAutoSIPrefix(False)
        self._trend.setPen(pg.mkPen(tokens.accent, width=2.2))
        self._kept.setPen(pg.mkPen(tokens.text, width=1.6))
        self._kept.setBrush(pg.mkBrush(tokens.panel))
        for border in self._borders:
            border.setPen(_dashed(tokens))
            border.label.setColor(tokens.dim)

    def show_curve(self, curve: Curve, ends: Sequence[float]) -> None:
        """Draw it, with the borders of the stages.

        Args:
            curve: what to draw; also when it has grown.
            ends: the last step of every stage.
        """
        self.setAccessibleName(curve.title)
        self.plot.setTitle(curve.title, color=self._tokens.text, size="10pt")
        self.plot.titleLabel.item.setTextWidth(-1)
        thin = pg.mkPen(self._tokens.dim, width=1.0)
        self._measured.setPen(thin if curve.is_loss else pg.mkPen(self._tokens.accent, width=2.0))
        self._measured.setData(curve.steps, curve.values)
        trend = smoothed(curve.values) if curve.is_loss else np.full_like(curve.values, np.nan)
        self._trend.setData(curve.steps, trend)
        self._kept.setData(curve.kept[:, 0], curve.kept[:, 1], size=8)
        self.plot.setXRange(0, max([*ends, 1.0]), padding=0)
        self.plot.invertY(curve.less_is_better and not curve.is_loss)
        low, high = value_range(curve)
        self.plot.setYRange(low, high, padding=0.06)
        self._show_borders(ends)

    def _show_borders(self, ends: Sequence[float]) -> None:
        """A line where each stage begins, with its number; none for a single stage."""
        starts = [0.0, *ends[:-1]] if len(ends) > 1 else []
        while len(self._borders) < len(starts):
            number = len(self._borders) + 1
            options = {"position": 0.93, "color": self._tokens.dim, "anchors": [(0, 0.5), (0, 0.5)]}
            border = pg.InfiniteLine(angle=90, label=str(number), labelOpts=options)
            border.setPen(_dashed(self._tokens))
            self.plot.addItem(border, ignoreBounds=True)
            self._borders.append(border)
        for border, start in zip(self._borders, starts, strict=False):
            border.setPos(start)


def _dashed(tokens: Tokens) -> object:
    return pg.mkPen(tokens.border, width=1, style=Qt.PenStyle.DashLine)


def value_range(curve: Curve) -> tuple[float, float]:
    """What the plot shows: all of a metric; of a loss all but its few highest values."""
    seen = curve.values[np.isfinite(curve.values)]
    if not seen.size:
        return 0.0, 1.0
    high = float(np.quantile(seen, 1 - _BOTTOM)) if curve.is_loss else float(seen.max())
    low = float(seen.min())
    if high <= low:
        reach = max(abs(low), 1.0) * 0.01
        return low - reach, low + reach
    return low, high


class LearningCurves(QWidget):
    """All curves of a training, under two headings; it may be shown again while they grow."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._tokens = tokens
        self._plots: dict[str, CurvePlot] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        self._losses, self._metrics = QGridLayout(), QGridLayout()
        self._about = QLabel()
        self._about.setProperty("role", "dim")
        self._about.setWordWrap(True)
        for heading, words, grid in (
            (
                "Losses",
                "Down is better, but for the adversarial terms: there two networks pull against "
                "each other, and level is good. Thin: mean of 50 steps; strong: the trend.",
                self._losses,
            ),
            (
                "Validation",
                "On photographs that are not trained on. Up is better. Ringed: the weights "
                "that were kept.",
                self._metrics,
            ),
        ):
            title, note = QLabel(heading), QLabel(words)
            title.setProperty("role", "heading")
            note.setProperty("role", "dim")
            note.setWordWrap(True)
            grid.setSpacing(8)
            layout.addWidget(title)
            layout.addWidget(note)
            layout.addLayout(grid, stretch=1)
        layout.addWidget(self._about)

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of a theme."""
        self._tokens = tokens
        for plot in self._plots.values():
            plot.use_tokens(tokens)

    def show_history(self, history: LearningHistory) -> None:
        """Draw everything in it; plots that are there already are drawn on."""
        ends = history.ends
        for curve in history.curves():
            if curve.name not in self._plots:
                self._place(curve)
            self._plots[curve.name].show_curve(curve, ends)
        steps = f"{ends[-1]:,.0f}" if ends else "0"
        stages = f"{len(ends)} stages, numbered at the top of each plot" if len(ends) > 1 else ""
        self._about.setText(", ".join(part for part in (f"{steps} steps", stages) if part) + ".")

    def _place(self, curve: Curve) -> None:
        plot = self._plots[curve.name] = CurvePlot(self._tokens)
        grid = self._losses if curve.is_loss else self._metrics
        count = grid.count()
        grid.addWidget(plot, count // COLUMNS, count % COLUMNS)
        for column in range(COLUMNS):
            grid.setColumnStretch(column, 1)

    @property
    def rows(self) -> int:
        """Of plots, under both headings."""
        return sum(-(-grid.count() // COLUMNS) for grid in (self._losses, self._metrics))


def render_curves(
    run: Path, png: Path, *, theme: str = "dark", width: int = 1200, pixel_ratio: float = 1.0
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
    # Here, for the window's modules are many and a widget of curves needs few of them.
    from retina_viewer.ui.app import make_application
    from retina_viewer.ui.theme import apply_theme

    history = read_history(run)
    if not history.curves():
        raise UserError("The training has not written anything down yet.", "Let it run a while.")
    if QApplication.instance() is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        os.environ["QT_SCALE_FACTOR"] = str(pixel_ratio)
    curves = LearningCurves(apply_theme(make_application(), theme))
    try:
        curves.show_history(history)
        curves.resize(width, 190 + curves.rows * (_PLOT_HEIGHT + 24))
        curves.show()
        QApplication.processEvents()
        if not curves.grab().save(str(png), "PNG"):
            raise UserError(f"{png.name} could not be written.", "Choose another folder.")
    finally:
        curves.close()
        curves.deleteLater()
