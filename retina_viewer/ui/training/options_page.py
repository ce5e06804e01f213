"""Page 4: from which model, what of it, for how long, how strongly."""

from __future__ import annotations

from pydantic import ValidationError
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.finetuning.budget import Speed
from retina_viewer.finetuning.patients import installation_salt
from retina_viewer.finetuning.plan import Expert, TrainingPlan, task_of_base
from retina_viewer.model_store.card import ModelCard, TaskName
from retina_viewer.ui.job import Lane
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.training.draft import counted, own_name
from retina_viewer.ui.training.time_budget import budget_in_words, measured_speeds
from retina_viewer.ui.training.training_status import duration
from retina_viewer.ui.training.wizard_page import PageId, WizardContext, WizardPage
from retina_viewer.ui.widgets.choices import Chooser, Switch
from retina_viewer.ui.widgets.fields import dim_label, panel_form
from retina_viewer.ui.widgets.section import Section
from retina_viewer.ui.widgets.segments import Segments

_KEY = "training trial"
_SETTLED_MS = 400
FIXED = "The number of steps is given below, so no time is."


class BudgetLabel(QLabel):
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
            self.setText(budget_in_words(plan, known))
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


_FIELDS: tuple[tuple[str, str, type], ...] = (
    ("rate", "Learning rate", float),
    ("patience", "Patience, validations without a better score", int),
    ("replay", "Share of bundled photographs, 0 to 0.9", float),
    ("ema", "Decay of the moving average", float),
    ("seed", "Seed of all random numbers", int),
    ("iterations", "Steps of each stage, instead of a time budget", int),
    ("batch", "Patches in a batch", int),
    ("patch", "Side of the small patch, px", int),
    ("validate_every", "Steps between two validations", int),
    ("validation_patches", "Validation patches", int),
)


class ExpertFields(QWidget):
    """One line a field of :class:`~retina_viewer.finetuning.plan.Expert`."""

    changed = Signal()

    def __init__(self, expert: Expert) -> None:
        super().__init__()
        self.lines: dict[str, QLineEdit] = {}
        form = panel_form()
        form.setContentsMargins(8, 4, 0, 0)
        for name, title, _ in _FIELDS:
            line = self.lines[name] = QLineEdit()
            line.setPlaceholderText("by the preset")
            line.setMaximumWidth(160)
            line.setAccessibleName(title)
            value = getattr(expert, name)
            line.setText("" if value is None else f"{value}")
            line.textEdited.connect(lambda _: self.changed.emit())
            label = dim_label(title)
            label.setWordWrap(False)
            form.addRow(label, line)
        self.setLayout(form)

    def value(self) -> Expert:
        """What was typed.

        Raises:
            UserError: a field that cannot be, named.
        """
        given: dict[str, object] = {}
        for name, title, kind in _FIELDS:
            text = self.lines[name].text().strip()
            if not text:
                continue
            try:
                given[name] = kind(text)
            except ValueError as error:
                raise UserError(f"{title}: {text!r} is no number.", "Leave it empty.") from error
        try:
            return Expert.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            titles = {name: title for name, title, _ in _FIELDS}
            where = titles.get(str(first["loc"][0]), str(first["loc"][0]))
            raise UserError(f"{where}: {first['msg'].lower()}.") from error


_MODELS = "training models"
BUDGETS = ((30.0, "30 minutes"), (120.0, "2 hours"), (480.0, "Overnight"))
PRESETS = {
    "gentle": "Careful: a low rate, much practice of what the model knows. Hardly forgets.",
    "standard": "The choice for a few dozen photographs.",
    "thorough": "Learns most of your photographs and keeps least of others: the verdict tells.",
}


