"""The one training loop: any task, any number of players, resumable at any kill."""

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.training.checkpoint import (
    Counters,
    below_prefix,
    load_checkpoint,
    optimiser_tensors,
    restore_optimiser,
    save_checkpoint,
    with_prefix,
)
from retina_viewer.training.distributed import ALONE, Group
from retina_viewer.training.precision import fastest_precision
from retina_viewer.training.recipe import Optimisation
from retina_viewer.training.task import Task

Event = Mapping[str, Any]
CHECKPOINT_SECONDS = 60.0
_LOG_EVERY = 50
_EMA_WARMUP = 10  # the average follows quickly at first: decay = min(ema, (1 + n) / (10 + n))


@dataclass
class Surroundings:
    """Where a training runs and whom it tells."""

    checkpoint: Path
    seed: int
    device: torch.device
    events: Callable[[Event], None]
    progress: Progress = no_progress
    group: Group = ALONE


@dataclass
class _Stage:
    task: Task
    number: int
    where: Surroundings
    counters: Counters
    optimisers: dict[str, torch.optim.Optimizer] = field(default_factory=dict)
    average: nn.Module = field(default_factory=nn.Module)
    best: dict[str, Tensor] = field(default_factory=dict)


def run_stage(task: Task, number: int, where: Surroundings) -> Counters:
    """Train one stage to its end; the first player is left with its best averaged weights.

    Goes on from ``where.checkpoint`` when that file belongs to this stage.

    Args:
        task: what is trained.
        number: of the stage in its recipe, from 0; part of every random seed.
        where: device, seed, checkpoint and listeners. Its progress callback may raise Cancelled:
            a checkpoint is written first, so the training can go on later.

    Returns:
        The counters at the end, with the history of losses and validations.

    Raises:
        UserError: the losses are not finite, or the checkpoint cannot be written.
    """
    stage = _begin(task, number, where)
    counters, plan = stage.counters, task.optimisation
    progress = where.group.together(where.progress)
    last_saved = started = time.monotonic()
    seconds_before = counters.seconds
    running: dict[str, list[float]] = {}
    try:
        while counters.step < plan.iterations:
            terms = _one_step(stage)
            counters.step += 1
            counters.seconds = seconds_before + time.monotonic() - started
            for name, value in terms.items():
                running.setdefault(name, []).append(value)
            if counters.step % _LOG_EVERY == 0:
                _log(stage, running)
            if counters.step % plan.validate_every == 0 or counters.step == plan.iterations:
                _validate(stage)
            if time.monotonic() - last_saved > CHECKPOINT_SECONDS:
                _save(stage)
                last_saved = time.monotonic()
            progress(counters.step / plan.iterations, task.name)
    finally:
        _save(stage)
    task.players[0].network.load_state_dict(stage.best)
    return counters


