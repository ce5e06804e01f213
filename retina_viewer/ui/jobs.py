"""The one way to do work in the background.

A :class:`Jobs` object lives in the GUI thread and owns one worker thread a lane: neither the next
photograph nor its tiles may wait behind a long vessel map. Everything a worker has to say
comes back through one queued signal, so callbacks run in the GUI thread and nothing else crosses
threads. A newer job with the same key replaces the older one; what the older one still reports is
dropped. A drive that does not answer keeps a worker, not the lane: whoever waits too long for files
gets a worker of its own.
"""

from __future__ import annotations

import itertools
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from retina_viewer.core.errors import Cancelled
from retina_viewer.core.progress import Progress

_WORKER_NICENESS = 5


class Lane(Enum):
    """Which worker does a job. Jobs of one lane run one after the other."""

    FILES = "files"
    TILES = "tiles"
    WORK = "work"
    UNCERTAINTY = "uncertainty"
    """Beside the tiles of the results that it is said of, and never behind a layer."""
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


logger = logging.getLogger(__name__)
T = TypeVar("T")

PATIENCE = 5.0
"""Seconds that the lane of files waits for one job while others wait behind it."""
PATIENCE_CANCELLED = 0.5
"""The same for a job that nobody wants any more."""
MOST_WORKERS = 6
"""Of a lane: each that waits for a drive costs a thread until that answers or is given up."""
PROGRESS_INTERVAL = 0.1
"""Seconds between two forwarded progress reports of one job."""


class _Kind(Enum):
    STARTED = auto()
    PROGRESS = auto()
    DONE = auto()
    FAILED = auto()
    CANCELLED = auto()


@dataclass(frozen=True)
class _Event:
    job: Job
    kind: _Kind
    payload: Any = None


