"""A time budget turned into steps, by a short measured trial on this machine."""

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.tuning import StageSchedule
from retina_viewer.training.loop import NotFinite, begin_stage, one_step, validated
from retina_viewer.training.task import Task, TrainContext

_TRIAL_SECONDS = 4.0
_LEAST_STEPS, _MOST_STEPS = 2, 40
_VALIDATIONS = 20  # so many judge a stage where they are cheap: patience counts them
_VALIDATION_SHARE = 0.25
_LEAST_ITERATIONS = 10


@dataclass(frozen=True)
class Speed:
    """What the trial of one stage measured, and in which precision."""

    seconds_per_step: float
    seconds_per_validation: float
    precision: str


class Schedule(BaseModel, frozen=True, extra="forbid"):
    """Of all stages; made once a run, so that a training that goes on stays what it was."""

    stages: tuple[StageSchedule, ...]
    # What calibration and verdict will take; None where nothing was measured.
    seconds_after: float | None = Field(default=None, ge=0, allow_inf_nan=False)

    @property
    def steps(self) -> int:
        return sum(stage.iterations for stage in self.stages)

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)


def try_stage(task: Task, number: int, where: TrainContext) -> Speed:
    """Time some steps and one validation of a stage, and leave its weights as they were.

    The first step is not counted: it warms caches up. The checkpoint must not exist.
    """
    before = [copy.deepcopy(player.network.state_dict()) for player in task.players]
    stage = begin_stage(task, number, where)
    steps, started = -1, time.monotonic()
    try:
        while steps < _MOST_STEPS:
            one_step(stage)
            stage.counters.step += 1
            steps += 1
            if steps == 0:
                started = time.monotonic()
            where.progress(min(1.0, max(0, steps) / _MOST_STEPS), f"trying {task.name}")
            if steps >= _LEAST_STEPS and time.monotonic() - started > _TRIAL_SECONDS:
                break
    except NotFinite as error:
        raise UserError(
            f"The loss of {task.name} is no number from the start.",
            "Look for photographs with faults, or choose another base model.",
        ) from error
    seconds = (time.monotonic() - started) / steps
    started = time.monotonic()
    validated(stage)
    validation = time.monotonic() - started
    for player, state in zip(task.players, before, strict=True):
        player.network.load_state_dict(state)
    return Speed(seconds, validation, stage.counters.precision)


def schedule_of(plan: TrainingPlan, speeds: Sequence[Speed]) -> Schedule:
    """Divide the plan's minutes equally over the stages.

    Validation gets at most a quarter of the time: where one is slow there are fewer.
    """
    seconds = 60 * plan.minutes / len(speeds)
    return Schedule(stages=tuple(_scheduled(plan, speed, seconds) for speed in speeds))


def _scheduled(plan: TrainingPlan, speed: Speed, seconds: float) -> StageSchedule:
    if plan.expert.iterations is not None:
        return fixed_stage(plan, plan.expert.iterations, speed.precision)
    affordable = _VALIDATION_SHARE * seconds / max(speed.seconds_per_validation, 1e-6)
    validations = max(1, min(_VALIDATIONS, int(affordable) - 1))
    left = seconds - (validations + 1) * speed.seconds_per_validation
    iterations = max(_LEAST_ITERATIONS, int(left / speed.seconds_per_step))
    every = plan.expert.validate_every or max(1, round(iterations / validations))
    return StageSchedule(
        iterations=iterations,
        validate_every=min(every, iterations),
        precision=speed.precision,
        seconds=round(seconds, 1),
        # Curves move about every two seconds, and at least every 50 steps.
        log_every=max(1, min(50, round(2 / max(speed.seconds_per_step, 1e-6)))),
    )


def fixed_stage(plan: TrainingPlan, iterations: int, precision: str) -> StageSchedule:
    """A stage of so many steps, whatever time they take; no trial is needed."""
    every = plan.expert.validate_every or max(1, iterations // 10)
    return StageSchedule(
        iterations=iterations,
        validate_every=min(every, iterations),
        precision=precision,
        seconds=0.0,
        log_every=min(50, every),
    )


def load_schedule(path: Path) -> Schedule | None:
    """The schedule of a run that goes on; None where there is none yet."""
    try:
        return Schedule.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise UserError(f"{path.name} is damaged.", "Start the training anew.") from error


def save_schedule(schedule: Schedule, path: Path) -> None:
    """Write a schedule, whole or not at all."""
    with atomic_write(path, replace=True) as stream:
        stream.write(schedule.model_dump_json(indent=2).encode() + b"\n")
