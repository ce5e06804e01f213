"""The live curves: scrolled to the present stage."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea

from retina_viewer.ui.learning_curves import LearningCurves
from retina_viewer.ui.learning_history import LearningHistory
from retina_viewer.ui.theme import Tokens
from retina_viewer.ui.widgets.fields import dim_label

COLUMNS = 4


class CurvesView(QScrollArea):
    """Shows a sentence until there are curves."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.curves: LearningCurves | None = None
        self._tokens = tokens
        self._stage = -1
        self.forget()

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of a theme."""
        self._tokens = tokens
        if self.curves is not None:
            self.curves.use_tokens(tokens)

    def forget(self) -> None:
        """Another training is shown from now on."""
        self.curves, self._stage = None, -1
        self.setWidget(_words("The first curves come after the first steps."))  # in its place

    def show_history(self, history: LearningHistory) -> None:
        """Draw what there is; also when it has grown."""
        if not any(history.stages):
            return
        if self.curves is None:
            self.curves = LearningCurves(self._tokens, columns=COLUMNS)
            self.setWidget(self.curves)
        self.curves.show_history(history)
        self.curves.setFixedHeight(self.curves.wanted_height)
        self._show_newest_stage(history)

    def _show_newest_stage(self, history: LearningHistory) -> None:
        """Once a stage: where the person scrolls afterwards is theirs."""
        stage = len(history.stages) - 1
        curves = self.curves
        if stage == self._stage or curves is None:
            return
        self._stage = stage
        first = next(iter(history.curves(stage)), None)
        if stage > 0 and first is not None:
            plot = curves.plot_of(stage, first.name)
            # Its place is known when the grid has been laid out.
            QTimer.singleShot(0, plot, lambda: self.ensureWidgetVisible(plot, 0, 180))


def _words(text: str) -> QLabel:
    label = dim_label(text)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    return label
