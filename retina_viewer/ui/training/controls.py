"""Pause, resume, stop, cancel: what a person may want of a training."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMessageBox, QPushButton, QWidget

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.run_folder import Request
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.training.trainings import Trainings


class Controls(QWidget):
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
        self.stop.setEnabled(asked is None and any(trainings.live.history.stages))
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
