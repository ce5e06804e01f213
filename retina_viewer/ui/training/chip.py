"""The training in the status bar: how it stands, and the way back to it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QWidget

from retina_viewer.ui.theme import HIT_TARGET, tabular
from retina_viewer.ui.training.live import Phase, duration
from retina_viewer.ui.training.trainings import Trainings

_WORDS = {
    Phase.PREPARED: "Training prepared",
    Phase.STARTING: "Training starts",
    Phase.PAUSED: "Training paused",
    Phase.FINISHED: "Training finished: see what came of it",
    Phase.FAILED: "Training failed",
    Phase.KILLED: "Training was stopped",
    Phase.GONE: "Training's folder is missing",
}


class TrainingChip(QWidget):
    """Hidden while there is no training."""

    clicked = Signal()

    def __init__(self, trainings: Trainings) -> None:
        super().__init__()
        self._trainings = trainings
        self.button = QToolButton()
        self.button.setToolTip("Show the training (Ctrl+T)")
        self.button.setMinimumHeight(HIT_TARGET)
        self.button.setFont(tabular(self.button.font()))
        self.button.clicked.connect(self.clicked)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setFixedWidth(80)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.button)
        row.addWidget(self.bar)
        trainings.changed.connect(self._show)
        trainings.followed.connect(self._show)
        self._show()

    def _show(self) -> None:
        trainings = self._trainings
        shown = trainings.run is not None and trainings.phase is not Phase.CANCELLED
        self.setVisible(shown)
        if not shown:
            return
        self.bar.setVisible(trainings.phase.is_active)
        self.bar.setValue(round(trainings.live.fraction * 1000))
        self.button.setText(self._text())

    def _text(self) -> str:
        trainings = self._trainings
        if trainings.phase is not Phase.RUNNING:
            return _WORDS.get(trainings.phase, "")
        left = trainings.live.seconds_left
        time = f", {duration(left)} left" if left is not None and trainings.live.iterations else ""
        return f"Training {trainings.live.fraction:.0%}{time}"
