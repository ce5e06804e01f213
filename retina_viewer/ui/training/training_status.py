"""What a training has told of itself so far, put together from its events; no Qt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

from retina_viewer.finetuning.run_folder import RunState
from retina_viewer.ui.widgets.learning_history import Curve, LearningHistory, Point

Event = Mapping[str, Any]
_PLACE = ("event", "task", "stage", "step", "iterations", "steps_per_second", "memory_mb", "time")
"""Fields of losses and validations that are no curves."""
_DAMAGED = (KeyError, TypeError, ValueError, OverflowError)
_MOST_STAGES = 100
_TELLING = 0.1
"""The share of the comparison from which on its own speed tells the time left."""


class Phase(Enum):
    """Where a training stands, as a person sees it."""

    PREPARED = "prepared"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    KILLED = "killed"
    """Its process ended without a word; the last checkpoint is there."""
    GONE = "gone"
    """Its folder is not there any more."""

    @property
    def is_active(self) -> bool:
        return self in (Phase.STARTING, Phase.RUNNING)

    @property
    def can_resume(self) -> bool:
        return self in (Phase.PREPARED, Phase.PAUSED, Phase.FAILED, Phase.KILLED)


def phase_of(state: RunState | None, alive: bool, starting: bool) -> Phase:
    """The phase that state and process amount to.

    Args:
        state: as read; None where the folder is gone.
        alive: whether the process that the state names runs.
        starting: a process was started that has not named itself in the state yet.
    """
    if state is None:
        return Phase.GONE
    if state.status == "running":
        return Phase.RUNNING if alive else Phase.STARTING if starting else Phase.KILLED
    if starting and state.status != "finished":
        return Phase.STARTING
    return Phase(state.status)


@dataclass
class TrainingStatus:
    """Everything that the training page shows. Feed it events in their order. What is 0, empty or
    None is not known yet.

    Attributes:
        stages: how many it has; each gets the same share of the time.
        seconds_planned: the time that all stages are to take.
        seconds_after: what calibration and verdict are to take after them.
        stage: the present one, from 0; ``step`` and ``iterations`` are its own.
        memory_mb: at most so far.
        notices: what happened on the way, whole sentences.
        crops: the folder of the newest before-and-after patches.
        activity: what is being done, in words, where it is not training steps.
        fraction: of everything, 0 to 1.
    """

    stages: int = 1
    device: str = ""
    seconds_planned: float = 0.0
    seconds_after: float | None = None
    history: LearningHistory = field(default_factory=LearningHistory)
    stage: int = 0
    task: str = ""
    step: int = 0
    iterations: int = 0
    steps_per_second: float = 0.0
    memory_mb: float | None = None
    notices: list[str] = field(default_factory=list)
    crops: Path | None = None
    activity: str = ""
    fraction: float = 0.0
    _time: float = 0.0
    _trained: float | None = None
    _comparing: tuple[float, float] | None = None

    def take(self, events: Iterable[Event]) -> bool:
        """Take up events; returns whether there were any. One that is damaged is left out."""
        told = False
        for event in events:
            handler = getattr(self, f"_on_{event.get('event', '')}".replace(" ", "_"), None)
            if handler is not None:
                with suppress(*_DAMAGED):
                    self._time = _number(event, "time", self._time)
                with suppress(*_DAMAGED):
                    handler(event)
            told = True
        return told

    def copy(self) -> TrainingStatus:
        """As it is now: what is taken up later is not in it."""
        return replace(self, history=self.history.copy(), notices=list(self.notices))

    @property
    def is_trained(self) -> bool:
        """Whether all steps are done: what follows is calibration and verdict."""
        return self._trained is not None

    @property
    def seconds_of_training_left(self) -> float | None:
        """Until the last step; None before anything was measured."""
        if self._trained is not None:
            return 0.0
        if not (self.steps_per_second and self.iterations):
            return self.seconds_planned or None
        within = max(0, self.iterations - self.step) / self.steps_per_second
        whole = self.seconds_planned / self.stages or self.iterations / self.steps_per_second
        return within + max(0, self.stages - self.stage - 1) * whole

    @property
    def seconds_left(self) -> float | None:
        """Until the very end, with calibration and verdict; None where that cannot be told."""
        training = self.seconds_of_training_left
        if self._comparing is not None:
            began, done = self._comparing
            share = (self.fraction - done) / (1 - done) if done < 1 else 1.0
            if share >= _TELLING:  # measured on the work itself
                return (self._time - began) / share * (1 - share)
        if training is None or self.seconds_after is None:
            return None
        spent = 0.0 if self._trained is None else self._time - self._trained
        left = training + self.seconds_after - spent
        return left if left > 0 else None  # it takes longer than was thought

    @property
    def validated_step(self) -> int:
        """The step of the newest validation of the present stage."""
        points = self.history.stages[self.stage] if self.stage < len(self.history.stages) else []
        return int(max((one["step"] for one in points if "score" in one), default=0))

    def readings(self) -> list[str]:
        """What the validation curves of the present stage say, a sentence each."""
        if self.stage >= len(self.history.stages):
            return []
        curves = self.history.curves(self.stage)
        return [in_words(one) for one in curves if not one.is_loss and one.name != "score"]

    # One handler an event, by its name

    def _on_start(self, event: Event) -> None:
        self.device = str(event.get("device", ""))
        self.seconds_planned = _number(event, "seconds_planned", self.seconds_planned)
        self.stages = max(1, len(event.get("stages") or [0]))
        self.activity, self._trained, self._comparing = "", None, None
        after = event.get("seconds_after")
        self.seconds_after = None if after is None else _number(event, "seconds_after")

    def _on_trial(self, event: Event) -> None:
        self.steps_per_second = _number(event, "steps_per_second", 0.0)
        self.activity = "measuring how fast this computer trains"

    def _on_losses(self, event: Event) -> None:
        step = int(_number(event, "step"))
        self._enter(event)
        self.step = step
        self.iterations = int(_number(event, "iterations", self.iterations))
        self.steps_per_second = _number(event, "steps_per_second", self.steps_per_second)
        if event.get("memory_mb") is not None:
            self.memory_mb = _number(event, "memory_mb")
        self._add_point(event)

    def _on_validation(self, event: Event) -> None:
        step = int(_number(event, "step"))
        self._enter(event)
        self.step = max(self.step, step)
        self._add_point(event)

    def _on_crops(self, event: Event) -> None:
        self.crops = Path(str(event["folder"]))

    def _on_notice(self, event: Event) -> None:
        self.notices.append(str(event.get("message", "")))

    def _on_stage_finished(self, event: Event) -> None:
        self.step = int(_number(event, "steps", self.iterations))
        if int(_number(event, "stage", self.stage + 1)) >= self.stages:
            self._trained = self._time

    def _on_comparing(self, event: Event) -> None:
        self._comparing = (self._time, self.fraction)

    def _on_progress(self, event: Event) -> None:
        self.fraction = min(1.0, max(0.0, _number(event, "fraction", 0.0)))
        what = str(event.get("what", ""))
        self.activity = "" if what == self.task else what

    def _on_verdict(self, event: Event) -> None:
        self.fraction, self.activity = 1.0, ""

    # Bookkeeping

    def _enter(self, event: Event) -> None:
        stage = int(_number(event, "stage", self.stage + 1)) - 1
        if not 0 <= stage < _MOST_STAGES:
            raise ValueError("no training has so many stages")
        self.task = str(event.get("task", self.task))
        self.activity = ""
        if stage != self.stage:
            self.stage, self.step, self.iterations = stage, 0, 0

    def _add_point(self, event: Event) -> None:
        point = {k: v for k, v in event.items() if k == "step" or k not in _PLACE}
        stages = self.history.stages
        if self.stage < len(stages):
            _forget_what_comes_again(stages[self.stage], point)
        self.history.add(self.stage, point)
        self.history.thin(self.stage)


def _number(event: Event, name: str, default: float | None = None) -> float:
    """A field that is finite; ``default`` where there is none, or nought. Raises ValueError,
    TypeError, KeyError: it is no number, or missing where it must be there.
    """
    value = float(event[name] if default is None else event.get(name) or default)
    if not math.isfinite(value):
        raise ValueError(f"{name} is not finite")
    return value


def _forget_what_comes_again(points: list[Point], new: Mapping[str, Any]) -> None:
    """A training that was killed goes on from its checkpoint and tells the rest again."""
    place = len(points)
    while place and points[place - 1]["step"] >= float(new["step"]):
        place -= 1
    is_judged = "score" in new
    points[place:] = [
        one
        for one in points[place:]
        if one["step"] == float(new["step"]) and ("score" in one) != is_judged
    ]


def in_words(curve: Curve) -> str:
    """A validation curve as a sentence: where it began, where it is, which way is better."""
    first, last = float(curve.values[0]), float(curve.values[-1])
    digits = 2 if max(abs(first), abs(last)) >= 5 else 4
    better = "lower" if curve.falls else "higher"
    name = curve.title
    if len(curve.values) == 1:
        return f"{name} at the start: {first:.{digits}f} ({better} is better)."
    moved = last - first
    if round(moved, digits) == 0:
        return f"{name} is where it began, at {last:.{digits}f} ({better} is better)."
    verb = "rose" if moved > 0 else "fell"
    judged = "better" if (moved > 0) != curve.falls else "worse so far"
    return f"{name} {verb} from {first:.{digits}f} to {last:.{digits}f}: {judged}."


def duration(seconds: float) -> str:
    """``40 s``, ``18 min``, ``2 h 05 min``."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
