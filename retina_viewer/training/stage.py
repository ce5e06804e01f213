"""One stage of a training in progress: what it holds, how it is kept and taken up again."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

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
from retina_viewer.training.recipe import Optimisation

RESULT_OF = "_x"
"""Before the scale, at the end of the name of a loss or metric: ``rgb_x2``, where a stage trains
several results at once."""


@dataclass(frozen=True)
class Player:
    """A network with its own optimiser: one for plain training, two for a GAN."""

    name: str
    network: nn.Module


class Task(Protocol):
    """One stage: players, batches, losses and a validation that tells which weights are best."""

    @property
    def name(self) -> str:
        """For progress and events: ``superres step 2``, ``vessels``."""

    @property
    def optimisation(self) -> Optimisation: ...

    @property
    def players(self) -> tuple[Player, ...]:
        """In the order in which their losses are asked for; the first is kept and averaged.

        All of them are updated after that, so each judges the others as the step found them.
        """

    def batch(self, rng: np.random.Generator) -> Any:
        """A batch, every sample drawn from a child of ``rng`` of its own (``rng.spawn``).

        So the samples of a larger batch can be drawn by several processes. The same ``rng`` gives
        the same batch, once: a second batch from it is drawn from its next children.
        """

    def losses(self, player: Player, batch: Any) -> dict[str, Tensor]:
        """The weighted terms, whose sum ``player`` descends. Runs under the loop's autocast."""

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Metrics of the first player's (averaged) weights; ``score`` is the one to be high."""


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
