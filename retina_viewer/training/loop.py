"""The one training loop: any task, any number of players, resumable at any kill."""

from __future__ import annotations

import dataclasses
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from retina_viewer.core.errors import UserError
from retina_viewer.training.checkpoint import Counters, StageState, fresh_stage, save_stage, take_up
from retina_viewer.training.recipe import Optimisation
from retina_viewer.training.task import Player, Task, TrainContext

Result = TypeVar("Result")
_EMA_WARMUP = 10  # the average follows quickly at first: decay = min(ema, (1 + n) / (10 + n))


class NotFinite(Exception):
    """A loss or a gradient left the numbers; the weights are still those of before."""


class _OutOfMemory(Exception):
    """In this process or in another of the group."""


def one_step(stage: StageState) -> dict[str, float]:
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
            if stage.where.device.type == "cuda":  # what is kept for later may serve now
                torch.cuda.empty_cache()
            _use_more_parts(stage)


def _use_more_parts(stage: StageState) -> None:
    batch = stage.task.optimisation.batch
    if stage.counters.parts >= batch:
        raise UserError(
            "There is not enough memory to train, not even with one sample at a time.",
            "Close other programs, choose smaller patches in the expert settings, "
            "or train on another device.",
        )
    stage.counters.parts = min(batch, 2 * stage.counters.parts)
    stage.where.notice(
        f"Memory ran out: batches of {batch} are now computed in {stage.counters.parts} parts. "
        "The result stays the same; it takes a little longer."
    )


def _attempt(stage: StageState) -> dict[str, float]:
    """All players' gradients, then all their updates: whatever fails before leaves no trace.

    So the players judge each other as they were at the start of the step. What moves in a forward
    pass (running statistics, the vectors of spectral normalisation) is put back on failure.
    """
    task, where = stage.task, stage.where
    batch = _together(stage, lambda: _batch(stage))
    parts = in_parts(batch, min(stage.counters.parts, size_of(batch)))
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
    rate = learning_rate(task.optimisation, stage.counters.step) * stage.counters.rate_factor
    for player in task.players:
        optimiser = stage.optimisers[player.name]
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        where.group.average(b for b in player.network.buffers() if b.is_floating_point())
    _follow(stage.average, task.players[0].network, task.optimisation.ema, stage.counters.step)
    return logged


def _batch(stage: StageState) -> Any:
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


def _gradients(
    stage: StageState, player: Player, parts: list[tuple[Any, float]]
) -> dict[str, float]:
    """Leave a player's gradients over all parts in place; its loss terms by name."""
    stage.optimisers[player.name].zero_grad(set_to_none=True)
    sums: dict[str, float] = {}

    def descend() -> bool:
        """False where a loss is not finite."""
        precision: torch.dtype = getattr(torch, stage.counters.precision)
        device, enabled = stage.where.device.type, precision != torch.float32
        for part, share in parts:
            with torch.autocast(device, dtype=precision, enabled=enabled):
                terms = stage.task.losses(player, part)
            total = torch.stack(list(terms.values())).sum()
            if not torch.isfinite(total):
                return False
            (total if share == 1 else share * total).backward()  # type: ignore[no-untyped-call]
            for name, term in terms.items():
                key = f"{player.name}/{name}"
                sums[key] = sums.get(key, 0.0) + share * float(term.detach())
        return True

    if not stage.where.group.agreed(_together(stage, descend)):
        raise NotFinite
    return sums


def _together(stage: StageState, work: Callable[[], Result]) -> Result:
    """Do some work, and learn whether memory held in all processes."""
    done: Result | None = None
    try:
        done = work()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    # Outside of the except clause: there, the traceback would keep what filled the memory.
    if not stage.where.group.agreed(done is not None) or done is None:
        raise _OutOfMemory
    return done


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


def size_of(batch: Any) -> int:
    """How many samples a batch holds; see :func:`in_parts` for what batches are."""
    while not isinstance(batch, Tensor):
        batch = next(iter(_fields(batch).values()))
    return int(batch.shape[0])


def in_parts(batch: Any, parts: int) -> list[tuple[Any, float]]:
    """Parts of consecutive samples, each with its share of them; the shares add up to 1.

    A batch is a tuple or a dataclass, of tensors or again of such, the first dimension of each
    counting the samples. Losses are means over samples, so the sum of their gradients times the
    shares is the gradient of the whole.
    """
    if parts == 1:
        return [(batch, 1.0)]
    count = size_of(batch)
    return [(piece, size_of(piece) / count) for piece in _divided(batch, parts)]


def _divided(batch: Any, parts: int) -> list[Any]:
    if isinstance(batch, Tensor):
        return list(torch.tensor_split(batch, parts))
    fields = {name: _divided(value, parts) for name, value in _fields(batch).items()}
    groups = zip(*fields.values(), strict=True)
    if not dataclasses.is_dataclass(batch):
        return list(groups)
    make: Any = type(batch)
    return [make(**dict(zip(fields, group, strict=True))) for group in groups]


