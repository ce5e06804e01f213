"""The trainings of this person: started, followed, asked to pause, found again.

One is followed at a time. Viewer and training share nothing but the run's folder, so a training
that an earlier window started is followed like one's own.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import ClassVar

from PySide6.QtCore import QObject, QTimer, Signal

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.names import free_paths
from retina_viewer.core.paths import user_runs_dir
from retina_viewer.core.progress import Progress
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.run_folder import RunFolder, RunRequest, RunState, list_runs
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.training.draft import counted
from retina_viewer.ui.training.time_budget import stage_names
from retina_viewer.ui.training.training_status import Phase, TrainingStatus, phase_of

logger = logging.getLogger(__name__)
POLL_MS = 500
IDLE_POLL_MS = 5000
"""Where nothing runs: another program may go on with the training, or its drive come back."""
_KEY, _FOUND = "training events", "trainings found"
LOG = "output.txt"
"""In the run's folder: what the process wrote before it could write events."""
_NICENESS = 5
_TAIL = 2000  # bytes
_DETACHED = 0x00000208
"""Of Windows: a process group of its own, no console."""


def command_for(run: RunFolder) -> list[str]:
    """Begins a run or goes on with it; a frozen program is its own interpreter."""
    verb = ["train", "--plan", str(run.plan_file), "--out", str(run.path), "--resume", "--json"]
    frozen = bool(getattr(sys, "frozen", False))
    return [sys.executable, *verb] if frozen else [sys.executable, "-m", "retina_viewer", *verb]


def launch(run: RunFolder) -> subprocess.Popen[bytes]:
    """Start the process of a run. Raises UserError: the system refuses to, or the run's folder is
    not there.
    """
    try:
        with (run.path / LOG).open("wb") as output:
            process = subprocess.Popen(
                command_for(run),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A closed terminal or Ctrl+C there must not reach it.
                start_new_session=os.name == "posix",
                creationflags=0 if os.name == "posix" else _DETACHED,
            )
    except OSError as error:
        raise UserError(
            f"The training could not be started: {error.strerror or error}.",
            "Look whether its folder is there and the disk has space, and try again.",
        ) from error
    # The window goes first; elsewhere than on POSIX the system favours it already.
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
    return process


def last_words(run: RunFolder) -> str:
    """The end of what the process wrote, for those who look for the cause; empty for nothing."""
    try:
        with (run.path / LOG).open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL))
            text = stream.read(_TAIL).decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line for line in text.splitlines() if line and not line.startswith("{")]
    return "\n".join(lines)


_REVIEWED = "reviewed"
"""A file in the run's folder: the person has seen the verdict and decided."""
_FOUND_WORDS = {
    Phase.PREPARED: "was prepared and not started",
    Phase.RUNNING: "is running in the background",
    Phase.FINISHED: "is finished and waits for your decision",
    Phase.FAILED: "has failed",
    Phase.KILLED: "was stopped from outside; it can go on",
    Phase.PAUSED: "is paused",
}


@dataclass(frozen=True)
class FoundRun:
    """A training of an earlier day: its plan, and where it stands; a plan of None cannot be read,
    and the message says why."""

    run: RunFolder
    plan: TrainingPlan | None
    phase: Phase
    message: str
    created: datetime

    @property
    def is_open(self) -> bool:
        """Whether there is anything left for the person to do or decide about."""
        return self.phase is not Phase.CANCELLED and not (self.run.path / _REVIEWED).exists()

    @property
    def title(self) -> str:
        """``pixel on 42 photographs``; by its folder where its plan cannot be read."""
        if self.plan is None:
            return f"“{self.run.path.name}”"
        return f"{self.plan.base} on {counted(len(self.plan.photographs), 'photograph')}"

    @property
    def in_words(self) -> str:
        """``is paused``"""
        return _FOUND_WORDS.get(self.phase, self.phase.value)


def mark_reviewed(run: RunFolder, what: str) -> None:
    """Keep that the person has decided; the run is not offered again."""
    with suppress(UserError), atomic_write(run.path / _REVIEWED, replace=True) as stream:
        stream.write(what.encode() + b"\n")


