"""The blinded comparison: which of two crops is closer to the truth, not knowing whose it is?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QPushButton, QWidget

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.quality.blinded import Answer, Pair, Preference, score
from retina_viewer.ui.jobs import Job, Jobs, Lane
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.training.run_views import PatchPicture, as_image
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label

_KEY = "training blinded"
ANSWERS: tuple[tuple[Answer, str, str], ...] = (
    ("left", "Left", "Left"),
    ("same", "No difference", "Down"),
    ("right", "Right", "Right"),
)
CAPTIONS = {"left": "Left", "truth": "True photograph", "right": "Right"}


class BlindedDialog(QDialog):
    """Pair after pair; what the answers say comes at the end.

    Args:
        make: makes the pairs, in a worker.
        jobs: of the window.
        parent: what it belongs to.
    """

    answered = Signal(object)
    """(Preference), at the end"""

    def __init__(
        self, make: Callable[[Progress], Sequence[Pair]], jobs: Jobs, parent: QWidget
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
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        for place, (name, caption) in enumerate(CAPTIONS.items()):
            label = QLabel(caption)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(label, 0, place)
            grid.addWidget(self.pictures[name], 1, place)
        grid.setRowStretch(1, 1)
        self._room = layout.holding(grid)
        self.buttons: dict[Answer, QPushButton] = {}
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
        jobs.submit(_KEY, make, self._made, failed=self._failed, lane=Lane.LONG)

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
        if job.key == _KEY:
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
        self._jobs.cancel(_KEY)
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
