"""One stage of a training in progress: what it holds, how it is kept and taken up again."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
from retina_viewer.training.task import Task

Event = Mapping[str, Any]


@dataclass
class Surroundings:
    """Where a training runs and whom it tells.

    Attributes:
        precision: ``float32`` or ``bfloat16``; empty to find the faster one by a trial.
        log_every: steps between two ``losses`` events.
        should_stop: asked at every step; true ends the stage with the best weights so far.
    """

    checkpoint: Path
    seed: int
    device: torch.device
    events: Callable[[Event], None]
    progress: Progress = no_progress
    group: Group = ALONE
    precision: str = ""
    log_every: int = 50
    should_stop: Callable[[], bool] = lambda: False


@dataclass
class Stage:
    """The state of one stage; ``best`` are the averaged weights of the best validation."""

    task: Task
    number: int
    where: Surroundings
    counters: Counters
    optimisers: dict[str, torch.optim.Optimizer] = field(default_factory=dict)
    average: nn.Module = field(default_factory=nn.Module)
    best: dict[str, Tensor] = field(default_factory=dict)


def fresh_stage(task: Task, number: int, where: Surroundings) -> Stage:
    """A stage before its first step: players on the device, optimisers, the average."""
    plan = task.optimisation
    torch.manual_seed(where.seed)
    stage = Stage(task, number, where, Counters(stage=number, precision=where.precision))
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
    return stage


def take_up(stage: Stage) -> bool:
    """Bring a stage to where its checkpoint is.

    Returns:
        Whether there is one of this very stage; without, nothing changes.

    Raises:
        UserError: the file is not a checkpoint.
    """
    if not stage.where.checkpoint.exists():
        return False
    tensors, counters = load_checkpoint(stage.where.checkpoint)
    if counters.stage != stage.number:
        return False
    try:
        for player in stage.task.players:
            player.network.load_state_dict(below_prefix(f"network/{player.name}", tensors))
            restore_optimiser(
                stage.optimisers[player.name], below_prefix(f"optimiser/{player.name}", tensors)
            )
        stage.average.load_state_dict(below_prefix("average", tensors))
    except (RuntimeError, ValueError, KeyError) as error:  # tensors missing, or of other shapes
        raise UserError(
            f"{stage.where.checkpoint.name} is not a checkpoint of this training.",
            "Start the training anew.",
        ) from error
    stage.counters = counters
    stage.best = below_prefix("best", tensors)
    return True


def save(stage: Stage) -> None:
    """Replace the stage's checkpoint; only the first process of a group does.

    Raises:
        UserError: it cannot be written; the one before stays.
    """
    if not stage.where.group.is_first:
        return
    tensors = with_prefix("average", stage.average.state_dict())
    tensors |= with_prefix("best", stage.best)
    for player in stage.task.players:
        tensors |= with_prefix(f"network/{player.name}", player.network.state_dict())
        optimiser = stage.optimisers[player.name]
        tensors |= with_prefix(f"optimiser/{player.name}", optimiser_tensors(optimiser))
    save_checkpoint(stage.where.checkpoint, tensors, stage.counters)
