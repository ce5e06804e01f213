"""Learning curves: all loss terms and validation metrics of a training, as small multiples."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
from PySide6 import QtWidgets
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF

from retina_viewer.core.errors import UserError
from retina_viewer.ui.application import make_application
from retina_viewer.ui.theme import apply_theme, tokens_in_use
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.learning_history import (
    Curve,
    LearningHistory,
    Line,
    Point,
    read_history,
    smoothed,
)

COLUMNS = 5
_PLOT_HEIGHT = 172
_AXIS_WIDTH, _AXIS_HEIGHT = 54, 24
_MARGIN = 18
"""Right of the lines: the outermost figures are not cut."""
_CUT = 0.02
"""Share of losses above the plot: a few spikes would flatten all else."""
_LEAST_RANGE = 0.002
_NOTE = (
    "Losses: thin, the mean of some steps; strong, the trend. Validation: photographs that are not "
    "trained on, every metric drawn so that up is better; ringed, the weights that were kept. "
    "Every plot has a scale of its own."
)

_STEP_TICKS = 2
"""Steps of a tick below a plot: more of them, with thousands, would touch."""


class Chart(QtWidgets.QWidget):
    """Lines on a grid, with figures beside it. Drawn by Qt's own painter: a training tells new
    figures every two seconds, and a plotting library takes its time for each plot."""

    def __init__(self) -> None:
        super().__init__()
        self._curve: Curve | None = None
        self._trend: Line | None = None
        self._range = (0.0, 1.0)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # what lies behind is not drawn
        self.setSizePolicy(
            QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Expanding
        )

    def show_curve(self, curve: Curve) -> None:
        """Draw it; nothing happens where it is drawn already."""
        if self._curve is not None and self._curve.equals(curve):
            return
        self._curve = curve
        self._trend = smoothed(curve.values) if curve.is_loss else None
        self._range = value_range(curve)
        self.update()

    @property
    def area(self) -> QRectF:
        """Where the lines are, logical pixels; axes are left of it and below."""
        return QRectF(self.rect()).adjusted(_AXIS_WIDTH, 4, -_MARGIN, -_AXIS_HEIGHT)

    def place(self, step: float, value: float) -> QPointF:
        """Where a figure of the shown curve is drawn; up is better for every metric."""
        return self._places(np.array([step]), np.array([value]))[0]

    def _places(self, steps: Line, values: Line) -> list[QPointF]:
        curve, area, (low, high) = self._curve, self.area, self._range
        assert curve is not None
        across = area.left() + area.width() * _spread(steps, 0.0, _end(curve), 0.06)
        share = _spread(values, low, high, 0.1)
        down = area.top() + area.height() * (share if curve.falls else 1 - share)
        return [QPointF(x, y) for x, y in zip(across.tolist(), down.tolist(), strict=True)]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        tokens = tokens_in_use()
        painter.fillRect(self.rect(), QColor(tokens.panel))
        curve = self._curve
        if curve is None or self.area.width() < 1 or self.area.height() < 1:
            return
        self._draw_axes(painter, curve)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.save()
        painter.setClipRect(self.area)
        strong = QPolygonF(self._places(curve.steps, curve.values))
        if self._trend is not None:
            painter.setPen(QPen(QColor(tokens.dim), 0.8))
            painter.drawPolyline(strong)
            strong = QPolygonF(self._places(curve.steps, self._trend))
        _draw_strong(painter, strong, tokens.accent)
        painter.restore()
        if curve.kept is not None:
            painter.setPen(QPen(QColor(tokens.text), 1.6))
            painter.setBrush(QColor(tokens.panel))
            painter.drawEllipse(self.place(*curve.kept), 4.5, 4.5)

    def _draw_axes(self, painter: QPainter, curve: Curve) -> None:
        area, flags = self.area, Qt.AlignmentFlag
        low, high = self._range
        tokens = tokens_in_use()
        grid = QColor(tokens.border)
        for value, text in round_ticks(low, high):
            y = self.place(0.0, value).y()
            painter.setPen(grid)
            painter.drawLine(QPointF(area.left() - 4, y), QPointF(area.right(), y))
            painter.setPen(QColor(tokens.dim))
            beside = QRectF(0, y - 10, _AXIS_WIDTH - 6, 20)
            painter.drawText(beside, flags.AlignRight | flags.AlignVCenter, text)
        painter.setPen(grid)
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        for step, text in round_ticks(0, _end(curve), _STEP_TICKS):
            x = self.place(step, low).x()
            painter.setPen(grid)
            painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 4))
            painter.setPen(QColor(tokens.dim))
            below = QRectF(x - 40, area.bottom() + 4, 80, _AXIS_HEIGHT - 4)
            painter.drawText(below, flags.AlignHCenter | flags.AlignTop, text)


def _draw_strong(painter: QPainter, line: QPolygonF, colour: str) -> None:
    """A line of two pixels, as four of one: Qt's pens of two take 70 times as long where a line
    jumps up and down."""
    painter.setPen(QPen(QColor(colour), 1.0))
    for x, y in ((-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)):
        painter.drawPolyline(line.translated(x, y))


def _end(curve: Curve) -> float:
    """The step at the right end of the plot."""
    return max(float(curve.steps[-1]), 1.0)


def _spread(values: Line, low: float, high: float, padding: float) -> Line:
    """``(n,)`` as shares of a side that shows ``low`` to ``high`` with room at both ends."""
    room = padding * (high - low)
    return np.asarray((values - low + room) / (high - low + 2 * room))


class CurvePlot(QtWidgets.QFrame):
    """One quantity: as it was measured, thin; of losses also the trend, strong."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setMinimumSize(180, _PLOT_HEIGHT)
        self._title, self._reading = layout.label(), dim_label()
        self.chart = Chart()
        parts = (self._title, self._reading, (self.chart, 1))
        self.setLayout(layout.column(*parts, spacing=1, margins=(8, 6, 4, 4)))

    def show_curve(self, curve: Curve) -> None:
        """Draw it; also when it has grown."""
        self.setAccessibleName(f"{curve.title}, {curve.reading}")
        self._title.setText(curve.title)
        self._reading.setText(curve.reading)
        self.chart.show_curve(curve)


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


