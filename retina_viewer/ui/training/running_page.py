"""Page 5: the training while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QWidget,
)

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.run_folder import Request
from retina_viewer.ui.theme import HIT_TARGET, Tokens, tabular
from retina_viewer.ui.training.run_views import CropsView, CurvesView
from retina_viewer.ui.training.training_status import Phase, duration
from retina_viewer.ui.training.trainings import Trainings
from retina_viewer.ui.training.wizard_page import PageId, WizardContext, WizardPage
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.segments import Segments


class RunButtons(QWidget):
    """A row of buttons for the training that is followed."""

    failed = Signal(object)
    """(Exception or None) after every attempt"""

    def __init__(self, trainings: Trainings) -> None:
        super().__init__()
        self._trainings = trainings
        self.pause = _button("Pause", "Stop computing; go on later from here")
        self.pause.clicked.connect(self._pause_or_resume)
        self.stop = _button("Stop and keep the best", "End now with the best model so far")
        self.stop.clicked.connect(lambda: self._ask("stop"))
        self.cancel = _button("Cancel…", "End now and keep nothing")
        self.cancel.clicked.connect(self._confirm_cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for button in (self.pause, self.stop, self.cancel):
            row.addWidget(button)
        row.addStretch(1)

    def show_state(self) -> None:
        """Offer what can be done now."""
        trainings = self._trainings
        phase, asked = trainings.phase, trainings.asked
        open_ended = phase.is_active or phase.can_resume
        for button in (self.pause, self.stop, self.cancel):
            button.setVisible(open_ended)
        self.pause.setText("Pause" if phase.is_active else "Resume")
        self.pause.setEnabled(asked is None)
        self.stop.setEnabled(asked is None and any(trainings.status.history.stages))
        self.cancel.setEnabled(asked != "cancel")

    def _pause_or_resume(self) -> None:
        if self._trainings.phase.is_active:
            self._ask("pause")
        else:
            self._try(self._trainings.resume)

    def _ask(self, what: Request) -> None:
        self._try(lambda: self._trainings.ask(what))

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except UserError as error:
            self.failed.emit(error)
        else:
            self.failed.emit(None)

    def _confirm_cancel(self) -> None:
        box = QMessageBox(self)
        box.setWindowTitle("Cancel the training")
        box.setText("Cancel the training and throw away what was trained?")
        box.setInformativeText("“Stop and keep the best” ends it too, with a model.")
        yes = box.addButton("Cancel the training", QMessageBox.ButtonRole.DestructiveRole)
        no = box.addButton("Go on", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(no)
        yes.clicked.connect(lambda: self._ask("cancel"))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setMinimumHeight(HIT_TARGET)
    button.setAutoDefault(False)
    return button


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
ASKED: dict[Request, str] = {
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

    def __init__(self, context: WizardContext) -> None:
        super().__init__(context, "The model is training")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName("How far the training is")
        self.state = QLabel()
        self.performance = dim_label()
        for label in (self.state, self.performance):
            label.setFont(tabular(label.font()))
            label.setWordWrap(True)
        self.readings = dim_label()
        self.notices = dim_label()
        self.view = Segments(
            [
                ("curves", "Curves", "Losses and validation"),
                ("crops", "Before and after", "Patches of photographs that are not trained on"),
            ],
            "Shown",
        )
        self.view.set_value("curves")
        self.view.chosen.connect(self._choose_view)
        self.curves = CurvesView(context.tokens)
        self.crops = CropsView()
        self.controls = RunButtons(context.trainings)
        self.controls.failed.connect(self.show_problem)
        self._shown: _Shown | None = None
        self._complete = False
        self._arrange()
        context.trainings.changed.connect(self._show)
        context.trainings.followed.connect(self._followed)

    def _arrange(self) -> None:
        self._stack = QStackedWidget()
        self._stack.addWidget(self.curves)
        self._stack.addWidget(self.crops)
        head = QHBoxLayout()
        head.addWidget(self.state, 1)
        head.addWidget(self.view)
        self.column.addWidget(self.bar)
        self.column.addLayout(head)
        self.column.addWidget(self.performance)
        self.column.addWidget(self._stack, 1)
        self.column.addWidget(self.readings)
        self.column.addWidget(self.notices)
        self.column.addWidget(self.controls)

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of a theme."""
        self.curves.use_tokens(tokens)

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
        self._shown = None
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
        value = _Shown.of(trainings)
        if value != self._shown:
            if self._shown is not None and self._shown.phase is not value.phase:
                self.show_problem(None)  # of what it was before
            self._shown = value
            self._show_words(value)
        if self.isVisible():
            self._show_pictures(trainings)
        complete = trainings.phase is Phase.FINISHED
        if complete != self._complete:
            self._complete = complete
            self.completeChanged.emit()

    def _show_words(self, value: _Shown) -> None:
        self.heading.setText(value.heading)
        self.bar.setValue(value.thousandths)
        self.state.setText(value.state)
        self.state.setToolTip(value.details)
        for label, text in (
            (self.performance, value.performance),
            (self.readings, value.readings),
            (self.notices, value.notices),
        ):
            label.setText(text)
            label.setVisible(bool(text))
        self.controls.show_state()

    def _show_pictures(self, trainings: Trainings) -> None:
        status = trainings.status
        if self._stack.currentWidget() is self.crops:
            self.crops.show_folder(status.crops, status.validated_step)
            return
        self.curves.show_history(status.history)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # Not at once: the wizard asks its pages while it shows them.
        QTimer.singleShot(0, self, self._show)

    def isComplete(self) -> bool:
        return self._complete

    def nextId(self) -> int:
        return self.step_to(PageId.VERDICT)


@dataclass(frozen=True)
class _Shown:
    """All words of the page: equal values look alike."""

    phase: Phase
    heading: str
    thousandths: int
    state: str
    details: str
    performance: str
    readings: str
    notices: str
    controls: tuple[object, ...]

    @classmethod
    def of(cls, trainings: Trainings) -> _Shown:
        phase, status = trainings.phase, trainings.status
        return cls(
            phase,
            _JUDGED if phase is Phase.RUNNING and status.is_trained else TITLES[phase],
            round(1000 * (1.0 if phase is Phase.FINISHED else status.fraction)),
            state_in_words(trainings),
            trainings.details,
            "   ".join(performance_of(trainings)),
            " ".join(status.readings()),
            "\n".join(status.notices[-_NOTICES:]),
            (trainings.asked, any(status.history.stages)),
        )


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
    status = trainings.status
    if status.stages < 2:
        return ""
    names = status.history.names
    name = f", {names[status.stage]}" if status.stage < len(names) else ""
    return f"Stage {status.stage + 1} of {status.stages}{name}: "


def performance_of(trainings: Trainings) -> list[str]:
    """Device, speed and memory, as far as they are known."""
    status = trainings.status
    parts = []
    if status.device:
        parts.append(f"Device: {_device(status.device)}")
    if status.steps_per_second:
        parts.append(f"Speed: {status.steps_per_second:.2g} steps a second")
    if status.memory_mb is not None:
        parts.append(f"Memory: {status.memory_mb / 1024:.1f} GB at most")
    return parts


def _device(name: str) -> str:
    """``cpu`` and ``cuda:1`` as people call them."""
    if name == "cpu":
        return "processor (CPU)"
    kind, _, number = name.partition(":")
    return f"GPU {number} ({kind.upper()})" if number else name
