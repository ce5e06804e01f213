"""What the pages of the wizard have in common: a heading, a sentence, a place for problems."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWizard, QWizardPage

from retina_viewer.core.errors import UserError
from retina_viewer.core.settings import Settings
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.theme import Tokens
from retina_viewer.ui.training.draft import Draft
from retina_viewer.ui.training.trainings import Trainings
from retina_viewer.ui.widgets.fields import dim_label

if TYPE_CHECKING:
    from retina_viewer.ui.training.looking import Looking


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
class Surroundings:
    """What every page works with."""

    draft: Draft
    jobs: Jobs
    trainings: Trainings
    looking: Looking
    settings: Settings
    tokens: Tokens


class Page(QWizardPage):
    """A page with a heading; subclasses fill ``column``."""

    def __init__(self, around: Surroundings, heading: str, sentence: str = "") -> None:
        super().__init__()
        self.around = around
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
        return self.around.draft

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
