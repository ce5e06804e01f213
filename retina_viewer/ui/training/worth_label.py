"""What a time budget is worth on this computer: measured in the background, said in words."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLabel

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.finetuning.budget import Speed
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.ui.job import Lane
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.training.trial import measured_speeds, worth

_KEY = "training trial"
_SETTLED_MS = 400
FIXED = "The number of steps is given below, so no time is."


class WorthLabel(QLabel):
    """Measures once for each base and its steps, and only while it is seen."""

    failed = Signal(object)
    """(UserError): the trial could not be made, which the training could not either"""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self.setProperty("role", "dim")
        self.setWordWrap(True)
        self._jobs = jobs
        self._plan: TrainingPlan | None = None
        self._speeds: dict[tuple[str, tuple[int, ...]], list[Speed]] = {}
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLED_MS)
        self._settled.timeout.connect(self._try)

    def show_plan(self, plan: TrainingPlan | None) -> None:
        """Say what a plan's minutes buy; None where there is no plan yet."""
        self._plan = plan
        if plan is None:
            self.setText("")
        elif plan.expert.iterations is not None:
            self.setText(FIXED)
        elif (known := self._speeds.get((plan.base, plan.steps))) is not None:
            self.setText(worth(plan, known))
        else:
            self.setText("How many steps that is here will be measured.")
            self._settled.start()

    def stop(self) -> None:
        """Leave the processor to the training."""
        self._settled.stop()
        self._jobs.cancel(_KEY)

    def _try(self) -> None:
        plan = self._plan
        if plan is None or plan.expert.iterations is not None or not self.isVisible():
            return
        key = (plan.base, plan.steps)

        def work(progress: Progress) -> list[Speed]:
            return measured_speeds(plan, progress)

        def done(speeds: list[Speed]) -> None:
            self._speeds[key] = speeds
            self.show_plan(self._plan)

        self.setText("Measuring how fast this computer trains…")
        self._jobs.submit(_KEY, work, done, failed=self._not_measured, lane=Lane.LONG)

    def _not_measured(self, error: Exception) -> None:
        self.setText("How many steps that is here could not be measured.")
        if isinstance(error, UserError):
            self.failed.emit(error)
