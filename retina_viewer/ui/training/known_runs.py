"""Trainings of earlier days, found in their folders; no Qt."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.run_folder import RunFolder, list_runs
from retina_viewer.ui.training.live import Phase, phase_of

_REVIEWED = "reviewed"
"""A file in the run's folder: the person has seen the verdict and decided."""


@dataclass(frozen=True)
class Known:
    """A run as it is offered: its plan, and where it stands; a plan of None cannot be read, and
    the message says why."""

    run: RunFolder
    plan: TrainingPlan | None
    phase: Phase
    message: str
    created: datetime

    @property
    def is_open(self) -> bool:
        """Whether there is anything left for the person to do or decide about."""
        return self.phase is not Phase.CANCELLED and not is_reviewed(self.run)


def is_reviewed(run: RunFolder) -> bool:
    return (run.path / _REVIEWED).exists()


def mark_reviewed(run: RunFolder, what: str) -> None:
    """Keep that the person has decided; the run is not offered again."""
    with suppress(UserError), atomic_write(run.path / _REVIEWED, replace=True) as stream:
        stream.write(what.encode() + b"\n")


def known_runs() -> list[Known]:
    """All runs whose state is readable, the newest first; one that is damaged hides no other."""
    found = []
    for run in list_runs():
        try:
            state = run.state()
            phase = phase_of(state, run.is_alive(), starting=False)
        except UserError:
            continue  # deleted meanwhile
        try:
            found.append(Known(run, run.read_plan(), phase, state.message, state.created))
        except UserError as error:
            found.append(Known(run, None, phase, error.message, state.created))
    return found


def run_title(known: Known) -> str:
    """What a training is called: ``pixel on 42 photographs``; by its folder where its plan cannot
    be read."""
    if known.plan is None:
        return f"“{known.run.path.name}”"
    count = len(known.plan.photographs)
    return f"{known.plan.base} on {count:,} photograph{'' if count == 1 else 's'}"
