"""The trainings of this person: started, followed, asked to pause, found again.

One is followed at a time. Viewer and training share nothing but the run's folder, so a training
that an earlier window started is followed like one's own.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from retina_viewer.core.errors import UserError
from retina_viewer.core.names import free_paths
from retina_viewer.core.paths import user_runs_dir
from retina_viewer.core.progress import Progress
from retina_viewer.training.plan import TrainingPlan
from retina_viewer.training.run_folder import Request, RunFolder, RunState, list_runs
from retina_viewer.ui.job import Lane
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.training.child import Child, last_words, launch
from retina_viewer.ui.training.known_runs import known_runs, mark_reviewed
from retina_viewer.ui.training.live import LiveTraining, Phase, phase_of

logger = logging.getLogger(__name__)
POLL_MS = 500
_KEY = "training events"
_FOUND = "trainings found"


@dataclass(frozen=True)
class _Look:
    """One look at the followed run's folder."""

    run: RunFolder
    state: RunState | None
    alive: bool
    child: Child | None
    child_lives: bool
    events: list[dict[str, Any]]
    offset: int


class Trainings(QObject):
    """See the module. Lives in the GUI thread; folders are read in a worker."""

    changed = Signal()
    """The followed training told something, or its phase changed."""
    followed = Signal()
    """Another training is followed, or none."""
    found = Signal(object)
    """(list[Known]) after :meth:`look_for_runs`: those with something left to do."""

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self.run: RunFolder | None = None
        self.plan: TrainingPlan | None = None
        self.live = LiveTraining()
        self.phase = Phase.PREPARED
        self.message = self.hint = ""
        self.asked: Request | None = None
        """What was asked of the training and has not happened yet."""
        self._told = False
        self._offset = 0
        self._child: Child | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)

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
            lambda progress: [known for known in known_runs() if known.is_open],
            self.found.emit,
            failed=lambda error: None,  # it is in the log; there is nothing to offer
            lane=Lane.FILES,
        )

    # Which one

    def begin(self, plan: TrainingPlan) -> None:
        """Prepare a folder for a plan, start its process and follow it.

        Raises:
            UserError: the folder cannot be written, or the process not be started.
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
        self.live = LiveTraining()
        self.phase, self.message, self.hint = Phase.PREPARED, "", ""
        self.asked, self._offset, self._child = None, 0, None
        self.followed.emit()
        self._timer.start()
        self._poll()

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
        """Start the process again, from the last checkpoint.

        Raises:
            UserError: it cannot be started, or another training runs.
        """
        run = self._wanted()
        self._refuse_a_second(run)
        run.take_request()  # an old word must not stop the new process at once
        self._child = launch(run)
        self.asked = None
        self._become(Phase.STARTING)
        self._timer.start()

    def ask(self, what: Request) -> None:
        """Pause, stop and keep the best so far, or cancel.

        Where no process runs, cancelling is done at once, and stopping by one that is started for
        it. A process that is still starting is told as soon as it listens.

        Raises:
            UserError: the word cannot be written.
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
        self._timer.start()
        self._poll()
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

    def _poll(self) -> None:
        if self.run is None or self._jobs.is_active(_KEY):
            return
        run, offset, child = self.run, self._offset, self._child

        def work(progress: Progress) -> _Look:
            return _look_at(run, offset, child)

        self._jobs.submit(_KEY, work, self._looked, failed=self._failed, lane=Lane.FILES)

    def _looked(self, look: _Look) -> None:
        if look.run != self.run or look.child is not self._child:
            return  # from before it was started
        self._offset = look.offset
        news = self.live.take(look.events)
        phase = phase_of(look.state, look.alive, starting=look.child_lives)
        if phase is Phase.PREPARED and self.phase is Phase.STARTING:
            phase = Phase.KILLED  # it ended before it could say why
        state = look.state
        self.message = state.message if state else "The training's folder is not there any more."
        self.hint = state.hint if state else "If it lies on a drive, connect the drive again."
        if phase is Phase.KILLED and not self.message:
            self.message = "The training ended without a word: its process was stopped."
            self.hint = "Go on from the last minute's checkpoint with Resume."
        if phase is Phase.RUNNING and self.asked is not None and not self._told:
            self._told = news = True
            look.run.request(self.asked)
        if not phase.is_active:
            self.asked = None
        if phase is not self.phase:
            self._become(phase)
        elif news:
            self.changed.emit()
        if not phase.is_active and phase is not Phase.GONE and not look.events:
            self._timer.stop()  # until it is resumed

    def _failed(self, error: Exception) -> None:
        logger.warning("the training's folder could not be read")

    def _become(self, phase: Phase) -> None:
        self.phase = phase
        self.changed.emit()

    @property
    def details(self) -> str:
        """For those who look for the cause of a failure; may be empty."""
        return last_words(self.run) if self.run is not None else ""


def _look_at(run: RunFolder, offset: int, child: Child | None) -> _Look:
    lives = child is not None and child.lives
    try:
        state, alive = run.state(), run.is_alive()
    except UserError:
        return _Look(run, None, False, child, lives, [], offset)
    events, offset = run.events_since(offset)
    return _Look(run, state, alive, child, lives, events, offset)