def _fields(batch: Any) -> dict[Any, Any]:
    if dataclasses.is_dataclass(batch):
        return {field.name: getattr(batch, field.name) for field in dataclasses.fields(batch)}
    return dict(enumerate(batch))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: the GPU's, or the processor's (torch says that as RuntimeError)."""
    told = isinstance(error, RuntimeError) and "allocate memory" in str(error)
    return told or isinstance(error, torch.OutOfMemoryError | MemoryError)


_WORTHWHILE = 1.25  # least speed-up for which the coarser numbers are accepted


def fastest_precision(device: torch.device) -> torch.dtype:
    """The autocast type for training on this device: one short timed trial of both."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    times = {dtype: _trial_seconds(dtype) for dtype in (torch.float32, torch.bfloat16)}
    worthwhile = times[torch.float32] > _WORTHWHILE * times[torch.bfloat16]
    return torch.bfloat16 if worthwhile else torch.float32


def _trial_seconds(dtype: torch.dtype) -> float:
    """Best of three forward and backward passes through a few 3x3 convolutions."""
    layers = [nn.Conv2d(32, 32, 3, padding=1) for _ in range(4)]
    network = nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    sample = torch.rand(2, 32, 64, 64).to(memory_format=torch.channels_last)
    best = math.inf
    for _ in range(4):
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            loss = network(sample).float().square().mean()
        loss.backward()
        best = min(best, time.perf_counter() - start)
    return best


def peak_memory_mb(device: torch.device) -> float | None:
    """The most memory used so far, MiB: the GPU's by this program, or this process's on the
    processor; None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    platform: str = sys.platform  # a plain text, or the type checker leaves out all but its own
    return peak / 2**20 if platform == "darwin" else peak / 2**10


CHECKPOINT_SECONDS = 60.0
_MOST_RETREATS = 2


def run_stage(task: Task, number: int, where: TrainContext) -> Counters:
    """Train one stage to its end; the first player is left with its best averaged weights.

    Goes on from ``where.checkpoint`` when that file belongs to this stage. The end is reached
    after the recipe's iterations, when validation has not become better for as long as the
    recipe's patience, or when ``where.should_stop`` says so.

    Losses or gradients that are no numbers send it back to the last checkpoint with half the
    learning rate, twice at most. When the progress callback raises Cancelled, a checkpoint is
    written first, so the training can go on later.

    Args:
        number: of the stage in its recipe, from 0; part of every random seed.

    Raises:
        UserError: the losses stay not finite, memory does not hold one sample, or the checkpoint
            cannot be written.
    """
    stage = begin_stage(task, number, where)
    if not stage.counters.saved_once:
        # The first checkpoint: what a loss that is no number goes back to.
        if task.optimisation.validate_first:
            _validate(stage)
        stage.counters.saved_once = True
        save_stage(stage)
    try:
        _train(stage)
    finally:
        save_stage(stage)
    task.players[0].network.load_state_dict(stage.best)
    return stage.counters


def begin_stage(task: Task, number: int, where: TrainContext) -> StageState:
    """A stage ready for its next step: fresh, or as its checkpoint left it."""
    stage = fresh_stage(task, number, where)
    take_up(stage)
    where.group.agreed(True)  # none goes on to write a checkpoint that another would take up
    if not stage.counters.precision:
        stage.counters.precision = where.group.from_first(
            lambda: str(fastest_precision(where.device)).removeprefix("torch.")
        )
    return stage


def _train(stage: StageState) -> None:
    counters, plan, where = stage.counters, stage.task.optimisation, stage.where
    progress = where.group.together(where.progress)
    last_saved = started = time.monotonic()
    seconds_before = counters.seconds
    running: dict[str, list[float]] = defaultdict(list)
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
            running[name].append(value)
        if counters.step % where.log_every == 0:
            _log(stage, running)
        if counters.step % plan.validate_every == 0 or counters.step == plan.iterations:
            _validate(stage)
        if time.monotonic() - last_saved > CHECKPOINT_SECONDS:
            save_stage(stage)
            last_saved = time.monotonic()
        progress(counters.step / plan.iterations, stage.task.name)


def _is_over(stage: StageState) -> bool:
    """Whether the stage has ended, for whichever reason; remembered in the counters."""
    counters, plan, where = stage.counters, stage.task.optimisation, stage.where
    if counters.ended or counters.step >= plan.iterations:
        return True
    if where.group.agreed(not where.should_stop()):
        if plan.patience is not None and counters.best_score is not None:
            since_best = counters.step - counters.best_step
            counters.ended = since_best >= plan.patience * plan.validate_every
        return counters.ended
    if counters.validated_step != counters.step or counters.best_score is None:
        _validate(stage)
    counters.ended = True
    return True


def _go_back(stage: StageState) -> None:
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
    save_stage(stage)
    stage.where.notice(
        f"The loss was no number at step {step}. Going on from step {stage.counters.step} "
        "with half the learning rate."
    )


def _log(stage: StageState, running: dict[str, list[float]]) -> None:
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


def validated(stage: StageState) -> dict[str, float]:
    """The metrics of the averaged weights, measured by the first process."""
    network, where = stage.average.eval(), stage.where
    found: dict[str, float] = where.group.from_first(
        lambda: where.observe(network, stage.task.validate(network))
    )
    return found


def _validate(stage: StageState) -> None:
    counters = stage.counters
    metrics = validated(stage)
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
