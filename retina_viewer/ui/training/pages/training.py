"""Page 5: the training while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStackedWidget,
)

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.training.run_folder import Request
from retina_viewer.ui.late_imports import import_late
from retina_viewer.ui.theme import HIT_TARGET, Tokens, tabular
from retina_viewer.ui.training.crops import CropsView
from retina_viewer.ui.training.live import Phase, duration
from retina_viewer.ui.training.page import Page, PageId, Surroundings
from retina_viewer.ui.training.trial import stage_names
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.segments import Segments

if TYPE_CHECKING:
    from retina_viewer.ui.learning_curves import LearningCurves

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
ASKED: dict[Request, str] = {
    "pause": "Pausing, after a checkpoint…",
    "stop": "Stopping: the best so far is kept…",
    "cancel": "Cancelling…",
}


class TrainingPage(Page):
    """Shows the followed training, and passes on what the person wants of it."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around, "The model is training")
        self._curves: LearningCurves | None = None
        self._tokens = around.tokens
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName("How far the training is")
        self.state = QLabel()
        self.facts = dim_label()
        for label in (self.state, self.facts):
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
        self.crops = CropsView()
        self.pause = _button("Pause", "Stop computing; go on later from here")
        self.pause.clicked.connect(self._pause_or_resume)
        self.stop = _button("Stop and keep the best", "End now with the best model so far")
        self.stop.clicked.connect(lambda: self._ask("stop"))
        self.cancel = _button("Cancel…", "End now and keep nothing")
        self.cancel.clicked.connect(self._confirm_cancel)
        self._arrange()
        around.trainings.changed.connect(self._show)
        around.trainings.followed.connect(self._followed)

    def _arrange(self) -> None:
        self._plots = QScrollArea()
        self._plots.setWidgetResizable(True)
        self._plots.setFrameShape(QFrame.Shape.NoFrame)
        self._plots.setWidget(_waiting())
        self._stack = QStackedWidget()
        self._stack.addWidget(self._plots)
        self._stack.addWidget(self.crops)
        head = QHBoxLayout()
        head.addWidget(self.state, 1)
        head.addWidget(self.view)
        self.column.addWidget(self.bar)
        self.column.addLayout(head)
        self.column.addWidget(self.facts)
        self.column.addWidget(self._stack, 1)
        self.column.addWidget(self.readings)
        self.column.addWidget(self.notices)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.pause, self.stop, self.cancel):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.column.addLayout(buttons)

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of a theme."""
        self._tokens = tokens
        if self._curves is not None:
            self._curves.use_tokens(tokens)

    def initializePage(self) -> None:
        self._make_curves()
        self._show()

    @property
    def summary(self) -> str:
        trainings = self.around.trainings
        if trainings.run is None:
            return ""
        if trainings.phase.is_active:
            return f"{trainings.live.fraction:.0%}"
        return trainings.phase.value

    # What the person does

    def _choose_view(self, which: object) -> None:
        self._stack.setCurrentIndex(0 if which == "curves" else 1)
        self._show()

    def _pause_or_resume(self) -> None:
        if self.around.trainings.phase.is_active:
            self._ask("pause")
            return
        self._try(self.around.trainings.resume)

    def _ask(self, what: Request) -> None:
        self._try(lambda: self.around.trainings.ask(what))

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
            self.show_problem(None)
        except UserError as error:
            self.show_problem(error)

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

    # What is shown

    def _followed(self) -> None:
        self.show_problem(None)
        self.crops.show_folder(None, 0)
        if self._curves is not None:
            self._curves.deleteLater()
            self._curves = None
            self._plots.setWidget(_waiting())
            self._make_curves()

    def _make_curves(self) -> None:
        if self._curves is not None or self.around.jobs.is_active("training plots"):
            return

        def work(progress: Progress) -> type[LearningCurves]:
            import_late("pyqtgraph")
            from retina_viewer.ui.learning_curves import LearningCurves

            return LearningCurves

        def done(curves: type[LearningCurves]) -> None:
            self._curves = curves(self._tokens)
            self._show()

        self.around.jobs.submit("training plots", work, done)

    def _show(self) -> None:
        trainings = self.around.trainings
        if trainings.run is None:
            return
        phase, live = trainings.phase, trainings.live
        self.heading.setText(TITLES[phase])
        self.bar.setValue(round(1000 * (1.0 if phase is Phase.FINISHED else live.fraction)))
        self.state.setText(self._state_in_words())
        self.facts.setText("   ".join(self._facts()))
        self.facts.setVisible(bool(self.facts.text()))
        self.notices.setText("\n".join(live.notices[-3:]))
        self.notices.setVisible(bool(live.notices))
        self._show_buttons(phase)
        if self.isVisible():
            self._show_curves()
        self.completeChanged.emit()

    def _state_in_words(self) -> str:
        trainings, live = self.around.trainings, self.around.trainings.live
        if trainings.asked is not None:
            return ASKED[trainings.asked]
        if not trainings.phase.is_active:
            said = f"{trainings.message} {trainings.hint}".strip()
            return said or _NEXT.get(trainings.phase, "")
        if live.activity or not live.iterations:
            return f"{live.activity[:1].upper()}{live.activity[1:]}…" if live.activity else "…"
        left = live.seconds_left
        time = "" if left is None else f", about {duration(left)} left"
        return f"{self._stage()}step {live.step:,} of at most {live.iterations:,}{time}"

    def _stage(self) -> str:
        trainings, live = self.around.trainings, self.around.trainings.live
        if trainings.plan is None or live.stages < 2:
            return ""
        names = stage_names(trainings.plan, live.stages)
        name = f", {names[live.stage]}" if live.stage < len(names) else ""
        return f"Stage {live.stage + 1} of {live.stages}{name}: "

    def _facts(self) -> list[str]:
        live = self.around.trainings.live
        facts = []
        if live.device:
            facts.append(f"Device: {live.device}")
        if live.steps_per_second:
            facts.append(f"Speed: {live.steps_per_second:.2g} steps a second")
        if live.memory_mb is not None:
            facts.append(f"Memory: {live.memory_mb / 1024:.1f} GB at most")
        return facts

    def _show_curves(self) -> None:
        trainings, live = self.around.trainings, self.around.trainings.live
        self.readings.setText(" ".join(live.readings()))
        self.readings.setVisible(bool(self.readings.text()))
        if self._stack.currentIndex() == 1:
            self.crops.show_folder(live.crops, live.validated_step)
        elif self._curves is not None and any(live.history.stages):
            if trainings.plan is not None:
                live.history.names = stage_names(trainings.plan, live.stages)
            self._curves.show_history(live.history)
            if self._plots.widget() is not self._curves:
                self._plots.setWidget(self._curves)
            self._curves.setMinimumHeight(self._curves.wanted_height)

    def _show_buttons(self, phase: Phase) -> None:
        asked = self.around.trainings.asked
        self.pause.setText("Pause" if phase.is_active else "Resume")
        self.pause.setVisible(phase.is_active or phase.can_resume)
        self.pause.setEnabled(asked is None)
        self.stop.setVisible(phase.is_active or phase.can_resume)
        self.stop.setEnabled(asked is None and any(self.around.trainings.live.history.stages))
        self.cancel.setVisible(phase.is_active or phase.can_resume)
        self.cancel.setEnabled(asked != "cancel")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # Not at once: the wizard asks its pages while it shows them.
        QTimer.singleShot(0, self, self._show)

    def isComplete(self) -> bool:
        return self.around.trainings.phase is Phase.FINISHED

    def nextId(self) -> int:
        return self.step_to(PageId.VERDICT)


_NEXT = {
    Phase.FINISHED: "Go on to the verdict.",
    Phase.PAUSED: "Resume goes on from where it was.",
    Phase.PREPARED: "Resume starts it.",
    Phase.CANCELLED: "Close this window, and begin anew when you like.",
}


def _waiting() -> QLabel:
    label = dim_label("The first curves come after the first steps.")
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    return label


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setMinimumHeight(HIT_TARGET)
    button.setAutoDefault(False)
    return button
