"""What the pages of the wizard have in common: a heading, a sentence, a place for problems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QWizardPage

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.core.settings import Settings
from retina_viewer.finetuning.intake import Intake
from retina_viewer.ui.jobs import Job, Jobs, Lane
from retina_viewer.ui.training.draft import Draft, GroupingChoice
from retina_viewer.ui.training.trainings import Trainings
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label

_KEY = "training intake"
T = TypeVar("T")


class IntakeJob(QObject):
    """Looks at the photographs of a draft, in the background: once at a time, a new look replaces
    the old."""

    progressed = Signal(float, str)
    """(0 to 1, what is looked at)"""
    ended = Signal(object)
    """(Exception or None): the draft's intake is there, or not."""

    def __init__(self, draft: Draft, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._draft, self._jobs = draft, jobs
        self.fraction = 0.0
        jobs.progressed.connect(self._progressed)

    @property
    def is_busy(self) -> bool:
        return self._jobs.is_active(_KEY)

    def start(self, places: Sequence[Path]) -> None:
        """Begin anew; what was decided before of single files stays decided."""
        draft = self._draft
        draft.places = list(places)
        draft.intake = draft.patients = None
        draft.masks = {}
        draft.grouping = GroupingChoice()  # said of other photographs, it need not be true of these
        self.fraction = 0.0
        if not places:
            self._jobs.cancel(_KEY)
            self.ended.emit(None)
            return

        def work(progress: Progress) -> Intake:
            from retina_viewer.finetuning.intake import examine

            return examine(list(places), progress=progress)

        self._jobs.submit(_KEY, work, self._done, failed=self.ended.emit, lane=Lane.LONG)
        self.progressed.emit(0.0, "")

    def _progressed(self, job: Job) -> None:
        if job.key == _KEY and not job.is_cancelled:
            self.fraction = job.fraction
            self.progressed.emit(job.fraction, job.what)

    def _done(self, intake: Intake) -> None:
        self.fraction = 1.0
        self._draft.intake = intake
        self.ended.emit(None)


class PageId(IntEnum):
    SOURCE = 0
    CHECK = 1
    MASKS = 2
    PATIENTS = 3
    OPTIONS = 4
    TRAINING = 5
    VERDICT = 6
    KEEP = 7


@dataclass
class WizardContext:
    """What every page works with."""

    draft: Draft
    jobs: Jobs
    trainings: Trainings
    intake_job: IntakeJob
    settings: Settings


class WizardPage(QWizardPage):
    """A page with a heading; subclasses fill ``column`` and name the page that is ``following``."""

    following: PageId | None = None

    def __init__(self, context: WizardContext, heading: str, sentence: str = "") -> None:
        super().__init__()
        self.context, self.draft = context, context.draft
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.heading = layout.label(heading, "heading", wraps=False)
        self.sentence = dim_label(sentence)
        self.sentence.setVisible(bool(sentence))
        self.problem = layout.label(role="problem")
        for label in (self.sentence, self.problem):
            label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.problem.hide()
        self.column = layout.column(spacing=12, margins=(0, 8, 0, 0))
        self.setLayout(
            layout.column(
                self.heading, self.sentence, (self.column, 1), self.problem,
                spacing=8, margins=(24, 16, 24, 8),
            )
        )  # fmt: skip

    @property
    def summary(self) -> str:
        """A few words for the list of steps; empty before there is anything to say."""
        return ""

    def show_problem(self, error: Exception | None) -> None:
        """Say what went wrong where it went wrong; None takes it back."""
        known = error is None or isinstance(error, UserError)
        self.problem.setText(str(error or "") if known else f"This failed unexpectedly: {error}")
        self.problem.setVisible(error is not None)

    def do(
        self, key: str, work: Callable[[Progress], T], done: Callable[[T], None],
        *, lane: Lane = Lane.FILES,
    ) -> None:  # fmt: skip
        """Work in the background; a newer one with the same key replaces an older one."""
        self.context.jobs.submit(key, work, done, failed=self.failed, lane=lane)

    def failed(self, error: Exception) -> None:
        """What was done in the background failed."""
        self.show_problem(error)

    def nextId(self) -> int:
        return -1 if self.following is None else int(self.following)
