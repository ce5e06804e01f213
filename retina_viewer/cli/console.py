"""What the command line says: lines for people, or one JSON object a line for programs.

Results and JSON events go to standard output; progress and errors for people to standard error.
"""

import json
import os
import sys
import time
from contextlib import suppress
from typing import Any, TextIO

from retina_viewer.core.errors import UserError
from retina_viewer.core.names import readable
from retina_viewer.core.progress import Progress

_BAR = 28
_EVERY = 0.1
"""Seconds between two reports of progress."""


class Console:
    """One run's voice. Nobody listening any more (a closed terminal or pipe) never ends the work.

    Args:
        as_json: write events instead of lines.

    Attributes:
        unheard: whether the reader of the results has gone away.
    """

    def __init__(
        self, *, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.as_json = as_json
        # Python has None for a stream that was closed before it started.
        self._out: TextIO | None = out or sys.stdout
        self._err: TextIO | None = err or sys.stderr
        self._watched = self._err is not None and not self._err.closed and self._err.isatty()
        self._bar_shown = False
        self.unheard = False

    def say(self, text: str) -> None:
        """A line of result, for people only."""
        if not self.as_json:
            self._clear()
            self._tell(text + "\n")

    def event(self, event: str, **fields: Any) -> None:
        """One JSON object on a line, for programs only."""
        if self.as_json:
            # Seven bits: what reads it may expect another encoding than this process has.
            self._tell(json.dumps({"event": event, **fields}, default=str) + "\n")

    def failed(self, error: UserError, name: str = "") -> None:
        """Report something that a person can mend; ``name`` says at which file it happened."""
        self.event("failed", input=name, message=error.message, hint=error.hint)
        self._clear()
        where = f"{name}: " if name and name not in error.message else ""
        self.remark(f"{where}{error.message}" + (f"\n  {error.hint}" if error.hint else ""))

    def warn(self, text: str, name: str) -> None:
        """Say what a person should know of a file although its work is done."""
        self.event("warning", input=name, message=text)
        self._clear()
        self.remark(f"{name}: {text}")

    def interrupted(self) -> None:
        """Say that the person stopped the program."""
        self.event("interrupted")
        self._clear()
        self.remark("Interrupted.")

    def remark(self, text: str) -> None:
        """A line beside the results, such as an error, for people."""
        self._whisper(text + "\n")

    def progress(self, name: str) -> Progress:
        """A callback for one piece of work: events, or a bar where someone sees it."""
        start = time.monotonic()
        last = -1.0

        def report(fraction: float, what: str) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last < _EVERY and fraction < 1:
                return
            last = now
            self.event("progress", input=name, fraction=round(fraction, 4), what=what)
            self._draw(fraction, f"{time_left(now - start, fraction)}{name}: {what}")

        return report

    def _draw(self, fraction: float, text: str) -> None:
        if self.as_json or not self._watched:
            return
        if fraction >= 1:
            self._clear()
            return
        filled = round(_BAR * fraction)
        bar = "=" * filled + " " * (_BAR - filled)
        self._whisper(f"\r\x1b[K[{bar}] {fraction:4.0%}  {text[:60]}")
        self._bar_shown = True

    def _clear(self) -> None:
        if self._bar_shown:
            self._whisper("\r\x1b[K")
            self._bar_shown = False

    def _tell(self, text: str) -> None:
        if self._out is not None and not _written(self._out, text):
            self._out, self.unheard = None, True

    def _whisper(self, text: str) -> None:
        if self._err is not None and not _written(self._err, text):
            self._err = None


def _written(stream: TextIO, text: str) -> bool:
    """Whether it arrived; a closed stream is a ValueError."""
    try:
        stream.write(readable(text))
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):  # what is still to flush must not fail at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True


def time_left(seconds: float, fraction: float) -> str:
    """``1:20 left, `` after the first two seconds; empty while it would be a guess."""
    if seconds < 2 or not 0.02 < fraction < 1:
        return ""
    minutes, rest = divmod(round(seconds / fraction * (1 - fraction)), 60)
    return f"{minutes}:{rest:02d} left, "
