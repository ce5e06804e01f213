"""The one training loop: any task, any number of players, resumable at any kill."""

import math
import time

import numpy as np

from retina_viewer.core.errors import UserError
from retina_viewer.training.checkpoint import Counters
from retina_viewer.training.memory import peak_memory_mb
from retina_viewer.training.precision import fastest_precision
from retina_viewer.training.stage import Event, Stage, Surroundings, fresh_stage, save, take_up
from retina_viewer.training.step import NotFinite, learning_rate, one_step
from retina_viewer.training.task import Task

__all__ = ["Event", "Surroundings", "begin_stage", "learning_rate", "run_stage"]

CHECKPOINT_SECONDS = 60.0
_MOST_RETREATS = 2


def run_stage(task: Task, number: int, where: Surroundings) -> Counters:
    """Train one stage to its end; the first player is left with its best averaged weights.

    Goes on from ``where.checkpoint`` when that file belongs to this stage. The end is reached
    after the recipe's iterations, when validation has not become better for as long as the
    recipe's patience, or when ``where.should_stop`` says so.

    Losses or gradients that are no numbers send it back to the last checkpoint with half the
    learning rate, twice at most.

    Args:
        task: what is trained.
        number: of the stage in its recipe, from 0; part of every random seed.
        where: device, seed, checkpoint and listeners. Its progress callback may raise Cancelled:
            a checkpoint is written first, so the training can go on later.

    Returns:
        The counters at the end, with the history of losses and validations.

    Raises:
        UserError: the losses stay not finite, memory does not hold one sample, or the checkpoint
            cannot be written.
    """
    stage = begin_stage(task, number, where)
    if not stage.counters.saved_once:
        _start(stage)
    try:
        _train(stage)
    finally:
        save(stage)
    task.players[0].network.load_state_dict(stage.best)
    return stage.counters


def begin_stage(task: Task, number: int, where: Surroundings) -> Stage:
    """A stage ready for its next step: fresh, or as its checkpoint left it."""
    stage = fresh_stage(task, number, where)
    take_up(stage)
    where.group.agreed(True)  # none goes on to write a checkpoint that another would take up
    if not stage.counters.precision:
        stage.counters.precision = where.group.from_first(
            lambda: str(fastest_precision(where.device)).removeprefix("torch.")
        )
    return stage


def _start(stage: Stage) -> None:
    """The first checkpoint: what a loss that is no number goes back to."""
    if stage.task.optimisation.validate_first:
        _validate(stage)
    stage.counters.saved_once = True
    save(stage)


def _train(stage: Stage) -> None:
    counters, plan, where = stage.counters, stage.task.optimisation, stage.where
    progress = where.group.together(where.progress)
    last_saved = started = time.monotonic()
    seconds_before = counters.seconds
    running: dict[str, list[float]] = {}
    while not _is_over(stage):
        try:
            terms = one_step(stage)
        except NotFinite:
            _go_back(stage)
            counters = stage.counters
            running.clear()
            continue
        counters.step += 1
        counters.seconds = seconds_before + time.monotonic() - started
        for name, value in terms.items():
            running.setdefault(name, []).append(value)
        if counters.step % where.log_every == 0:
            _log(stage, running)
        if counters.step % plan.validate_every == 0 or counters.step == plan.iterations:
            _validate(stage)
        if time.monotonic() - last_saved > CHECKPOINT_SECONDS:
            save(stage)
            last_saved = time.monotonic()
        progress(counters.step / plan.iterations, stage.task.name)


def _is_over(stage: Stage) -> bool:
    """Whether the stage has ended, for whichever reason; remembered in the counters."""
    counters, plan, where = stage.counters, stage.task.optimisation, stage.where
    if counters.ended or counters.step >= plan.iterations:
        return True
    if where.group.agreed(not where.should_stop()):
        since_best = counters.step - counters.best_step
        out_of_patience = (
            plan.patience is not None and since_best >= plan.patience * plan.validate_every
        )
        counters.ended = counters.best_score is not None and out_of_patience
        return counters.ended
    if counters.validated_step != counters.step or counters.best_score is None:
        _validate(stage)
    counters.ended = True
    return True


def _go_back(stage: Stage) -> None:
    """To the last checkpoint, with half the learning rate."""
    counters = stage.counters
    step, retreats, factor = counters.step, counters.retreats + 1, counters.rate_factor / 2
    if retreats > _MOST_RETREATS:
        raise UserError(
            f"The loss of {stage.task.name} is not finite at step {step}, "
            f"also with {2**_MOST_RETREATS} times less learning rate.",
            "Choose a lower learning rate, and look for photographs with faults.",
        )
    take_up(stage)
    stage.counters.retreats, stage.counters.rate_factor = retreats, factor
    save(stage)
    message = (
        f"The loss was no number at step {step}. Going on from step {stage.counters.step} "
        "with half the learning rate."
    )
    stage.where.events({"event": "notice", "message": message})


def _log(stage: Stage, running: dict[str, list[float]]) -> None:
    counters = stage.counters
    means = {name: float(np.mean(values)) for name, values in running.items()}
    running.clear()
    counters.history.append({"step": float(counters.step), **means})
    speed = counters.step / max(counters.seconds, 1e-6)
    memory = peak_memory_mb(stage.where.device)
    stage.where.events(
        {
            "event": "losses",
            "task": stage.task.name,
            "stage": stage.number + 1,
            "step": counters.step,
            "iterations": stage.task.optimisation.iterations,
            "steps_per_second": round(speed, 3),
            **({} if memory is None else {"memory_mb": round(memory)}),
            **means,
        }
    )


def _validate(stage: Stage) -> None:
    counters = stage.counters
    stage.average.eval()
    metrics = stage.where.group.from_first(lambda: stage.task.validate(stage.average))
    counters.history.append({"step": float(counters.step), **metrics})
    counters.validated_step = counters.step
    if not math.isfinite(metrics["score"]):
        raise UserError(
            f"The validation of {stage.task.name} at step {counters.step} gave no number.",
            "Choose a lower learning rate, and look for photographs with faults.",
        )
    if counters.best_score is None or metrics["score"] > counters.best_score:
        counters.best_score, counters.best_step = metrics["score"], counters.step
        state = stage.average.state_dict()
        stage.best = {key: value.detach().clone() for key, value in state.items()}
    place = {"task": stage.task.name, "stage": stage.number + 1, "step": counters.step}
    stage.where.events({"event": "validation", **place, **metrics})