def _begin(task: Task, number: int, where: Surroundings) -> _Stage:
    """Fresh optimisers and average, or those of the checkpoint of this very stage."""
    plan = task.optimisation
    torch.manual_seed(where.seed)
    stage = _Stage(task, number, where, Counters(stage=number))
    for player in task.players:
        player.network.to(where.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        stage.optimisers[player.name] = torch.optim.AdamW(
            player.network.parameters(),
            lr=plan.rate,
            betas=(plan.beta1, 0.999),
            weight_decay=plan.weight_decay,
        )
        where.group.follow_first(player.network)
    stage.average = copy.deepcopy(task.players[0].network).requires_grad_(False).eval()
    if where.checkpoint.exists():
        tensors, counters = load_checkpoint(where.checkpoint)
        if counters.stage == number:
            stage.counters = counters
            for player in task.players:
                player.network.load_state_dict(below_prefix(f"network/{player.name}", tensors))
                restore_optimiser(
                    stage.optimisers[player.name],
                    below_prefix(f"optimiser/{player.name}", tensors),
                )
            stage.average.load_state_dict(below_prefix("average", tensors))
            stage.best = below_prefix("best", tensors)
    if not stage.counters.precision:
        stage.counters.precision = where.group.from_first(
            lambda: str(fastest_precision(where.device)).removeprefix("torch.")
        )
    return stage


def _one_step(stage: _Stage) -> dict[str, float]:
    """One batch, each player in turn, then the moving average; the loss terms by name."""
    task, counters, where = stage.task, stage.counters, stage.where
    plan = task.optimisation
    # Seeded by place, not by history: a resumed training draws what an unbroken one draws.
    seed = [where.seed, stage.number, counters.step]
    own = seed + [where.group.rank] * (where.group.rank > 0)
    torch.manual_seed(int(np.random.SeedSequence(own).generate_state(1)[0]))
    # Every patch of a batch draws from a child of this step's numbers, and each process goes on
    # where the children of the one before it end: together they draw one larger batch.
    drawn_by_others = where.group.rank * plan.batch
    children = np.random.SeedSequence(seed, n_children_spawned=drawn_by_others)
    batch = task.batch(np.random.default_rng(children))
    precision: torch.dtype = getattr(torch, counters.precision)
    logged: dict[str, float] = {}
    for player in task.players:
        player.network.train()
        optimiser = stage.optimisers[player.name]
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(plan, counters.step)
        enabled = precision != torch.float32
        with torch.autocast(where.device.type, dtype=precision, enabled=enabled):
            terms = task.losses(player, batch)
        total = torch.stack(list(terms.values())).sum()
        if not where.group.agreed(bool(torch.isfinite(total))):
            raise UserError(
                f"The loss of {task.name} is not finite at step {counters.step}.",
                "Lower the learning rate and go on from the last checkpoint.",
            )
        optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        where.group.average(p.grad for p in player.network.parameters() if p.grad is not None)
        nn.utils.clip_grad_norm_(player.network.parameters(), plan.clip)
        optimiser.step()
        where.group.average(b for b in player.network.buffers() if b.is_floating_point())
        logged |= {f"{player.name}/{name}": float(term.detach()) for name, term in terms.items()}
    _follow(stage.average, task.players[0].network, plan.ema, counters.step)
    return logged


def learning_rate(plan: Optimisation, step: int) -> float:
    """A linear warm-up, then half a cosine from ``rate`` to ``final_rate``."""
    if step < plan.warmup:
        return plan.rate * (step + 1) / plan.warmup
    done = (step - plan.warmup) / max(1, plan.iterations - plan.warmup)
    return plan.final_rate + (plan.rate - plan.final_rate) * (1 + math.cos(math.pi * done)) / 2


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    decay = min(decay, (1 + step) / (_EMA_WARMUP + step))
    source = network.state_dict()
    for name, value in average.state_dict().items():
        if value.dtype.is_floating_point:
            value.lerp_(source[name], 1 - decay)
        else:
            value.copy_(source[name])


def _log(stage: _Stage, running: dict[str, list[float]]) -> None:
    counters = stage.counters
    means = {name: float(np.mean(values)) for name, values in running.items()}
    running.clear()
    record = {"step": float(counters.step), **means}
    counters.history.append(record)
    speed = counters.step / max(counters.seconds, 1e-6)
    stage.where.events(
        {
            "event": "losses",
            "task": stage.task.name,
            "iterations": stage.task.optimisation.iterations,
            "steps_per_second": round(speed, 3),
            **record,
        }
    )


def _validate(stage: _Stage) -> None:
    counters = stage.counters
    stage.average.eval()
    metrics = stage.where.group.from_first(lambda: stage.task.validate(stage.average))
    counters.history.append({"step": float(counters.step), **metrics})
    if counters.best_score is None or metrics["score"] > counters.best_score:
        counters.best_score, counters.best_step = metrics["score"], counters.step
        state = stage.average.state_dict()
        stage.best = {key: value.detach().clone() for key, value in state.items()}
    event = {"event": "validation", "task": stage.task.name, "step": counters.step, **metrics}
    stage.where.events(event)


def _save(stage: _Stage) -> None:
    if not stage.where.group.is_first:
        return
    tensors = with_prefix("average", stage.average.state_dict())
    tensors |= with_prefix("best", stage.best)
    for player in stage.task.players:
        tensors |= with_prefix(f"network/{player.name}", player.network.state_dict())
        optimiser = stage.optimisers[player.name]
        tensors |= with_prefix(f"optimiser/{player.name}", optimiser_tensors(optimiser))
    save_checkpoint(stage.where.checkpoint, tensors, stage.counters)
