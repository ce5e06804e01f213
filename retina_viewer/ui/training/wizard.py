"""The training wizard: its pages in their order. What runs behind it runs without it too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget, QWizard

from retina_viewer.core.settings import Settings
from retina_viewer.model_store.card import ModelCard
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.training.check_page import CheckPage, SourcePage
from retina_viewer.ui.training.draft import Draft
from retina_viewer.ui.training.options_page import OptionsPage
from retina_viewer.ui.training.patients_page import MasksPage, PatientsPage
from retina_viewer.ui.training.running_page import RunningPage
from retina_viewer.ui.training.training_status import Phase
from retina_viewer.ui.training.trainings import Trainings
from retina_viewer.ui.training.verdict_page import KeepPage, VerdictPage
from retina_viewer.ui.training.wizard_page import IntakeJob, PageId, WizardContext, WizardPage
from retina_viewer.ui.widgets import layout

SIZE = (1240, 780)
WIDTH = 216
TITLES = {
    PageId.SOURCE: "Task and photographs",
    PageId.CHECK: "Check",
    PageId.MASKS: "Masks",
    PageId.PATIENTS: "Patients",
    PageId.OPTIONS: "Options",
    PageId.TRAINING: "Training",
    PageId.VERDICT: "Verdict",
    PageId.KEEP: "Name and keep",
}


class StepList(QWidget):
    """One entry a step: its number and title, and a few words on what was chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("stepList")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._labels: dict[PageId, tuple[QLabel, QLabel]] = {}
        box = layout.column(spacing=0, margins=(0, 20, 0, 16))
        for page in PageId:
            title = layout.label(role="step", wraps=False)
            summary = layout.label(role="stepSummary")
            title.setContentsMargins(16, 8, 8, 0)
            summary.setContentsMargins(36, 0, 8, 8)
            for label in (title, summary):
                label.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
            layout.add(box, title, summary)
            self._labels[page] = (title, summary)
        box.addStretch(1)
        self.setLayout(box)

    def show_steps(
        self, pages: Sequence[PageId], current: PageId, summaries: Mapping[PageId, str]
    ) -> None:
        """Show which steps there are, where one is, and what each has to say."""
        numbers = {page: number for number, page in enumerate(pages, start=1)}
        for page, (title, summary) in self._labels.items():
            title.setVisible(page in numbers)
            summary.setVisible(page in numbers)
            if page not in numbers:
                continue
            state = "now" if page == current else "done" if page < current else "later"
            title.setText(f"{numbers[page]}   {TITLES[page]}")
            summary.setText(summaries.get(page, "") if page <= current else "")
            for label in (title, summary):
                if label.property("state") != state:
                    label.setProperty("state", state)
                    label.style().unpolish(label)
                    label.style().polish(label)


class TrainingWizard(QWizard):
    """Closing it hides it: choices stay, and so does a training. It shows the one of the window's
    trainings that is followed."""

    kept = Signal(object)
    """(ModelCard): the person has kept a model"""

    def __init__(
        self, trainings: Trainings, jobs: Jobs, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Train a model")
        self.setWizardStyle(QWizard.WizardStyle.ClassicStyle)
        self.setOption(QWizard.WizardOption.NoBackButtonOnStartPage)
        self.setOption(QWizard.WizardOption.NoDefaultButton, False)
        self.setWindowModality(Qt.WindowModality.NonModal)
        self.resize(*SIZE)
        self.draft = Draft()
        self.intake_job = IntakeJob(self.draft, jobs, self)
        self._trainings = trainings
        context = WizardContext(self.draft, jobs, trainings, self.intake_job, settings)
        self.source, self.check = SourcePage(context), CheckPage(context)
        self.masks, self.patients = MasksPage(context), PatientsPage(context)
        self.choices, self.training = OptionsPage(context), RunningPage(context)
        self.verdict = VerdictPage(context)
        self.keep = KeepPage(context, self.verdict)
        pages: tuple[WizardPage, ...] = (
            self.source, self.check, self.masks, self.patients, self.choices, self.training,
            self.verdict, self.keep,
        )  # fmt: skip
        self.all_pages = dict(zip(PageId, pages, strict=True))
        self.step_list = StepList()
        self.setSideWidget(self.step_list)
        for page_id, page in self.all_pages.items():
            self.setPage(int(page_id), page)
            page.completeChanged.connect(self._show_steps)
        self._name_buttons()
        self.currentIdChanged.connect(self._page_changed)
        self.keep.kept.connect(self.kept)
        trainings.changed.connect(self._show_steps)

    def _name_buttons(self) -> None:
        which = QWizard.WizardButton
        texts = {
            which.CancelButton: "Close",
            which.BackButton: "Back",
            which.NextButton: "Next",
            which.CommitButton: "Start the training",
            which.FinishButton: "Keep the model",
        }
        for button, text in texts.items():
            self.setButtonText(button, text)
            self.button(button).setMinimumHeight(HIT_TARGET)
        self.button(which.CancelButton).setToolTip(
            "What was chosen stays; a training goes on in the background"
        )
        self.setButtonLayout([which.Stretch, *texts])

    def train_from(self, base: ModelCard) -> None:
        """The first page, with this model as the base; photographs that were chosen stay."""
        self.draft.begin_with(base)
        self.source.show_base(base)
        self._start_at(PageId.SOURCE)

    def show_run(self) -> None:
        """The page of the training that is followed."""
        if self.currentId() not in (PageId.TRAINING, PageId.VERDICT, PageId.KEEP):
            self._start_at(PageId.TRAINING)

    def _start_at(self, page: PageId) -> None:
        self.setStartId(int(page))
        self.restart()
        self._show_steps()

    def present(self) -> None:
        """Bring it to the front, on the page where it was."""
        if self.currentId() < 0:
            self._start_at(PageId.SOURCE)
        self.show()
        self.raise_()
        self.activateWindow()

    def _page_changed(self, page: int) -> None:
        if page == PageId.TRAINING and self._trainings.phase is Phase.CANCELLED:
            self.button(QWizard.WizardButton.NextButton).setEnabled(False)
        self._show_steps()
        # Return goes on; a ring around the first of several choices would look like a choice. Where
        # going on is not possible yet, the page itself has the focus, which shows nowhere.
        if (shown := self.currentPage()) is not None:
            shown.setFocus()
        for which in (QWizard.WizardButton.NextButton, QWizard.WizardButton.CommitButton):
            button = self.button(which)
            if button.isVisibleTo(self) and button.isEnabled():
                button.setFocus()

    def _show_steps(self) -> None:
        current = self.currentId()
        if current < 0:
            return
        vessels = self.draft.task == "vessels"
        pages = [page for page in PageId if vessels or page is not PageId.MASKS]
        if self.startId() == PageId.TRAINING:
            pages = [page for page in pages if page >= PageId.TRAINING]
        summaries = {page: one.summary for page, one in self.all_pages.items()}
        self.step_list.show_steps(pages, PageId(current), summaries)
