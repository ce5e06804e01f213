"""What the window has of training: wizard, menu, the bar for one that waits, the last question."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QToolButton,
    QWidget,
)

from retina_viewer.core.errors import UserError
from retina_viewer.core.settings import Settings
from retina_viewer.finetuning.run_folder import Request, RunFolder
from retina_viewer.model_store.card import ModelCard
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.theme import HIT_TARGET, Tokens, tabular
from retina_viewer.ui.training.training_status import Phase, duration
from retina_viewer.ui.training.trainings import FoundRun, Trainings, run_title
from retina_viewer.ui.training.wizard import TrainingWizard

_WORDS = {
    Phase.PREPARED: "Training prepared",
    Phase.STARTING: "Training starts",
    Phase.PAUSED: "Training paused",
    Phase.FINISHED: "Training finished: see what came of it",
    Phase.FAILED: "Training failed",
    Phase.KILLED: "Training was stopped",
    Phase.GONE: "Training's folder is missing",
}


class TrainingChip(QWidget):
    """Hidden while there is no training."""

    clicked = Signal()

    def __init__(self, trainings: Trainings) -> None:
        super().__init__()
        self._trainings = trainings
        self.button = QToolButton()
        self.button.setToolTip("Show the training (Ctrl+T)")
        self.button.setMinimumHeight(HIT_TARGET)
        self.button.setFont(tabular(self.button.font()))
        self.button.clicked.connect(self.clicked)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setFixedWidth(80)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.button)
        row.addWidget(self.bar)
        trainings.changed.connect(self._show)
        trainings.followed.connect(self._show)
        self._show()

    def _show(self) -> None:
        trainings = self._trainings
        shown = trainings.run is not None and trainings.phase is not Phase.CANCELLED
        self.setVisible(shown)
        if not shown:
            return
        self.bar.setVisible(trainings.phase.is_active)
        self.bar.setValue(round(trainings.status.fraction * 1000))
        self.button.setText(self._text())

    def _text(self) -> str:
        trainings = self._trainings
        if trainings.phase is not Phase.RUNNING:
            return _WORDS.get(trainings.phase, "")
        left = trainings.status.seconds_left
        time = (
            f", {duration(left)} left" if left is not None and trainings.status.iterations else ""
        )
        return f"Training {trainings.status.fraction:.0%}{time}"


WORDS = {
    Phase.PREPARED: "was prepared and not started",
    Phase.RUNNING: "is running in the background",
    Phase.PAUSED: "is paused",
    Phase.FINISHED: "is finished and waits for your decision",
    Phase.FAILED: "has failed",
    Phase.KILLED: "was stopped from outside; it can go on",
}


class WaitingRunBar(QFrame):
    """Hidden until there is something to offer."""

    wanted = Signal(object)
    """(FoundRun): the person wants to see it"""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "notice")
        self._known: FoundRun | None = None
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.show_button = QPushButton("Show it")
        self.show_button.clicked.connect(self._show_it)
        self.later = QPushButton("Later")
        self.later.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(self.text, 1)
        for button in (self.show_button, self.later):
            button.setMinimumHeight(HIT_TARGET)
            row.addWidget(button)
        self.hide()

    def offer(self, known: FoundRun, others: int) -> None:
        """Offer one; ``others`` is how many more there are."""
        self._known = known
        said = f": {known.message}" if known.message else "."
        more = f" {others} more in the menu “Models”." if others else ""
        self.text.setText(
            f"The training of {known.created.astimezone():%d %B, %H:%M} ({run_title(known)}) "
            f"{WORDS.get(known.phase, known.phase.value)}{said}{more}"
        )
        self.show()

    def agree_with(self, run: RunFolder | None, phase: Phase) -> None:
        """Take back what is no longer so, now that a training is followed: what stands here and
        what the status bar says must not contradict each other.

        Args:
            run: that is followed; None for none.
            phase: where it stands.
        """
        known = self._known
        if known is not None and run is not None and (known.run, known.phase) != (run, phase):
            self.hide()

    def _show_it(self) -> None:
        self.hide()
        self.wanted.emit(self._known)


class TrainingController(QObject):
    """Made with the window; looks for trainings of earlier days when asked to."""

    kept = Signal(object)
    """(ModelCard): a tuned model is among the person's models now"""
    problem = Signal(object)
    """(Exception) for the person to read"""

    def __init__(self, jobs: Jobs, settings: Settings, tokens: Tokens, window: QWidget) -> None:
        super().__init__(window)
        self._jobs, self._settings, self._tokens, self._window = jobs, settings, tokens, window
        self.trainings = Trainings(jobs, self)
        self.chip = TrainingChip(self.trainings)
        self.waiting_bar = WaitingRunBar()
        self.wizard: TrainingWizard | None = None
        self.question: QMessageBox | None = None
        self._known: Sequence[FoundRun] = ()
        self._may_close = self._closing = False
        self.chip.clicked.connect(self.show)
        self.waiting_bar.wanted.connect(self.open_run)
        self.trainings.found.connect(self._found)
        self.trainings.changed.connect(self._close_when_told)
        self.trainings.changed.connect(self._correct_bar)

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of a theme."""
        self._tokens = tokens
        if self.wizard is not None:
            self.wizard.use_tokens(tokens)

    # Ways in

    def look_for_runs(self) -> None:
        """In the background: is there a training that waits for the person?"""
        self.trainings.look_for_runs()

    def fill_menu(self, menu: QMenu) -> None:
        """What can be done about trainings."""
        menu.clear()
        menu.addAction("Train a model…\tCtrl+T", self.show)
        others = [one for one in self._known if one.run != self.trainings.run and one.is_open]
        if others and not self.trainings.is_active:
            heading = menu.addAction("Trainings")
            heading.setEnabled(False)
            for known in others:
                words = WORDS.get(known.phase, known.phase.value)
                if known.plan is None:
                    menu.addAction(f"{run_title(known)} cannot be read").setEnabled(False)
                else:
                    menu.addAction(f"{run_title(known)} {words}", partial(self.open_run, known))

    def show(self) -> None:
        """The wizard: of the training that is followed, or where it was left."""
        wizard = self._wizard()
        if self.trainings.run is not None:
            wizard.show_run()
        wizard.present()

    def train_from(self, base: ModelCard) -> None:
        """The wizard, with this model to train further; where a training is open, that one, and
        why."""
        if self.trainings.run is None:
            self._wizard().train_from(base)
            self.show()
            return
        self.show()
        self._wizard().training.show_problem(
            UserError(
                f"“{base.title}” can be trained on when this training is done with.",
                "Keep its model or discard it first.",
            )
        )

    def open_run(self, known: FoundRun) -> None:
        """Follow a training that was found, and show it."""
        if self.trainings.run != known.run and known.plan is not None:
            self.trainings.follow(known.run, known.plan)
        self.show()

    def _wizard(self) -> TrainingWizard:
        if self.wizard is None:
            self.wizard = TrainingWizard(
                self.trainings, self._jobs, self._settings, self._tokens, self._window
            )
            self.wizard.kept.connect(self.kept)
            self.wizard.finished.connect(self._wizard_closed)
        return self.wizard

    def _wizard_closed(self) -> None:
        """Begin anew the next time, when nothing is left of this training."""
        trainings = self.trainings
        if trainings.phase is Phase.CANCELLED and trainings.run is not None:
            trainings.let_go()
        if trainings.run is None and self.wizard is not None and self.wizard.currentId() >= 5:
            self.wizard.deleteLater()
            self.wizard = None
        self.look_for_runs()

    def _found(self, known: Sequence[FoundRun]) -> None:
        self._known = known
        waiting = [one for one in known if one.run != self.trainings.run and one.plan is not None]
        if self.trainings.run is not None or not waiting:
            return
        running = next((one for one in waiting if one.phase is Phase.RUNNING), None)
        first = running or waiting[0]
        if running is not None and running.plan is not None:
            self.trainings.follow(running.run, running.plan)  # in the status bar from the start
        if not (self.wizard is not None and self.wizard.isVisible()):
            self.waiting_bar.offer(first, len(waiting) - 1)

    def _correct_bar(self) -> None:
        self.waiting_bar.agree_with(self.trainings.run, self.trainings.phase)

    # The window closes

    def may_close(self) -> bool:
        """Whether the window may close now; where a training runs, the person is asked first and
        the window is closed with the answer."""
        if self._may_close or not self.trainings.is_active:
            return True
        if self.question is None:
            self._ask()
        return False

    def _ask(self) -> None:
        box = self.question = QMessageBox(self._window)
        box.setWindowTitle("A training is running")
        box.setText("A training is running. What shall become of it?")
        box.setInformativeText(
            "In the background it goes on without this window, and is found again at the next "
            "start."
        )
        role = QMessageBox.ButtonRole
        answers: tuple[tuple[str, Request | None], ...] = (
            ("Keep training in the background", None),
            ("Pause it", "pause"),
            ("Stop it and keep the best", "stop"),
        )
        for text, word in answers:
            button = box.addButton(text, role.AcceptRole)
            button.clicked.connect(partial(self._close_with, word))
            if word is None:
                box.setDefaultButton(button)
        box.setEscapeButton(box.addButton("Do not close", role.RejectRole))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.finished.connect(self._answered)
        box.open()

    def _answered(self) -> None:
        self.question = None

    def _close_with(self, word: Request | None, checked: bool = False) -> None:
        try:
            if word is not None:
                self.trainings.ask(word)
        except UserError as error:
            self.problem.emit(error)
            return
        self._closing = True
        self._window.setEnabled(False)
        self._close_when_told()

    def _close_when_told(self) -> None:
        """A process that is still starting hears only when it listens; then the window goes."""
        if self._closing and not self.trainings.is_untold:
            self._closing, self._may_close = False, True
            self._window.close()
