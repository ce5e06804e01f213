"""Which pane is alone on the stage, by key or by the clock. Reads and changes nothing else."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

BLINK_MS = 700
"""Long enough to look at a place, short enough to remember it."""


class Blinking(QObject):
    """One of several panes alone, or (None) all of them."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.alone: int | None = None
        self._count = 2
        self._timer = QTimer(self)
        self._timer.setInterval(BLINK_MS)
        self._timer.timeout.connect(self.next)

    @property
    def is_blinking(self) -> bool:
        return self._timer.isActive()

    def set_count(self, count: int) -> None:
        """So many panes there are now."""
        self._count = count
        if self.alone is not None and self.alone >= count:
            self.alone = count - 1

    def show_alone(self, place: int | None) -> None:
        """One pane, if there is such a one, or all."""
        self._timer.stop()
        if place is None or place < self._count:
            self.alone = place
        self.changed.emit()

    def next(self, step: int = 1) -> None:
        """The next one in the place of the one before; of all, the first."""
        self.alone = 0 if self.alone is None else (self.alone + step) % self._count
        self.changed.emit()

    def blink(self, on: bool) -> None:
        """Go on by the clock, or stop and show all."""
        if on == self.is_blinking:
            return
        if on:
            self._timer.start()
            self.next()
        else:
            self.show_alone(None)