class LearningCurves(QtWidgets.QWidget):
    """All curves of a training, stage by stage; it may be shown again while they grow.

    Args:
        columns: plots beside each other; each needs 180 px.
    """

    def __init__(self, *, columns: int = COLUMNS) -> None:
        super().__init__()
        self._columns = columns
        self.setObjectName("window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._plots: dict[tuple[int, str], CurvePlot] = {}
        self._drawn: dict[int, list[Point]] = {}
        self._headings: list[QtWidgets.QLabel] = []
        self._grids: list[QtWidgets.QGridLayout] = []
        self._column = layout.column(
            layout.label(_NOTE, "dim"), spacing=8, margins=(16, 12, 16, 12)
        )
        self.setLayout(self._column)

    def show_history(self, history: LearningHistory) -> None:
        """Draw everything in it; plots that are there already are drawn on, stages that have not
        changed are left as they are."""
        for stage, points in enumerate(history.stages):
            if stage == len(self._grids):
                self._begin_stage()
            self._headings[stage].setText(history.title(stage))
            if self._drawn.get(stage) == points:
                continue
            self._drawn[stage] = list(points)
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
        heading, grid = layout.label(role="heading", wraps=False), QtWidgets.QGridLayout()
        grid.setSpacing(8)
        for column in range(self._columns):
            grid.setColumnStretch(column, 1)
        layout.add(self._column, heading, (grid, 1))
        self._headings.append(heading)
        self._grids.append(grid)

    def _place(self, stage: int, name: str) -> CurvePlot:
        plot = self._plots[stage, name] = CurvePlot()
        grid = self._grids[stage]
        grid.addWidget(plot, *divmod(grid.count(), self._columns))
        return plot


class CurvesArea(QtWidgets.QScrollArea):
    """Scrolls through the curves; shows a sentence in their place until there are any."""

    def __init__(self, columns: int, margin: int = 0) -> None:
        super().__init__()
        layout.scroll(self)
        self._columns, self._margin = columns, margin
        self.curves: LearningCurves | None = None

    def say(self, text: str) -> None:
        """Take the curves away, and say why there are none."""
        self.curves = None
        words = dim_label(text)
        words.setMargin(self._margin)
        words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setWidget(words)

    def show_history(self, history: LearningHistory) -> None:
        """Draw what there is; also when it has grown."""
        curves = self.curves or LearningCurves(columns=self._columns)
        curves.show_history(history)
        curves.setFixedHeight(curves.wanted_height)
        if self.curves is None:
            self.curves = curves
            self.setWidget(curves)


def render_curves(
    run: Path, png: Path, *, theme: str = "dark", width: int = 1360, pixel_ratio: float = 1.0
) -> None:
    """Draw the curves of a training into a picture, without a display. Raises UserError: there is
    no history, or the picture cannot be written.

    Args:
        run: a training's folder, or its ``history.json``.
        png: the picture to write; replaced if it exists.
        width: in logical pixels; the height follows from the number of curves.
        pixel_ratio: device pixels per logical pixel; only the first window of a process sets it.
    """
    history = read_history(run)
    if not any(history.stages):
        raise UserError("The training has not written anything down yet.", "Let it run a while.")
    if QtWidgets.QApplication.instance() is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        os.environ["QT_SCALE_FACTOR"] = str(pixel_ratio)
    apply_theme(make_application(), theme)
    curves = LearningCurves()
    try:
        curves.show_history(history)
        curves.resize(width, curves.wanted_height)
        curves.show()
        QtWidgets.QApplication.processEvents()
        if not curves.grab().save(str(png), "PNG"):
            raise UserError(f"{png.name} could not be written.", "Choose another folder.")
    finally:
        curves.close()
        curves.deleteLater()
