"""Pages 6 and 7: is the tuned model better, in words, in figures and with one's own eyes? Then it
gets a name, and becomes one of the person's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pydantic import ValidationError
from PySide6 import QtWidgets
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.model_store.card import ModelCard, Verdict, read_card
from retina_viewer.model_store.installing import name_from_title
from retina_viewer.quality.blinded import Answer, Pair, Preference, score
from retina_viewer.ui.jobs import Job, Jobs, Lane
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.training.run_views import PatchPicture, as_image
from retina_viewer.ui.training.wizard_page import PageId, WizardContext, WizardPage
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.choices import Switch
from retina_viewer.ui.widgets.fields import dim_label, panel_form
from retina_viewer.ui.widgets.table_views import show_general, show_held_out

_BLINDED = "training blinded"
ANSWERS: tuple[tuple[Answer, str, str], ...] = (
    ("left", "Left", "Left"),
    ("same", "No difference", "Down"),
    ("right", "Right", "Right"),
)
CAPTIONS = {"left": "Left", "truth": "True photograph", "right": "Right"}


class BlindedDialog(QtWidgets.QDialog):
    """Which of two crops is closer to the truth, not knowing whose it is? Pair after pair, which
    ``make`` makes in a worker; what the answers say comes at the end."""

    answered = Signal(object)
    """(Preference), at the end"""

    def __init__(
        self, make: Callable[[Progress], Sequence[Pair]], jobs: Jobs, parent: QtWidgets.QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Compare blind")
        self.resize(960, 560)
        self._jobs = jobs
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.pairs: Sequence[Pair] = ()
        self.answers: list[Answer] = []
        self.preference: Preference | None = None
        self.question = layout.label("Making pairs of crops…", "heading")
        self.hint = dim_label(
            "One is the base model's, one the tuned model's; which is which is not told before the "
            "end. Arrow keys answer as well. Every result is made anew from the shrunk photograph."
        )
        self.bar = layout.bar()
        self.pictures = {name: PatchPicture(name) for name in CAPTIONS}
        grid = QtWidgets.QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        for place, (name, caption) in enumerate(CAPTIONS.items()):
            label = QtWidgets.QLabel(caption)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(label, 0, place)
            grid.addWidget(self.pictures[name], 1, place)
        grid.setRowStretch(1, 1)
        self._room = layout.holding(grid)
        self.buttons: dict[Answer, QtWidgets.QPushButton] = {}
        for answer, text, key in ANSWERS:
            act = partial(self.answer, answer)
            self.buttons[answer] = layout.button(text, act=lambda _=False, act=act: act())
            self.buttons[answer].setMinimumSize(140, HIT_TARGET + 4)
            QShortcut(QKeySequence(key), self, act)
        self.close_button = layout.button("Close", act=self.reject)
        answers = layout.row(..., *self.buttons.values(), ..., spacing=8)
        last = layout.row(..., self.close_button)
        self.setLayout(
            layout.column(
                self.question, self.hint, self.bar, (self._room, 1), answers, last,
                spacing=12, margins=(20, 16, 20, 16),
            )
        )  # fmt: skip
        self._show_choices(False)
        jobs.progressed.connect(self._progressed)
        jobs.submit(_BLINDED, make, self._made, failed=self._failed, lane=Lane.LONG)

    def answer(self, answer: Answer) -> None:
        """Take an answer to the present pair, and show the next one."""
        if self.preference is not None or not self.pairs:
            return
        self.answers.append(answer)
        self._show_pair()

    def _show_choices(self, shown: bool) -> None:
        for widget in (self._room, *self.buttons.values()):
            widget.setVisible(shown)

    def _progressed(self, job: Job) -> None:
        if job.key == _BLINDED:
            self.bar.setValue(round(job.fraction * 1000))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.setFocus()  # a ring around one of the answers would suggest it

    def _made(self, pairs: Sequence[Pair]) -> None:
        self.pairs = pairs
        self.bar.setRange(0, max(1, len(pairs)))
        self._show_choices(True)
        self.setFocus()
        self._show_pair()

    def _failed(self, error: Exception) -> None:
        known = isinstance(error, UserError)
        self.question.setText(str(error) if known else f"No pairs could be made: {error}")
        self.bar.hide()

    def _show_pair(self) -> None:
        number = len(self.answers)
        self.bar.setValue(number)
        if number == len(self.pairs):
            self._show_preference()
            return
        pair = self.pairs[number]
        self.question.setText(
            f"Which is closer to the true photograph?  {number + 1} of {len(self.pairs)}"
        )
        for name, picture in self.pictures.items():
            picture.show_image(as_image(getattr(pair, name)))

    def _show_preference(self) -> None:
        self.preference = score(self.pairs, self.answers)
        self.question.setText(self.preference.sentence)
        self.hint.hide()
        self._show_choices(False)
        self.answered.emit(self.preference)

    def done(self, code: int) -> None:
        self._jobs.cancel(_BLINDED)
        super().done(code)


def pairs_of(run: RunFolder, plan: TrainingPlan, progress: Progress) -> Sequence[Pair]:
    """Pairs of a finished training's held-out photographs, base against tuned. Raises UserError:
    the training's files are not all there.
    """
    from retina_viewer.finetuning.tuning_data import held_out_copies
    from retina_viewer.model_store.card import read_card
    from retina_viewer.model_store.store import find_model
    from retina_viewer.quality.blinded import make_pairs

    return make_pairs(
        find_model(plan.base),
        read_card(run.model),
        held_out_copies(run, plan, progress),
        scale=2 ** max(plan.steps),
        tuned_twin=read_card(run.twin) if run.twin.is_dir() else None,
        device=plan.device,
        progress=progress,
    )


_ACCEPT = "training accept"


class KeepPage(WizardPage):
    """Title, note, default."""

    kept = Signal(object)
    """(ModelCard): it is among the person's models now"""

    def __init__(self, context: WizardContext, verdict: VerdictPage) -> None:
        super().__init__(
            context,
            "What shall the model be called?",
            "It gets a place beside the others; a version that is there is never overwritten. "
            "Its card holds counts and hashes, no names of patients or files.",
        )
        self._verdict = verdict
        self.setFinalPage(True)
        self.title_line = QtWidgets.QLineEdit()
        self.title_line.setMaxLength(80)
        self.title_line.textChanged.connect(self._title_changed)
        self.name = QtWidgets.QLabel()
        self.note = QtWidgets.QPlainTextEdit()
        self.note.setPlaceholderText("What you want to remember of it; stays on this computer")
        self.note.setMaximumHeight(110)
        self.note.setTabChangesFocus(True)
        self.default = Switch("Use it from now on, instead of its base")
        form = panel_form()
        form.setVerticalSpacing(12)
        form.addRow(dim_label("Title"), self.title_line)
        form.addRow(dim_label("Stored as"), self.name)
        form.addRow(dim_label("Note"), self.note)
        layout.add(self.column, form, self.default, ...)
        self.card: ModelCard | None = None

    def initializePage(self) -> None:
        self.card = None
        run = self.context.trainings.run
        if run is not None and not self.title_line.text():
            self.title_line.setText(_proposed_title(run))
        self.default.setChecked(not self._verdict.needs_reason)
        self._title_changed()

    def _title_changed(self) -> None:
        self.name.setText(name_from_title(self.title_line.text()))
        self.completeChanged.emit()

    def isComplete(self) -> bool:
        busy = self.context.jobs.is_active(_ACCEPT)
        return bool(self.title_line.text().strip()) and not busy

    def validatePage(self) -> bool:
        """Keep the model, in the background; the wizard is finished when that is done."""
        run = self.context.trainings.run
        if self.card is not None:
            return True
        if run is None or self.context.jobs.is_active(_ACCEPT):
            return False
        self.show_problem(None)
        title, note = self.title_line.text().strip(), self.note.toPlainText().strip()
        name, reason = self.name.text(), self._verdict.reason.text().strip()
        is_default = self.default.isChecked()
        self.context.jobs.submit(
            _ACCEPT,
            lambda _: keep(run, name, title, reason=reason, note=note, is_default=is_default),
            self._done,
            failed=self.failed,
            title="keeping",
        )
        self.completeChanged.emit()
        return False

    def failed(self, error: Exception) -> None:
        super().failed(error)
        self.completeChanged.emit()

    def _done(self, card: ModelCard) -> None:
        self.card = card
        self.context.trainings.let_go(f"kept as {card.name}")
        self.kept.emit(card)
        self.wizard().accept()


