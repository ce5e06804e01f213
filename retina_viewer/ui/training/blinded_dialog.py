"""The blinded comparison: which of two crops is closer to the truth, not knowing whose it is?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.quality.blinded import Answer, Pair, Preference, score
from retina_viewer.ui.job import Job, Lane
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.training.run_views import PatchPicture
from retina_viewer.ui.widgets.fields import dim_label

_KEY = "training blinded"
ANSWERS: tuple[tuple[Answer, str, str], ...] = (
    ("left", "Left", "Left"),
    ("same", "No difference", "Down"),
    ("right", "Right", "Right"),
)


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
        self.question = QLabel()
        self.question.setProperty("role", "heading")
        self.question.setWordWrap(True)
        self.hint = dim_label(
            "One is the base model's, one the tuned model's; which is which is not told before the "
            "end. Arrow keys answer as well. Every result is made anew from the shrunk photograph."
        )
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.pictures = {name: PatchPicture(name) for name in ("left", "truth", "right")}
        self.buttons: dict[Answer, QPushButton] = {}
        self._arrange()
        jobs.progressed.connect(self._progressed)
        self._show_waiting()
        jobs.submit(_KEY, make, self._made, failed=self._failed, lane=Lane.LONG)

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        column.addWidget(self.question)
        column.addWidget(self.hint)
        column.addWidget(self.bar)
        self._room = QWidget()
        grid = QGridLayout(self._room)
        grid.setContentsMargins(0, 0, 0, 0)
        for place, (name, caption) in enumerate(
            (("left", "Left"), ("truth", "True photograph"), ("right", "Right"))
        ):
            label = QLabel(caption)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(label, 0, place)
            grid.addWidget(self.pictures[name], 1, place)
        grid.setRowStretch(1, 1)
        column.addWidget(self._room, 1)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        for answer, text, key in ANSWERS:
            button = self.buttons[answer] = QPushButton(text)
            button.setMinimumSize(140, HIT_TARGET + 4)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, answer=answer: self.answer(answer))
            QShortcut(QKeySequence(key), self, lambda answer=answer: self.answer(answer))
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        self.close_button = QPushButton("Close")
        self.close_button.setMinimumHeight(HIT_TARGET)
        self.close_button.setAutoDefault(False)
        self.close_button.clicked.connect(self.reject)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self.close_button)
        column.addLayout(last)

    def answer(self, answer: Answer) -> None:
        """Take an answer to the present pair, and show the next one."""
        if self.preference is not None or not self.pairs:
            return
        self.answers.append(answer)
        self._show_pair()

    def _show_waiting(self) -> None:
        self.question.setText("Making pairs of crops…")
        self._room.hide()
        for button in self.buttons.values():
            button.hide()

    def _progressed(self, job: Job) -> None:
        if job.key == _KEY:
            self.bar.setValue(round(job.fraction * 1000))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.setFocus()  # a ring around one of the answers would suggest it

    def _made(self, pairs: Sequence[Pair]) -> None:
        self.pairs = pairs
        self.bar.setRange(0, max(1, len(pairs)))
        self._room.show()
        for button in self.buttons.values():
            button.show()
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
        for name in ("left", "truth", "right"):
            self.pictures[name].show_image(as_image(getattr(pair, name)))

    def _show_preference(self) -> None:
        self.preference = score(self.pairs, self.answers)
        self.question.setText(self.preference.sentence)
        self.hint.hide()
        self._room.hide()
        for button in self.buttons.values():
            button.hide()
        self.answered.emit(self.preference)

    def done(self, code: int) -> None:
        self._jobs.cancel(_KEY)
        super().done(code)


def as_image(rgb: NDArray[np.uint8]) -> QImage:
    """``(h, w, 3)`` uint8 as a picture with pixels of its own."""
    pixels = np.ascontiguousarray(rgb)
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def pairs_of(run: RunFolder, plan: TrainingPlan, progress: Progress) -> Sequence[Pair]:
    """Pairs of a finished training's held-out photographs, base against tuned.

    Raises:
        UserError: the training's files are not all there.
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
