"""Looking at the photographs of a draft, in the background."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from retina_viewer.core.progress import Progress
from retina_viewer.finetuning.intake import Intake
from retina_viewer.ui.job import Job, Lane
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.training.draft import Draft, GroupingChoice

_KEY = "training intake"


class Looking(QObject):
    """One look at a time; a new one replaces the old."""

    progressed = Signal(float, str)
    """(0 to 1, what is looked at)"""
    ended = Signal(object)
    """(Exception or None): the draft's intake is there, or not."""

    def __init__(self, draft: Draft, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self._jobs = jobs
        self.fraction = 0.0
        jobs.progressed.connect(self._progressed)

    @property
    def is_busy(self) -> bool:
        return self._jobs.is_active(_KEY)

    def look_at(self, places: Sequence[Path]) -> None:
        """Begin anew; what was decided before of single files stays decided."""
        draft = self._draft
        draft.places = list(places)
        draft.intake = draft.patients = None
        draft.masks = {}
        draft.grouping = GroupingChoice()  # said of other photographs, it need not be true of these
        self.fraction = 0.0
        if not places:
            self.stop()
            self.ended.emit(None)
            return

        def work(progress: Progress) -> Intake:
            from retina_viewer.finetuning.intake import examine

            return examine(list(places), progress=progress)

        self._jobs.submit(_KEY, work, self._done, failed=self._failed, lane=Lane.LONG)
        self.progressed.emit(0.0, "")

    def stop(self) -> None:
        self._jobs.cancel(_KEY)

    def _progressed(self, job: Job) -> None:
        if job.key == _KEY and not job.is_cancelled:
            self.fraction = job.fraction
            self.progressed.emit(job.fraction, job.what)

    def _done(self, intake: Intake) -> None:
        self.fraction = 1.0
        self._draft.intake = intake
        self.ended.emit(None)

    def _failed(self, error: Exception) -> None:
        self.ended.emit(error)
