"""One piece of background work, and which worker does it. No Qt."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from retina_viewer.core.progress import Progress

_WORKER_NICENESS = 5


class Lane(Enum):
    """Which worker does a job. Jobs of one lane run one after the other."""

    FILES = "files"
    TILES = "tiles"
    WORK = "work"
    GUESSES = "guesses"
    """Where detail is a guess: beside the tiles that it is said of, and never behind a layer."""
    LONG = "long"
    """What may take minutes: it must not keep the layers waiting."""


@dataclass(eq=False)
class Job:
    """One piece of work. ``title`` is shown to the person; empty means not worth showing."""

    key: str
    title: str
    lane: Lane
    work: Callable[[Progress], Any]
    done: Callable[[Any], None]
    failed: Callable[[Exception], None] | None
    number: int
    cancel_event: threading.Event = field(default_factory=threading.Event)
    fraction: float = 0.0
    what: str = ""
    asked_at: float = field(default_factory=time.monotonic)
    started_at: float = 0.0
    seconds: float = 0.0
    """From when it was asked for until it was done; 0 unless it was."""
    _reported_at: float = -1.0

    def cancel(self) -> None:
        self.cancel_event.set()

    @property
    def is_cancelled(self) -> bool:
        return self.cancel_event.is_set()


def step_back() -> None:
    """Let the window's thread go before this one, where threads have priorities of their own.

    On Linux niceness is a thread's, and the compute threads of torch and OpenCV inherit it from
    the worker that starts them. Elsewhere the system already favours the foreground window.
    """
    if sys.platform.startswith("linux"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _WORKER_NICENESS)
