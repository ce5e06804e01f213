"""Page 5: the training while it runs."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.run_folder import RunRequest
from retina_viewer.ui.theme import tabular
from retina_viewer.ui.training.run_views import CropsView, CurvesView
from retina_viewer.ui.training.training_status import Phase, TrainingStatus, duration
from retina_viewer.ui.training.trainings import Trainings
from retina_viewer.ui.training.wizard_page import PageId, WizardContext, WizardPage
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.segments import Segments


class RunButtons(QWidget):
    """A row of buttons for the training that is followed."""

    failed = Signal(object)
    """(Exception or None) after every attempt"""

    def __init__(self, trainings: Trainings) -> None:
        super().__init__()
        self._trainings = trainings
        self.pause = layout.button("Pause", "Stop computing; go on later from here")
        self.pause.clicked.connect(self._pause_or_resume)
        self.stop = layout.button("Stop and keep the best", "End now with the best model so far")
        self.stop.clicked.connect(lambda: self._ask("stop"))
        self.cancel = layout.button("Cancel…", "End now and keep nothing", self._confirm_cancel)
        self._all = (self.pause, self.stop, self.cancel)
        self.setLayout(layout.row(*self._all, ..., spacing=8, margins=0))

    def show_state(self) -> None:
        """Offer what can be done now."""
        trainings = self._trainings
        phase, asked = trainings.phase, trainings.asked
        for button in self._all:
            button.setVisible(phase.is_active or phase.can_resume)
        self.pause.setText("Pause" if phase.is_active else "Resume")
        self.pause.setEnabled(asked is None)
        self.stop.setEnabled(asked is None and any(trainings.status.history.stages))
        self.cancel.setEnabled(asked != "cancel")

    def _pause_or_resume(self) -> None:
        if self._trainings.phase.is_active:
            self._ask("pause")
        else:
            self._try(self._trainings.resume)

    def _ask(self, what: RunRequest) -> None:
        self._try(lambda: self._trainings.ask(what))

    def _try(self, act: Callable[[], None]) -> None:
        problem = None
        try:
            act()
        except UserError as error:
            problem = error
        self.failed.emit(problem)

    def _confirm_cancel(self) -> None:
        layout.ask_before_loss(
            self,
            "Cancel the training",
            "Cancel the training and throw away what was trained?",
            "“Stop and keep the best” ends it too, with a model.",
            yes="Cancel the training",
            no="Go on",
            act=lambda: self._ask("cancel"),
        )


TITLES = {
    Phase.PREPARED: "The training is prepared",
    Phase.STARTING: "The training is starting",
    Phase.RUNNING: "The model is training",
    Phase.PAUSED: "The training is paused",
    Phase.FINISHED: "The training is finished",
    Phase.FAILED: "The training has failed",
    Phase.CANCELLED: "The training was cancelled; nothing was kept",
    Phase.KILLED: "The training was stopped from outside",
    Phase.GONE: "The training's folder is missing",
}
_JUDGED = "The model is trained and is being judged"
ASKED: dict[RunRequest, str] = {
    "pause": "Pausing, after a checkpoint…",
    "stop": "Stopping: the best so far is kept…",
    "cancel": "Cancelling…",
}
NEXT = {
    Phase.STARTING: "The training's process is starting…",
    Phase.RUNNING: "Reading the photographs…",
    Phase.FINISHED: "Go on to see what came of it.",
    Phase.PAUSED: "Resume goes on from where it was.",
    Phase.PREPARED: "Resume starts it.",
    Phase.CANCELLED: "Close this window, and begin anew when you like.",
}
_NOTICES = 3


class RunningPage(WizardPage):
    """Shows the followed training, and passes on what the person wants of it."""

    following = PageId.VERDICT

    def __init__(self, context: WizardContext) -> None:
        super().__init__(context, "The model is training")
        self.bar = layout.bar()
        self.bar.setAccessibleName("How far the training is")
        self.state, self.performance = layout.label(), dim_label()
        for label in (self.state, self.performance):
            label.setFont(tabular(label.font()))
        self.readings, self.notices = dim_label(), dim_label()
        self.view = Segments(
            [
                ("curves", "Curves", "Losses and validation"),
                ("crops", "Before and after", "Patches of photographs that are not trained on"),
            ],
            "Shown",
        )
        self.view.set_value("curves")
        self.view.chosen.connect(self._choose_view)
        self.curves, self.crops = CurvesView(), CropsView()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.curves)
        self._stack.addWidget(self.crops)
        self.controls = RunButtons(context.trainings)
        self.controls.failed.connect(self.show_problem)
        self._phase: Phase | None = None
        self._complete = False
        layout.add(
            self.column,
            self.bar,
            layout.row((self.state, 1), self.view),
            self.performance,
            (self._stack, 1),
            self.readings,
            self.notices,
            self.controls,
        )
        context.trainings.changed.connect(self._show)
        context.trainings.followed.connect(self._followed)

    def initializePage(self) -> None:
        self._show()

    @property
    def summary(self) -> str:
        trainings = self.context.trainings
        if trainings.run is None:
            return ""
        if trainings.phase.is_active:
            return f"{trainings.status.fraction:.0%}"
        return trainings.phase.value

    def _choose_view(self, which: object) -> None:
        self._stack.setCurrentIndex(0 if which == "curves" else 1)
        self._show()

    def _followed(self) -> None:
        self._phase = None
        self.show_problem(None)
        self.crops.show_folder(None, 0)
        self.curves.forget()

    def _show(self) -> None:
        """Bring the page to what is known of the training; what it shows already is left alone.

        Whoever tells that the page's completeness changed has the wizard hide its page and show it
        again: without a change that would go on for ever.
        """
        trainings = self.context.trainings
        if trainings.run is None:
            return
        if trainings.phase is not self._phase and self._phase is not None:
            self.show_problem(None)  # of what it was before
        self._phase = trainings.phase
        self._show_words(trainings)
        status = trainings.status
        if self.isVisible() and self._stack.currentWidget() is self.crops:
            self.crops.show_folder(status.crops, status.validated_step)
        elif self.isVisible():
            self.curves.show_history(status.history)
        complete = trainings.phase is Phase.FINISHED
        if complete != self._complete:
            self._complete = complete
            self.completeChanged.emit()

    def _show_words(self, trainings: Trainings) -> None:
        phase, status = trainings.phase, trainings.status
        judged = phase is Phase.RUNNING and status.is_trained
        self.heading.setText(_JUDGED if judged else TITLES[phase])
        self.bar.setValue(round(1000 * (1.0 if phase is Phase.FINISHED else status.fraction)))
        self.state.setText(state_in_words(trainings))
        self.state.setToolTip(trainings.details)
        for label, text in (
            (self.performance, "   ".join(performance_of(status))),
            (self.readings, " ".join(status.readings())),
            (self.notices, "\n".join(status.notices[-_NOTICES:])),
        ):
            label.setText(text)
            label.setVisible(bool(text))
        self.controls.show_state()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # Not at once: the wizard asks its pages while it shows them.
        QTimer.singleShot(0, self, self._show)

    def isComplete(self) -> bool:
        return self._complete


def state_in_words(trainings: Trainings) -> str:
    """What a training is doing, or why it does not."""
    status = trainings.status
    if trainings.asked is not None:
        return ASKED[trainings.asked]
    if not trainings.phase.is_active:
        said = f"{trainings.message} {trainings.hint}".strip()
        return said or NEXT.get(trainings.phase, "")
    left = status.seconds_left
    time = "" if left is None else f", about {duration(left)} left"
    if status.activity:
        return f"{status.activity[:1].upper()}{status.activity[1:]}{time or '…'}"
    if not status.iterations:
        return NEXT[trainings.phase]
    training = status.seconds_of_training_left
    if left is None and training is not None:  # a training whose end was not measured
        time = f", about {duration(training)} of training left, then the comparison with its base"
    return f"{_stage(trainings)}step {status.step:,} of at most {status.iterations:,}{time}"


def _stage(trainings: Trainings) -> str:
    """``Stage 2 of 2, ×4: ``; nothing where there is one only."""
    status, names = trainings.status, trainings.status.history.names
    if status.stages < 2:
        return ""
    name = f", {names[status.stage]}" if status.stage < len(names) else ""
    return f"Stage {status.stage + 1} of {status.stages}{name}: "


def performance_of(status: TrainingStatus) -> list[str]:
    """Device, speed and memory, as far as they are known."""
    parts = []
    if status.device:
        kind, _, number = status.device.partition(":")
        gpu = f"GPU {number} ({kind.upper()})" if number else kind
        parts.append(f"Device: {'processor (CPU)' if kind == 'cpu' else gpu}")
    if status.steps_per_second:
        parts.append(f"Speed: {status.steps_per_second:.2g} steps a second")
    if status.memory_mb is not None:
        parts.append(f"Memory: {status.memory_mb / 1024:.1f} GB at most")
    return parts
