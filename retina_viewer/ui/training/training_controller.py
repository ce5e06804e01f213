"""What the window has of training: wizard, menu, the bar for one that waits, the last question."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QMenu, QMessageBox, QToolButton, QWidget

from retina_viewer.core.errors import UserError
from retina_viewer.core.settings import Settings
from retina_viewer.finetuning.run_folder import RunFolder, RunRequest
from retina_viewer.model_store.card import ModelCard
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.theme import HIT_TARGET, tabular
from retina_viewer.ui.training.training_status import Phase, duration
from retina_viewer.ui.training.trainings import FoundRun, Trainings
from retina_viewer.ui.training.wizard import TrainingWizard
from retina_viewer.ui.widgets import layout

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
    """The training in the status bar, and the way back to it; hidden while there is none."""

    clicked = Signal()

    def __init__(self, trainings: Trainings) -> None:
        super().__init__()
        self._trainings = trainings
        self.button = QToolButton()
        self.button.setToolTip("Show the training (Ctrl+T)")
        self.button.setMinimumHeight(HIT_TARGET)
        self.button.setFont(tabular(self.button.font()))
        self.button.clicked.connect(self.clicked)
        self.bar = layout.bar()
        self.bar.setFixedWidth(80)
        self.setLayout(layout.row(self.button, self.bar, spacing=4, margins=0))
        trainings.changed.connect(self._show)
        trainings.followed.connect(self._show)
        self._show()

    def _show(self) -> None:
        phase, status = self._trainings.phase, self._trainings.status
        self.setVisible(self._trainings.run is not None and phase is not Phase.CANCELLED)
        self.bar.setVisible(phase.is_active)
        self.bar.setValue(round(status.fraction * 1000))
        left = status.seconds_left if status.iterations else None
        time = "" if left is None else f", {duration(left)} left"
        running = f"Training {status.fraction:.0%}{time}"
        self.button.setText(running if phase is Phase.RUNNING else _WORDS.get(phase, ""))


class WaitingRunBar(QFrame):
    """Hidden until there is something to offer."""

    wanted = Signal(object)
    """(FoundRun): the person wants to see it"""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "notice")
        self._found: FoundRun | None = None
        self.text = layout.label()
        self.show_button = layout.button("Show it", act=self._show_it)
        self.later = layout.button("Later", act=self.hide)
        parts = ((self.text, 1), self.show_button, self.later)
        self.setLayout(layout.row(*parts, spacing=8, margins=(16, 6, 8, 6)))
        self.hide()

    def offer(self, found: FoundRun, others: int) -> None:
        """Offer one; ``others`` is how many more there are."""
        self._found = found
        said = f": {found.message}" if found.message else "."
        more = f" {others} more in the menu “Models”." if others else ""
        self.text.setText(
            f"The training of {found.created.astimezone():%d %B, %H:%M} ({found.title}) "
            f"{found.in_words}{said}{more}"
        )
        self.show()

    def agree_with(self, run: RunFolder | None, phase: Phase) -> None:
        """Take back what is no longer so of the run that is followed: what stands here and what
        the status bar says must not contradict each other."""
        found = self._found
        if found is not None and run is not None and (found.run, found.phase) != (run, phase):
            self.hide()

    def _show_it(self) -> None:
        self.hide()
        self.wanted.emit(self._found)


class TrainingController(QObject):
    """Made with the window; looks for trainings of earlier days when asked to."""

    kept = Signal(object)
    """(ModelCard): a tuned model is among the person's models now"""
    problem = Signal(object)
    """(Exception) for the person to read"""

    def __init__(self, jobs: Jobs, settings: Settings, window: QWidget) -> None:
        super().__init__(window)
        self._jobs, self._settings, self._window = jobs, settings, window
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
        self.trainings.changed.connect(self._changed)

    def fill_menu(self, menu: QMenu) -> None:
        """What can be done about trainings."""
        menu.clear()
        menu.addAction("Train a model…\tCtrl+T", self.show)
        others = [one for one in self._known if one.run != self.trainings.run and one.is_open]
        if not others or self.trainings.is_active:
            return
        menu.addAction("Trainings").setEnabled(False)
        for found in others:
            if found.plan is None:
                menu.addAction(f"{found.title} cannot be read").setEnabled(False)
            else:
                menu.addAction(f"{found.title} {found.in_words}", partial(self.open_run, found))

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

    def open_run(self, found: FoundRun) -> None:
        """Follow a training that was found, and show it."""
        if self.trainings.run != found.run and found.plan is not None:
            self.trainings.follow(found.run, found.plan)
        self.show()

    def _wizard(self) -> TrainingWizard:
        if self.wizard is None:
            self.wizard = TrainingWizard(self.trainings, self._jobs, self._settings, self._window)
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
        self.trainings.look_for_runs()

    def _found(self, known: Sequence[FoundRun]) -> None:
        self._known = known
        waiting = [one for one in known if one.run != self.trainings.run and one.plan is not None]
        if self.trainings.run is not None or not waiting:
            return
        first = next((one for one in waiting if one.phase is Phase.RUNNING), waiting[0])
        if first.phase is Phase.RUNNING and first.plan is not None:
            self.trainings.follow(first.run, first.plan)  # in the status bar from the start
        if not (self.wizard is not None and self.wizard.isVisible()):
            self.waiting_bar.offer(first, len(waiting) - 1)

    def _changed(self) -> None:
        self.waiting_bar.agree_with(self.trainings.run, self.trainings.phase)
        self._close_when_told()

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
        words: dict[str, RunRequest | None] = {
            "Keep training in the background": None,
            "Pause it": "pause",
            "Stop it and keep the best": "stop",
        }
        for text, word in words.items():
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

    def _close_with(self, word: RunRequest | None, checked: bool = False) -> None:
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