def _proposed_title(run: RunFolder) -> str:
    try:
        return read_card(run.model).title
    except UserError:  # keeping will say what is wrong with it
        return ""


def keep(
    run: RunFolder, name: str, title: str, *, reason: str, note: str, is_default: bool
) -> ModelCard:
    """Accept a training's model, and make it the default of its task if so wished. Raises
    UserError: it cannot be kept; or it was kept but cannot be the default, and is then told so.
    """
    from retina_viewer.model_store.defaults import set_default
    from retina_viewer.model_store.own_models import accept, kept_as

    card = kept_as(run.path) or accept(run.path, name, title, reason or None, note=note)
    if is_default:
        try:
            set_default(card.name)
        except UserError as error:
            raise UserError(
                f"The model was kept as {card.name}, but could not be made the default: "
                f"{error.message}",
                error.hint,
            ) from error
    return card


_KEY = "training verdict"
TOO_FEW = "Too few patients to tell"


class VerdictPage(WizardPage):
    """What the gate found. What is not better is kept only for a reason in the person's words."""

    following = PageId.KEEP

    def __init__(self, context: WizardContext) -> None:
        super().__init__(context, "The verdict")
        self.verdict: Verdict | None = None
        self._body = QtWidgets.QScrollArea()
        layout.scroll(self._body)
        self.sentences, self.preference = layout.label(), layout.label()
        self.sentences.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.preference.hide()
        tip = "See pairs of crops without knowing which model made which"
        self.compare = layout.button("Compare blind…", tip, self.compare_blind)
        self.discard = layout.button("Do not keep the model…", act=self._confirm_discard)
        self.reason = QtWidgets.QLineEdit()
        self.reason.setAccessibleName("Reason for keeping the model")
        self.reason.setPlaceholderText("Why should it be kept all the same? Name no patients.")
        self.reason.setMaxLength(500)
        self.reason.textChanged.connect(self.completeChanged)
        self.reason_label = dim_label(
            "It is not shown to be better. To keep it, give a reason; it is recorded in the "
            "model's card."
        )
        buttons = layout.row(self.compare, self.discard, ..., spacing=8)
        layout.add(self.column, self.sentences, (self._body, 1), self.preference, buttons)
        layout.add(self.column, self.reason_label, self.reason)

    def initializePage(self) -> None:
        self.verdict = None
        self.reason.clear()
        self.preference.hide()
        run, plan = self.context.trainings.run, self.context.trainings.plan
        if run is None or plan is None:
            return
        # The two of a vessel model's pictures would be drawings: there is nothing to prefer.
        self.compare.setVisible(plan.task == "superres")
        self.do(_KEY, lambda _: read_verdict(run), self._show)

    @property
    def summary(self) -> str:
        return "" if self.verdict is None else self.verdict.conclusion

    @property
    def needs_reason(self) -> bool:
        return self.verdict is None or self.verdict.conclusion != "better"

    def _show(self, verdict: Verdict | None) -> None:
        self.verdict = verdict
        if verdict is None:
            self.heading.setText("There is no verdict")
            self.sentences.setText("The model was not compared with its base.")
        else:
            heading, sentences = in_words(verdict)
            self.heading.setText(heading)
            self.sentences.setText("\n".join(sentences))
            self._body.setWidget(_figures(verdict))
        for widget in (self.reason, self.reason_label):
            widget.setVisible(self.needs_reason)
        self.completeChanged.emit()

    def failed(self, error: Exception) -> None:
        super().failed(error)
        self._show(None)

    def compare_blind(self) -> None:
        """Open the blinded comparison."""
        run, plan = self.context.trainings.run, self.context.trainings.plan
        if run is None or plan is None:
            return
        dialog = BlindedDialog(partial(pairs_of, run, plan), self.context.jobs, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.answered.connect(self._show_preference)
        dialog.open()

    def _show_preference(self, found: Preference) -> None:
        self.preference.setText(f"Blinded comparison: {found.sentence}")
        self.preference.show()

    def _confirm_discard(self) -> None:
        layout.ask_before_loss(
            self,
            "Do not keep the model",
            "Leave the tuned model, and go on with the models there were?",
            "The training's folder stays until it is deleted.",
            yes="Do not keep it",
            no="Back",
            act=self._discard,
        )

    def _discard(self) -> None:
        self.context.trainings.let_go("not kept")
        wizard = self.wizard()
        if wizard is not None:
            wizard.reject()

    def isComplete(self) -> bool:
        return not self.needs_reason or len(self.reason.text().strip()) > 2


def in_words(verdict: Verdict) -> tuple[str, list[str]]:
    """A heading, and the sentences under it."""
    kept = [text.replace("p = ", "p\u00a0=\u00a0") for text in verdict.sentences]
    if verdict.conclusion == "too few" or not kept:
        return TOO_FEW, kept
    return kept[0].rstrip("."), kept[1:]


def read_verdict(run: RunFolder) -> Verdict | None:
    """The verdict of a finished training; None where there is none that can be read."""
    try:
        return Verdict.model_validate_json(run.verdict_file.read_bytes())
    except (OSError, ValidationError):
        return None


def _figures(verdict: Verdict) -> QtWidgets.QWidget:
    title = f"On {verdict.patients} held-out patients of yours; the figure in bold decides"
    parts: list[QtWidgets.QWidget] = []
    if verdict.comparisons:
        parts += [layout.label(title, "strong", wraps=False), show_held_out(verdict)]
    title = "On the bundled photographs of other cameras: was anything forgotten?"
    if verdict.general:
        parts += [layout.label(title, "strong", wraps=False), show_general(verdict)]
    return layout.holding(layout.column(*parts, ..., spacing=8, margins=0))