def found_runs() -> list[FoundRun]:
    """All runs whose state is readable, the newest first; one that is damaged hides no other."""
    found = []
    for run in list_runs():
        try:
            state = run.state()
            phase = phase_of(state, run.is_alive(), starting=False)
        except UserError:
            continue  # deleted meanwhile
        try:
            found.append(FoundRun(run, run.read_plan(), phase, state.message, state.created))
        except UserError as error:
            found.append(FoundRun(run, None, phase, error.message, state.created))
    return found


@dataclass(frozen=True)
class _Look:
    """One look at the folder of a run, its state None where that is gone; ``details`` is what a
    process that failed wrote before it could write events, ``offset`` how far they were read."""

    state: RunState | None = None
    phase: Phase = Phase.PREPARED
    status: TrainingStatus = field(default_factory=TrainingStatus)
    details: str = ""
    offset: int = 0
    ended: bool = False


def _look(
    run: RunFolder, plan: TrainingPlan, starting: bool, before: _Look, progress: Progress
) -> _Look:
    """How a run stands now, in a worker.

    What it told is read on from where the look before stopped, and once more from the start when
    it has ended or its file is another one: what is shown of a training that has ended is what its
    folder holds, whatever went wrong on the way.
    """
    try:
        state, alive = run.state(), run.is_alive()
    except UserError:
        return replace(before, state=None, phase=Phase.GONE, details="")
    phase = phase_of(state, alive, starting)
    status = before.status.copy()
    events, offset = run.events_since(before.offset)
    if offset < before.offset or (not phase.is_active and not before.ended):
        events, offset = run.events_since(0)
        status = TrainingStatus()
    status.take(events)
    status.history.names = stage_names(plan, status.stages)
    details = last_words(run) if phase in (Phase.KILLED, Phase.FAILED) else ""
    return _Look(state, phase, status, details, offset, not phase.is_active)