class OptionsPage(WizardPage):
    """Everything has a default that works."""

    def __init__(self, context: WizardContext) -> None:
        super().__init__(
            context,
            "From which model, and for how long?",
            "These defaults work. The training ends earlier when it stops getting better.",
        )
        self.setCommitPage(True)
        self.base = Chooser("Base model")
        self.base.activated.connect(self._choose_base)
        self.steps: dict[int, QCheckBox] = {}
        self._steps_row = QHBoxLayout()
        self._steps_row.setSpacing(12)
        self.budget = Segments(
            [(m, title, f"About {duration(60 * m)} of training") for m, title in BUDGETS],
            "Time",
        )
        self.budget.chosen.connect(self._choose_budget)
        self.budget_label = BudgetLabel(context.jobs)
        self.budget_label.failed.connect(self.show_problem)
        self.preset = Segments(
            [(name, name.capitalize(), PRESETS[name]) for name in PRESETS], "Preset"
        )
        self.preset.chosen.connect(self._choose_preset)
        self.preset_sentence = dim_label()
        self.expert = ExpertFields(context.draft.expert)
        self.expert.changed.connect(self._changed)
        self.summary_text = QLabel()
        self.summary_text.setWordWrap(True)
        self._cards: list[ModelCard] = []
        self._arrange()

    def _arrange(self) -> None:
        form = panel_form()
        form.setVerticalSpacing(14)
        form.addRow(dim_label("Base model"), self.base)
        self._steps_label = dim_label("Enlargements to train")
        steps = QWidget()
        steps.setLayout(self._steps_row)
        self._steps_row.setContentsMargins(0, 0, 0, 0)
        form.addRow(self._steps_label, steps)
        for title, segments, sentence in (
            ("Time", self.budget, self.budget_label),
            ("Preset", self.preset, self.preset_sentence),
        ):
            column = QVBoxLayout()
            column.setSpacing(4)
            row = QHBoxLayout()
            row.addWidget(segments)
            row.addStretch(1)
            column.addLayout(row)
            column.addWidget(sentence)
            form.addRow(dim_label(title), column)
        body = QWidget()
        inside = QVBoxLayout(body)
        inside.setContentsMargins(0, 0, 12, 0)
        inside.setSpacing(12)
        inside.addLayout(form)
        self.section = Section("For experts", self.expert, is_open=False)
        inside.addWidget(self.section)
        inside.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(body)
        self.column.addWidget(scroll, 1)
        self.column.addWidget(self.summary_text)

    def initializePage(self) -> None:
        task, wanted = self.draft.task, self.draft.base

        def work(progress: Progress) -> tuple[list[ModelCard], str]:
            return _bases(task, wanted)

        self.context.jobs.submit(_MODELS, work, self._show_bases, failed=self.show_problem)

    @property
    def summary(self) -> str:
        draft = self.draft
        return f"{duration(60 * draft.minutes)}, {draft.preset}" if draft.base else ""

    # What there is

    def _show_bases(self, found: tuple[list[ModelCard], str]) -> None:
        self._cards, default = found
        self.base.clear()
        for card in self._cards:
            self.base.addItem(card.title, card.name)
        names = [card.name for card in self._cards]
        wanted = self.draft.base if self.draft.base in names else default
        if wanted in names:
            self.base.setCurrentIndex(names.index(wanted))
        self._choose_base()

    @property
    def card(self) -> ModelCard | None:
        name = self.base.currentData()
        return next((card for card in self._cards if card.name == name), None)

    # What the person does

    def _choose_base(self) -> None:
        card = self.card
        if card is None:
            self.show_problem(UserError("No model is installed that could be trained on."))
            return
        self.draft.base = card.name
        self._show_steps(card)
        self._changed()

    def _show_steps(self, card: ModelCard) -> None:
        while (item := self._steps_row.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self.steps = {}
        for scale in card.scales:
            step = scale.bit_length() - 1
            box = self.steps[step] = Switch(f"×{scale}")
            box.setChecked(step in self.draft.steps)
            box.toggled.connect(self._changed)
            self._steps_row.addWidget(box)
        self._steps_row.addStretch(1)
        self._steps_label.setVisible(bool(card.scales))

    def _choose_budget(self, minutes: object) -> None:
        assert isinstance(minutes, float)
        self.draft.minutes = minutes
        self._changed()

    def _choose_preset(self, preset: object) -> None:
        self.draft.preset = preset  # type: ignore[assignment]
        self._changed()

    def _changed(self) -> None:
        draft = self.draft
        if self.steps:
            draft.steps = tuple(step for step, box in self.steps.items() if box.isChecked())
        self.budget.set_value(draft.minutes)
        self.preset.set_value(draft.preset)
        self.preset_sentence.setText(PRESETS[draft.preset])
        try:
            draft.expert = self.expert.value()
            self.show_problem(None if draft.steps else UserError("Choose at least one step."))
        except UserError as error:
            self.show_problem(error)
        plan = self._plan()
        self.budget.setEnabled(plan is None or plan.expert.iterations is None)
        self.budget_label.show_plan(plan)
        self._show_summary(plan)
        self.completeChanged.emit()

    # What it will be worth

    def _plan(self) -> TrainingPlan | None:
        if not self.isComplete():
            return None
        try:
            return self.draft.plan(installation_salt(), own_name(self.draft.base))
        except UserError as error:
            self.show_problem(error)
            return None

    def _show_summary(self, plan: TrainingPlan | None) -> None:
        if plan is None:
            self.summary_text.setText("")
            return
        train, kept = plan.of("train"), plan.of("held_out")
        card = self.card
        title = card.title if card is not None else plan.base
        self.summary_text.setText(
            f"“{title}” will be trained on {counted(len(train), 'photograph')} of "
            f"{counted(plan.patients('train'), 'patient')} for {_how_long(plan)} at most, "
            f"then compared with itself as it is now, on {counted(len(kept), 'photograph')} "
            "that it has not seen. You may go on working meanwhile."
        )

    # Going on

    def isComplete(self) -> bool:
        try:
            self.expert.value()
        except UserError:
            return False
        return self.card is not None and (not self.steps or bool(self.draft.steps))

    def validatePage(self) -> bool:
        """Freeze the plan and start the training."""
        plan = self._plan()
        if plan is None:
            return False
        self.budget_label.stop()
        try:
            self.context.trainings.begin(plan)
        except UserError as error:
            self.show_problem(error)
            return False
        return True

    def nextId(self) -> int:
        return self.step_to(PageId.TRAINING)


def _how_long(plan: TrainingPlan) -> str:
    if plan.expert.iterations is not None:
        return f"{plan.expert.iterations:,} steps a stage"
    return duration(60 * plan.minutes)


def _bases(task: str, wanted: str) -> tuple[list[ModelCard], str]:
    """The models of a task that can be trained on, and the name of the default one.

    Twins are trained on with their saliency GAN, and for themselves only where one is wanted.
    """
    from retina_viewer.model_store.defaults import default_model
    from retina_viewer.model_store.store import list_models

    kind: TaskName = "vessels" if task == "vessels" else "superres"
    cards = [card for card in list_models(kind) if task_of_base(card) == task]
    twins = {card.twin for card in cards} - {wanted}
    return [card for card in cards if card.name not in twins], default_model(kind)
