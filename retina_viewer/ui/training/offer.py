"""A line under the toolbar: a training of an earlier day waits for the person."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.training.known_runs import Known, run_title
from retina_viewer.ui.training.live import Phase

WORDS = {
    Phase.PREPARED: "was prepared and not started",
    Phase.RUNNING: "is running in the background",
    Phase.PAUSED: "is paused",
    Phase.FINISHED: "is finished and waits for your decision",
    Phase.FAILED: "has failed",
    Phase.KILLED: "was stopped from outside; it can go on",
}


class OfferBar(QFrame):
    """Hidden until there is something to offer."""

    wanted = Signal(object)
    """(Known): the person wants to see it"""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "offer")
        self._known: Known | None = None
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

    def offer(self, known: Known, others: int) -> None:
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