class Trainings(QObject):
    """See the module. Lives in the GUI thread; folders are read in a worker."""

    changed = Signal()
    """The followed training told something, or its phase changed."""
    followed = Signal()
    """Another training is followed, or none."""
    found = Signal(object)
    """(list[FoundRun]) after :meth:`look_for_runs`: those with something left to do."""
    _started: ClassVar[list[subprocess.Popen[bytes]]] = []
    """Kept, so that Python does not complain of processes that are meant to outlive the window."""

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self.run: RunFolder | None = None
        self.plan: TrainingPlan | None = None
        self.status = TrainingStatus()
        self.phase = Phase.PREPARED
        self.message = self.hint = ""
        self.details = ""
        """For those who look for the cause of a failure."""
        self.asked: RunRequest | None = None
        """What was asked of the training and has not happened yet."""
        self._told = False
        self._last = _Look()
        self._process: subprocess.Popen[bytes] | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.poll)

    @property
    def is_active(self) -> bool:
        return self.run is not None and self.phase.is_active

    @property
    def is_untold(self) -> bool:
        """Whether the training has yet to be told what was asked of it."""
        return self.is_active and self.asked is not None and not self._told

    def look_for_runs(self) -> None:
        """Look, in the background, for trainings with something left to do."""
        self._jobs.submit(
            _FOUND,
            lambda _: [found for found in found_runs() if found.is_open],
            self.found.emit,
            failed=lambda error: None,  # it is in the log; there is nothing to offer
            lane=Lane.FILES,
        )

    # Which one

    def begin(self, plan: TrainingPlan) -> None:
        """Prepare a folder for a plan, start its process and follow it. Raises UserError: the
        folder cannot be written, or the process not be started.
        """
        self._refuse_a_second()
        name = f"{datetime.now():%Y-%m-%d %H.%M} {plan.name}"
        run = RunFolder(free_paths(user_runs_dir(), [name])[0])
        run.prepare(plan)
        self.follow(run, plan)
        self.resume()

    def follow(self, run: RunFolder, plan: TrainingPlan) -> None:
        """Show another run; nothing happens to either."""
        self._jobs.cancel(_KEY)
        self.run, self.plan = run, plan
        self.status = TrainingStatus()
        self.phase, self.message, self.hint, self.details = Phase.PREPARED, "", "", ""
        self.asked, self._process = None, None
        self._last = _Look()
        self.followed.emit()
        self._timer.start(POLL_MS)
        self.poll()

    def let_go(self, decided: str = "") -> None:
        """Follow none; with a decision, the run is not offered again."""
        if self.run is not None and decided:
            mark_reviewed(self.run, decided)
        self._timer.stop()
        self._jobs.cancel(_KEY)
        self.run = self.plan = None
        self.followed.emit()
        self.changed.emit()

    # What is asked of it

    def resume(self) -> None:
        """Start the process again, from the last checkpoint. Raises UserError: it cannot be
        started, or another training runs.
        """
        run = self._wanted()
        self._refuse_a_second(run)
        run.take_request()  # an old word must not stop the new process at once
        self._process = launch(run)
        self._started.append(self._process)
        self.asked = None
        self.phase = Phase.STARTING
        self.changed.emit()
        self._timer.start(POLL_MS)

    def ask(self, what: RunRequest) -> None:
        """Pause, stop and keep the best so far, or cancel.

        Where no process runs, cancelling is done at once, and stopping by one that is started for
        it. A process that is still starting is told as soon as it listens. Raises UserError: the
        word cannot be written.
        """
        run = self._wanted()
        if what == "cancel" and not self.phase.is_active:
            run.discard_results()
            run.set_state("cancelled")
        else:
            if not self.phase.is_active:
                self.resume()
            self.asked = what
            self._told = self.phase is Phase.RUNNING
            if self._told:
                run.request(what)
        self._timer.start(POLL_MS)
        self.poll()
        self.changed.emit()

    def _wanted(self) -> RunFolder:
        if self.run is None:
            raise ValueError("no training is followed")
        return self.run

    def _refuse_a_second(self, run: RunFolder | None = None) -> None:
        mine = self.is_active and self.run != run
        if mine or any(other != run and other.is_alive() for other in list_runs()):
            raise UserError(
                "Another training is running.",
                "Pause it, or wait for its end: two would take each other's time.",
            )

    # Following

    def poll(self) -> None:
        """Look at the folder of the followed training, in the background."""
        run, plan, process = self.run, self.plan, self._process
        if run is None or plan is None or self._jobs.is_active(_KEY):
            return
        starting = process is not None and process.poll() is None

        def looked(look: _Look) -> None:
            if run is self.run and process is self._process:
                self._looked(look)  # and not of before it was started

        self._jobs.submit(
            _KEY,
            partial(_look, run, plan, starting, self._last),
            looked,
            failed=lambda _: logger.warning("the training's folder could not be read"),
            lane=Lane.FILES,
        )

    def _looked(self, look: _Look) -> None:
        before = self._value()
        self._last, self.status = look, look.status
        phase, state = look.phase, look.state
        if phase is Phase.PREPARED and self.phase is Phase.STARTING:
            phase = Phase.KILLED  # it ended before it could say why
        self.message = state.message if state else "The training's folder is not there any more."
        self.hint = state.hint if state else "If it lies on a drive, connect the drive again."
        self.details = look.details
        if phase is Phase.KILLED and not self.message:
            self.message = "The training ended without a word: its process was stopped."
            self.hint = "Resume goes on from the last minute's checkpoint."
        if phase is Phase.RUNNING and self.asked is not None and not self._told:
            with suppress(UserError):  # it is told at the next look
                self._wanted().request(self.asked)
                self._told = True
        if not phase.is_active:
            self.asked = None
        self.phase = phase
        if self._value() != before:
            self.changed.emit()
        self._timer.start(POLL_MS if phase.is_active else IDLE_POLL_MS)

    def _value(self) -> tuple[object, ...]:
        """Everything that is shown of a training: equal values look alike."""
        return (
            self.phase, self.message, self.hint, self.details, self.asked, self._told, self.status,
        )  # fmt: skip
