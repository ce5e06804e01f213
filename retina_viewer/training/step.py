"""One step of a training: a batch, each player in turn, the moving average."""

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from retina_viewer.core.errors import UserError
from retina_viewer.training.micro_batches import free_unused, in_parts, is_out_of_memory, size_of
from retina_viewer.training.recipe import Optimisation
from retina_viewer.training.stage import Stage
from retina_viewer.training.task import Player

_EMA_WARMUP = 10  # the average follows quickly at first: decay = min(ema, (1 + n) / (10 + n))


class NotFinite(Exception):
    """A loss or a gradient left the numbers; the weights are still those of before."""


class _OutOfMemory(Exception):
    """In this process or in another of the group."""


def one_step(stage: Stage) -> dict[str, float]:
    """Draw the batch of this step and let each player descend on it; the loss terms by name.

    Where memory runs out, the step is done again with the batch in twice as many parts, whose
    gradients are added up: the effective batch stays what the recipe says. How many parts there
    are is remembered in the counters. No player is updated before all have their gradients, so a
    step that is done again updates none of them twice.

    Raises:
        NotFinite: a loss or gradient is no number.
        UserError: there is no memory for a single sample.
    """
    while True:
        try:
            return _attempt(stage)
        except _OutOfMemory:
            free_unused(stage.where.device)
            _use_more_parts(stage)


def _use_more_parts(stage: Stage) -> None:
    batch = stage.task.optimisation.batch
    if stage.counters.parts >= batch:
        raise UserError(
            "There is not enough memory to train, not even with one sample at a time.",
            "Close other programs, choose smaller patches in the expert settings, "
            "or train on another device.",
        )
    stage.counters.parts = min(batch, 2 * stage.counters.parts)
    message = (
        f"Memory ran out: batches of {batch} are now computed in {stage.counters.parts} parts. "
        "The result stays the same; it takes a little longer."
    )
    stage.where.events({"event": "notice", "message": message})


def _attempt(stage: Stage) -> dict[str, float]:
    """All players' gradients, then all their updates: whatever fails before leaves no trace.

    So the players judge each other as they were at the start of the step. What moves in a forward
    pass (running statistics, the vectors of spectral normalisation) is put back on failure.
    """
    task, where = stage.task, stage.where
    drawn: list[Any] = []
    _together(stage, lambda: drawn.append(_batch(stage)))
    parts = in_parts(drawn[0], min(stage.counters.parts, size_of(drawn[0])))
    logged: dict[str, float] = {}
    before = [[buffer.clone() for buffer in p.network.buffers()] for p in task.players]
    try:
        for player in task.players:
            player.network.train()
            logged |= _gradients(stage, player, parts)
            where.group.average(p.grad for p in player.network.parameters() if p.grad is not None)
            norm = nn.utils.clip_grad_norm_(player.network.parameters(), task.optimisation.clip)
            if not torch.isfinite(norm):
                raise NotFinite
    except (NotFinite, _OutOfMemory):
        for player, buffers in zip(task.players, before, strict=True):
            for buffer, old in zip(player.network.buffers(), buffers, strict=True):
                buffer.copy_(old)
        raise
    for player in task.players:
        _update(stage, player)
    _follow(stage.average, task.players[0].network, task.optimisation.ema, stage.counters.step)
    return logged


def _update(stage: Stage, player: Player) -> None:
    """One step along the gradients that are in place."""
    optimiser = stage.optimisers[player.name]
    rate = learning_rate(stage.task.optimisation, stage.counters.step) * stage.counters.rate_factor
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.step()
    stage.where.group.average(b for b in player.network.buffers() if b.is_floating_point())


def _batch(stage: Stage) -> Any:
    # Seeded by place, not by history: a resumed training draws what an unbroken one draws.
    where = stage.where
    seed = [where.seed, stage.number, stage.counters.step]
    own = seed + [where.group.rank] * (where.group.rank > 0)
    torch.manual_seed(int(np.random.SeedSequence(own).generate_state(1)[0]))
    # Every patch of a batch draws from a child of this step's numbers, and each process goes on
    # where the children of the one before it end: together they draw one larger batch.
    drawn_by_others = where.group.rank * stage.task.optimisation.batch
    children = np.random.SeedSequence(seed, n_children_spawned=drawn_by_others)
    return stage.task.batch(np.random.default_rng(children))


def _gradients(stage: Stage, player: Player, parts: list[tuple[Any, float]]) -> dict[str, float]:
    """Leave a player's gradients over all parts in place; its loss terms by name."""
    stage.optimisers[player.name].zero_grad(set_to_none=True)
    sums: dict[str, float] = {}
    finite = True

    def descend() -> None:
        nonlocal finite
        precision: torch.dtype = getattr(torch, stage.counters.precision)
        device, enabled = stage.where.device.type, precision != torch.float32
        for part, share in parts:
            with torch.autocast(device, dtype=precision, enabled=enabled):
                terms = stage.task.losses(player, part)
            total = torch.stack(list(terms.values())).sum()
            if not torch.isfinite(total):
                finite = False
                return
            (total if share == 1 else share * total).backward()  # type: ignore[no-untyped-call]
            for name, term in terms.items():
                key = f"{player.name}/{name}"
                sums[key] = sums.get(key, 0.0) + share * float(term.detach())

    _together(stage, descend)
    if not stage.where.group.agreed(finite):
        raise NotFinite
    return sums


def _together(stage: Stage, work: Any) -> None:
    """Do some work, and learn whether memory held in all processes."""
    held = True
    try:
        work()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        held = False
    # Outside of the except clause: there, the traceback would keep what filled the memory.
    if not stage.where.group.agreed(held):
        raise _OutOfMemory


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
