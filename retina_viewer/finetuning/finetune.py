"""Fine-tuning after a plan, in its run folder.

Started by the viewer as a process of its own, or on the command line; both are
``retina-viewer train --plan``. Whatever ends it, the folder says how it stands, and the same
command with ``--resume`` goes on.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from retina_viewer.core.errors import Cancelled, UserError, mendable
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.finetuning.tuning_run import Control, TuningRun
from retina_viewer.model_store.card import ModelCard
from retina_viewer.training.checkpoint import SavingFailed
from retina_viewer.training.distributed import Group, joined
from retina_viewer.training.stage import Event, Surroundings

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
        run: prepared (:meth:`~retina_viewer.finetuning.run_folder.RunFolder.prepare`).
        device: instead of the plan's.
        events: told of everything.
        progress: may raise Cancelled: the run pauses.

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
            where = Surroundings(
                run.path,
                plan.expert.seed,
                target,
                control.tell,
                control,
                group,
                should_stop=control.is_stopping,
            )
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
        goes_on = isinstance(error, SavingFailed) or _is_mendable(error)
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


def _is_mendable(error: UserError) -> bool:
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in _MENDABLE