class Jobs(QObject):
    """Background work for one window. Create and use it in the GUI thread."""

    started = Signal(object)
    """(Job): a job began."""
    progressed = Signal(object)
    """(Job): its ``fraction`` and ``what`` changed; at most 10 times a second a job."""
    ended = Signal(object)
    """(Job): done, failed or cancelled."""
    unhandled = Signal(object, object)
    """(Job, Exception): a job without a ``failed`` callback failed."""

    _event = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._event.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._numbers = itertools.count()
        self._current: dict[str, Job] = {}
        self._running: dict[Lane, tuple[Job, float]] = {}
        self._turn = dict.fromkeys(Lane, 0)
        self._closing = False
        self._queues: dict[Lane, queue.SimpleQueue[Job | None]] = {
            lane: queue.SimpleQueue() for lane in Lane
        }
        self._threads: list[threading.Thread] = []
        for lane in Lane:
            self._add_worker(lane)
        self._watch = QTimer(self, interval=250)
        self._watch.timeout.connect(self._relieve)

    def submit(
        self,
        key: str,
        work: Callable[[Progress], T],
        done: Callable[[T], None],
        *,
        failed: Callable[[Exception], None] | None = None,
        title: str = "",
        lane: Lane = Lane.WORK,
    ) -> Job:
        """Do ``work(progress)`` in the background, then ``done(result)`` in the GUI thread.

        Args:
            key: a newer job with the same key cancels and replaces this one.
            work: runs in a worker thread; must not touch widgets; ``progress`` raises
                :class:`Cancelled` once the job is cancelled.
            done: called with the result, unless the job was replaced or cancelled.
            failed: called with the exception instead; without it :attr:`unhandled` is emitted.
            title: what the status bar calls it.
            lane: which worker does it.
        """
        self.cancel(key)
        job = Job(key, title, lane, work, done, failed, next(self._numbers))
        self._current[key] = job
        self._queues[lane].put(job)
        if lane is Lane.FILES:
            self._watch.start()
        return job

    def cancel(self, key: str) -> None:
        """Drop the job of this key; its callbacks will not be called."""
        job = self._current.pop(key, None)
        if job is not None:
            job.cancel()

    def cancel_where(self, wanted: Callable[[Job], bool]) -> None:
        for job in [job for job in self._current.values() if wanted(job)]:
            self.cancel(job.key)

    def is_active(self, key: str) -> bool:
        """Whether a job of this key waits or runs."""
        return key in self._current

    @property
    def active(self) -> list[Job]:
        """The waiting and running jobs, oldest first."""
        return sorted(self._current.values(), key=lambda job: job.number)

    def close(self, seconds: float = 5.0) -> None:
        """Cancel everything and end the worker threads. No job is accepted afterwards."""
        self._closing = True
        self._watch.stop()
        self.cancel_where(lambda job: True)
        for lane in Lane:
            self._queues[lane].put(None)
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
            if thread.is_alive():
                logger.warning("%s did not end within %.0f s", thread.name, seconds)

    def _add_worker(self, lane: Lane) -> None:
        """Another worker for a lane; the one before ends with the job that it has."""
        self._turn[lane] += 1
        thread = threading.Thread(
            target=self._work_off,
            args=(lane, self._turn[lane]),
            name=f"retina-{lane.value}",
            daemon=True,
        )
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()

    def _relieve(self) -> None:
        """Give the lane of files another worker where one job keeps the others waiting."""
        if self._queues[Lane.FILES].empty():
            self._watch.stop()
            return
        running = self._running.get(Lane.FILES)
        busy = sum(thread.name == "retina-files" for thread in self._threads if thread.is_alive())
        if running is None or busy >= MOST_WORKERS:
            return
        job, since = running
        patience = PATIENCE_CANCELLED if job.is_cancelled else PATIENCE
        if time.monotonic() - since > patience:
            del self._running[Lane.FILES]
            self._add_worker(Lane.FILES)

    # In the worker threads.

    def _work_off(self, lane: Lane, turn: int) -> None:
        step_back()
        while self._turn[lane] == turn and (job := self._queues[lane].get()) is not None:
            if job.is_cancelled:
                self._emit(_Event(job, _Kind.CANCELLED))
                continue
            self._running[lane] = (job, time.monotonic())
            self._run(job)
            if self._turn[lane] == turn:
                self._running.pop(lane, None)
            del job  # a waiting worker must not keep the last job's arrays alive

    def _run(self, job: Job) -> None:
        self._emit(_Event(job, _Kind.STARTED, time.monotonic()))

        def progress(fraction: float, what: str = "") -> None:
            if job.is_cancelled:
                raise Cancelled
            now = time.monotonic()
            if now - job._reported_at >= PROGRESS_INTERVAL:
                job._reported_at = now
                self._emit(_Event(job, _Kind.PROGRESS, (fraction, what)))

        event: _Event
        try:
            event = _Event(job, _Kind.DONE, job.work(progress))
            job.seconds = time.monotonic() - job.asked_at
        except Cancelled:
            event = _Event(job, _Kind.CANCELLED)
        except Exception as error:  # whatever it is, it belongs to the job's owner
            event = _Event(job, _Kind.FAILED, error)
        self._emit(event)

    def _emit(self, event: _Event) -> None:
        if not self._closing:
            self._event.emit(event)

    # In the GUI thread.

    @Slot(object)
    def _deliver(self, event: _Event) -> None:
        job = event.job
        if event.kind is _Kind.STARTED:
            job.started_at = event.payload
            self.started.emit(job)
        elif event.kind is _Kind.PROGRESS:
            job.fraction, job.what = event.payload
            self.progressed.emit(job)
        else:
            self._finish(event)

    def _finish(self, event: _Event) -> None:
        job = event.job
        replaced = self._current.get(job.key) is not job
        if not replaced:
            del self._current[job.key]
        self.ended.emit(job)
        if replaced or job.is_cancelled:
            return
        if event.kind is _Kind.DONE:
            job.done(event.payload)
        elif event.kind is _Kind.FAILED:
            logger.warning("%s failed", job.key, exc_info=event.payload)
            if job.failed is not None:
                job.failed(event.payload)
            else:
                self.unhandled.emit(job, event.payload)
