"""What the command line says: lines for people, or one JSON object a line for programs.

Results and JSON events go to standard output; progress and errors for people to standard error.
"""

import json
import sys
import time
from typing import Any, TextIO

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress

_BAR = 28
_EVERY = 0.1
"""Seconds between two reports of progress."""


class Console:
    """One run's voice.

    Args:
        as_json: write events instead of lines.
    """

    def __init__(
        self, *, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.as_json = as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._bar_shown = False

    def say(self, text: str) -> None:
        """A line of result, for people only."""
        if not self.as_json:
            self._clear()
            print(text, file=self._out, flush=True)

    def event(self, event: str, **fields: Any) -> None:
        """One JSON object on a line, for programs only."""
        if self.as_json:
            # Seven bits: what reads it may expect another encoding than this process has.
            line = json.dumps({"event": event, **fields}, default=str)
            print(line, file=self._out, flush=True)

    def failed(self, error: UserError, name: str = "") -> None:
        """Report something that a person can mend; ``name`` says at which file it happened."""
        self.event("failed", input=name, message=error.message, hint=error.hint)
        self._clear()
        where = f"{name}: " if name and name not in error.message else ""
        print(f"{where}{error.message}", file=self._err)
        if error.hint:
            print(f"  {error.hint}", file=self._err)
        self._err.flush()

    def warn(self, text: str, name: str) -> None:
        """Say what a person should know of a file although its work is done."""
        self.event("warning", input=name, message=text)
        self._clear()
        print(f"{name}: {text}", file=self._err, flush=True)

    def interrupted(self) -> None:
        """Say that the person stopped the program."""
        self.event("interrupted")
        self._clear()
        print("Interrupted.", file=self._err, flush=True)

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
        if self.as_json or not self._err.isatty():
            return
        if fraction >= 1:
            self._clear()
            return
        filled = round(_BAR * fraction)
        bar = "=" * filled + " " * (_BAR - filled)
        self._err.write(f"\r\x1b[K[{bar}] {fraction:4.0%}  {text[:60]}")
        self._err.flush()
        self._bar_shown = True

    def _clear(self) -> None:
        if self._bar_shown:
            self._err.write("\r\x1b[K")
            self._err.flush()
            self._bar_shown = False


def time_left(seconds: float, fraction: float) -> str:
    """``1:20 left, `` after the first two seconds; empty while it would be a guess."""
    if seconds < 2 or not 0.02 < fraction < 1:
        return ""
    minutes, rest = divmod(round(seconds / fraction * (1 - fraction)), 60)
    return f"{minutes}:{rest:02d} left, "
