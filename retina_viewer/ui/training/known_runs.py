"""Trainings of earlier days, found in their folders; no Qt."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.training.plan import TrainingPlan
from retina_viewer.training.run_folder import RunFolder, list_runs
from retina_viewer.ui.training.live import Phase, phase_of

_REVIEWED = "reviewed"
"""A file in the run's folder: the person has seen the verdict and decided."""


@dataclass(frozen=True)
class Known:
    """A run as it is offered: its plan, and where it stands."""

    run: RunFolder
    plan: TrainingPlan
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
    """All runs whose plan and state are readable, the newest first."""
    found = []
    for run in list_runs():
        try:
            state, plan = run.state(), run.read_plan()
            phase = phase_of(state, run.is_alive(), starting=False)
        except UserError:
            continue  # half-deleted, or of another program
        found.append(Known(run, plan, phase, state.message, state.created))
    return found


def run_title(plan: TrainingPlan) -> str:
    """What a training is called: ``pixel on 42 photographs``."""
    count = len(plan.photographs)
    return f"{plan.base} on {count:,} photograph{'' if count == 1 else 's'}"
