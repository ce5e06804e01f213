"""What a fine-tuning hears from the viewer and tells it, through the run folder."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.progress import Progress
from retina_viewer.finetuning.run_folder import Request, RunFolder, Status
from retina_viewer.training.distributed import Group
from retina_viewer.training.stage import Event

_LISTEN_SECONDS = 0.2
_REPORT_SECONDS = 2.0
"""Between two progress events in the folder: they tell of parts that have no losses yet."""


class Control:
    """The progress callback of a run: reports, and looks for what the person asks.

    Of several processes only the first one listens and speaks; the loop tells the others.

    Args:
        run: its folder.
        progress: told of progress too; may raise Cancelled.
        events: told of every event after it has been written.
        group: the processes of this training.
    """

    def __init__(
        self,
        run: RunFolder,
        progress: Progress,
        events: Callable[[Event], None],
        group: Group,
    ) -> None:
        self._run, self._progress, self._events, self._group = run, progress, events, group
        self._stopping = run.state().stopping
        self._last_listened = self._last_reported = 0.0
        self.asked: Request | None = None

    def __call__(self, fraction: float, what: str) -> None:
        """See :data:`~retina_viewer.core.progress.Progress`; raises Cancelled when asked to pause
        or cancel."""
        if not self._group.is_first:
            return
        self._progress(fraction, what)
        now = time.monotonic()
        if now - self._last_listened > _LISTEN_SECONDS:
            self._last_listened = now
            self._listen()
        if now - self._last_reported > _REPORT_SECONDS:
            self._last_reported = now
            self.tell({"event": "progress", "fraction": round(fraction, 4), "what": what})

    def _listen(self) -> None:
        word = self._run.take_request()
        if word == "stop":
            # Kept in the folder: a training that is killed now still goes on to its ending only.
            self._run.set_state("running", stopping=True)
            self._stopping = True
        elif word is not None:
            self.asked = word
            raise Cancelled

    def is_stopping(self) -> bool:
        """Whether the person wants the best so far and no more training."""
        return self._stopping

    def tell(self, event: Event) -> None:
        """Write an event into the folder, then tell the listener.

        Raises:
            UserError: it cannot be written.
        """
        if self._group.is_first:
            stamped = {**event, "time": round(time.time(), 2)}
            self._run.append_event(stamped)
            self._events(event)

    def end(self, status: Status, message: str = "", hint: str = "") -> None:
        """Write how it ended, as far as the disk allows: a state that could not be written reads
        as that of a process that is gone, which is true."""
        if not self._group.is_first:
            return
        event: dict[str, Any] = {"event": status}
        if message:
            event |= {"message": message, "hint": hint}
        with suppress(UserError):
            self._run.set_state(status, message=message, hint=hint)
        with suppress(UserError):
            self.tell(event)
