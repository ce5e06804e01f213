"""Fine-tuning after a plan, in its run folder.

Started by the viewer as a process of its own, or on the command line; both are
``retina-viewer train --plan``. Whatever ends it, the folder says how it stands, and the same
command with ``--resume`` goes on.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from retina_viewer.core.errors import Cancelled, UserError, mendable
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.finetuning.run_folder import RunFolder, RunRequest, RunStatus
from retina_viewer.finetuning.tuning_run import TuningRun
from retina_viewer.model_store.card import ModelCard
from retina_viewer.training.checkpoint import SavingFailed
from retina_viewer.training.distributed import Group, joined
from retina_viewer.training.task import Event, TrainContext

_LISTEN_SECONDS = 0.2
_REPORT_SECONDS = 2.0
"""Between two progress events in the folder: they tell of parts that have no losses yet."""


class Control:
    """The progress callback of a run: reports, and looks for what the person asks.

    Of several processes only the first one listens and speaks; the loop tells the others.
    """

    def __init__(
        self, run: RunFolder, progress: Progress, events: Callable[[Event], None], group: Group
    ) -> None:
        self._run, self._progress, self._events, self._group = run, progress, events, group
        self.stopping = run.state().stopping  # for the best so far, and no more training
        self._last_listened = self._last_reported = 0.0
        self.asked: RunRequest | None = None

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
            self.stopping = True
        elif word is not None:
            self.asked = word
            raise Cancelled

    def tell(self, event: Event) -> None:
        """Write an event into the folder, then tell the listener."""
        if self._group.is_first:
            self._run.append_event({**event, "time": round(time.time(), 2)})
            self._events(event)

    def end(self, status: RunStatus, message: str = "", hint: str = "") -> None:
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


_MENDABLE = (
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM,  # the disk
    errno.ENOENT, errno.ENOTDIR, errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE,  # the drive
)  # fmt: skip
"""Troubles that a person mends, and then goes on."""


def finetune(
    run: RunFolder,
    *,
    device: str | None = None,
    events: Callable[[Event], None] = lambda event: None,
    progress: Progress = no_progress,
) -> ModelCard | None:
    """Train what the plan in the run folder says, or go on with it.

    Every event is appended to the run's ``events.jsonl`` before ``events`` is told of it;
    docs/decisions/fine-tuning.md lists them.

    Args:
        device: instead of the plan's.

    Returns:
        The card of the model, or None where the run folder was asked to pause or cancel.

    Raises:
        UserError: it cannot go on; also written into the run's state, as ``failed``, or as
            ``paused`` where disk or drive is in trouble.
        Cancelled: ``progress`` raised it; the run is paused.
    """
    plan = run.read_plan()
    with joined(device or plan.device) as (group, target):
        group.from_first(lambda: _claim(run))
        control = Control(run, progress, events, group)
        card: ModelCard | None = None
        with _ending(run, control, group):
            where = TrainContext(
                run.path, plan.expert.seed, target, control.tell, control, group,
                should_stop=lambda: control.stopping,
            )  # fmt: skip
            card = TuningRun(run, plan, where).whole()
            control.end("finished")
        return card


def _claim(run: RunFolder) -> None:
    """Make this process the one that works in the folder."""
    state = run.state()
    if state.pid != os.getpid() and run.is_alive():
        raise UserError(
            f"The training {run.path.name} is running already.", "Wait for it, or pause it first."
        )
    if state.status in ("finished", "cancelled"):
        raise UserError(f"The training {run.path.name} is {state.status}.", "Plan a new one.")
    run.repair_events()
    run.take_request()  # asked of a process that is no more
    run.set_state("running")


@contextmanager
def _ending(run: RunFolder, control: Control, group: Group) -> Iterator[None]:
    """Leave in the folder how it ended; what was asked for is no error."""
    try:
        yield
    except (Cancelled, KeyboardInterrupt):
        if control.asked == "cancel":
            run.discard_results()
            control.end("cancelled")
        else:
            control.end("paused")
        if group.is_first and control.asked is None:
            raise
    except UserError as error:
        cause = error.__cause__
        by_the_drive = isinstance(cause, OSError) and cause.errno in _MENDABLE
        goes_on = isinstance(error, SavingFailed) or by_the_drive
        control.end("paused" if goes_on else "failed", error.message, error.hint)
        raise
    except Exception as error:
        refused = mendable(error)
        if refused is not None:  # by the machine: its memory, a drive
            control.end("paused", refused.message, refused.hint)
            raise refused from error
        message = f"The training ended by an error of the program: {type(error).__name__}: {error}."
        control.end("failed", message, "Resume it; if it ends again, please report this.")
        raise
