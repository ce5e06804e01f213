"""Page 4: from which model, what of it, for how long, how strongly."""

from __future__ import annotations

from functools import partial

from pydantic import ValidationError
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QScrollArea, QWidget

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.patients import installation_salt
from retina_viewer.finetuning.plan import Expert, TrainingPlan, task_of_base
from retina_viewer.model_store.card import ModelCard, TaskName
from retina_viewer.ui.jobs import Lane
from retina_viewer.ui.training.draft import counted, own_name
from retina_viewer.ui.training.time_budget import BudgetLabel
from retina_viewer.ui.training.training_status import duration
from retina_viewer.ui.training.wizard_page import PageId, WizardContext, WizardPage
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.choices import Chooser, Switch
from retina_viewer.ui.widgets.fields import dim_label, panel_form
from retina_viewer.ui.widgets.section import Section
from retina_viewer.ui.widgets.segments import Segments

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
        """What was typed. Raises UserError: a field that cannot be, named."""
        given: dict[str, object] = {}
        titles = {name: title for name, title, _ in _FIELDS}
        for name, title, kind in _FIELDS:
            text = self.lines[name].text().strip()
            try:
                given |= {name: kind(text)} if text else {}
            except ValueError as error:
                raise UserError(f"{title}: {text!r} is no number.", "Leave it empty.") from error
        try:
            return Expert.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0])
            raise UserError(f"{titles.get(field, field)}: {first['msg'].lower()}.") from error


_MODELS = "training models"
BUDGETS = ((30.0, "30 minutes"), (120.0, "2 hours"), (480.0, "Overnight"))
PRESETS = {
    "gentle": "Careful: a low rate, much practice of what the model knows. Hardly forgets.",
    "standard": "The choice for a few dozen photographs.",
    "thorough": "Learns most of your photographs and keeps least of others: the verdict tells.",
}


class OptionsPage(WizardPage):
    """Everything has a default that works."""

    following = PageId.TRAINING

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
        self._steps_row = layout.row(spacing=12, margins=0)
        self._steps_label = dim_label("Enlargements to train")
        self.budget = Segments(
            [(m, title, f"About {duration(60 * m)} of training") for m, title in BUDGETS], "Time"
        )
        self.budget.chosen.connect(partial(self._choose, "minutes"))
        self.budget_label = BudgetLabel(context.jobs)
        self.budget_label.failed.connect(self.show_problem)
        self.preset = Segments(
            [(name, name.capitalize(), PRESETS[name]) for name in PRESETS], "Preset"
        )
        self.preset.chosen.connect(partial(self._choose, "preset"))
        self.preset_sentence = dim_label()
        self.expert = ExpertFields(context.draft.expert)
        self.expert.changed.connect(self._changed)
        self.summary_text = layout.label()
        self._cards: list[ModelCard] = []
        form = panel_form()
        form.setVerticalSpacing(14)
        form.addRow(dim_label("Base model"), self.base)
        form.addRow(self._steps_label, layout.holding(self._steps_row))
        for title, segments, sentence in (
            ("Time", self.budget, self.budget_label),
            ("Preset", self.preset, self.preset_sentence),
        ):
            form.addRow(
                dim_label(title), layout.column(layout.row(segments, ...), sentence, spacing=4)
            )
        self.section = Section("For experts", self.expert, is_open=False)
        body = layout.holding(
            layout.column(form, self.section, ..., spacing=12, margins=(0, 0, 12, 0))
        )
        scroll = layout.scroll(QScrollArea(), body)
        layout.add(self.column, (scroll, 1), self.summary_text)

    def initializePage(self) -> None:
        task, wanted = self.draft.task, self.draft.base
        self.do(_MODELS, lambda _: _bases(task, wanted), self._show_bases, lane=Lane.WORK)

    @property
    def summary(self) -> str:
        draft = self.draft
        return f"{duration(60 * draft.minutes)}, {draft.preset}" if draft.base else ""

    def _show_bases(self, found: tuple[list[ModelCard], str]) -> None:
        self._cards, default = found
        self.base.clear()
        for card in self._cards:
            self.base.addItem(card.title, card.name)
        places = [self.base.findData(name) for name in (self.draft.base, default)]
        self.base.setCurrentIndex(next((place for place in places if place >= 0), 0))
        self._choose_base()

    @property
    def card(self) -> ModelCard | None:
        name = self.base.currentData()
        return next((card for card in self._cards if card.name == name), None)

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
            if (widget := item.widget()) is not None:
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

    def _choose(self, what: str, value: object) -> None:
        setattr(self.draft, what, value)
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
        title = plan.base if self.card is None else self.card.title
        fixed = plan.expert.iterations
        time = duration(60 * plan.minutes) if fixed is None else f"{fixed:,} steps a stage"
        self.summary_text.setText(
            f"“{title}” will be trained on {counted(len(train), 'photograph')} of "
            f"{counted(plan.patients('train'), 'patient')} for {time} at most, "
            f"then compared with itself as it is now, on {counted(len(kept), 'photograph')} "
            "that it has not seen. You may go on working meanwhile."
        )

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
