"""What the pages of the wizard have in common: a heading, a sentence, a place for problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWizard, QWizardPage

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.core.settings import Settings
from retina_viewer.finetuning.intake import Intake
from retina_viewer.ui.job import Job, Lane
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.theme import Tokens
from retina_viewer.ui.training.draft import Draft, GroupingChoice
from retina_viewer.ui.training.trainings import Trainings
from retina_viewer.ui.widgets.fields import dim_label

_KEY = "training intake"


class IntakeJob(QObject):
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

    def start(self, places: Sequence[Path]) -> None:
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
    tokens: Tokens


class WizardPage(QWizardPage):
    """A page with a heading; subclasses fill ``column``."""

    def __init__(self, context: WizardContext, heading: str, sentence: str = "") -> None:
        super().__init__()
        self.context = context
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.heading = QLabel(heading)
        self.heading.setProperty("role", "heading")
        self.sentence = dim_label(sentence)
        self.sentence.setVisible(bool(sentence))
        self.sentence.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.problem = QLabel()
        self.problem.setProperty("role", "problem")
        self.problem.setWordWrap(True)
        self.problem.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.problem.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 16, 24, 8)
        outer.setSpacing(8)
        outer.addWidget(self.heading)
        outer.addWidget(self.sentence)
        self.column = QVBoxLayout()
        self.column.setSpacing(12)
        self.column.setContentsMargins(0, 8, 0, 0)
        outer.addLayout(self.column, 1)
        outer.addWidget(self.problem)

    @property
    def draft(self) -> Draft:
        return self.context.draft

    @property
    def summary(self) -> str:
        """A few words for the list of steps; empty before there is anything to say."""
        return ""

    def show_problem(self, error: Exception | None) -> None:
        """Say what went wrong where it went wrong; None takes it back."""
        self.problem.setVisible(error is not None)
        if isinstance(error, UserError):
            self.problem.setText(f"{error.message} {error.hint}".strip())
        elif error is not None:
            self.problem.setText(f"This failed unexpectedly: {error}")

    def step_to(self, page: PageId) -> int:
        """For ``nextId``."""
        return int(page)

    def advance(self) -> None:
        """Go on without a click; where this page is the present one."""
        wizard = self.wizard()
        if isinstance(wizard, QWizard) and wizard.currentPage() is self:
            wizard.next()
