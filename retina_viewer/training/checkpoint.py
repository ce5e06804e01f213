"""A stage in progress, and everything it needs to go on after a kill, in one file without pickles.

A safetensors file: the tensors under ``network/..``, ``average/..``, ``best/..`` and
``optimiser/..`` keys, and the counters as JSON in its metadata. Random numbers need no state:
every step draws from a generator seeded with (seed, stage, step).
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.training.task import Task, TrainContext

_METADATA = "state"


class SavingFailed(UserError):
    """A checkpoint could not be written. The one before it is whole: mend it and go on."""


class Counters(BaseModel):
    """Where the training stands."""

    stage: int = 0
    step: int = 0
    best_score: float | None = None
    best_step: int = 0
    ended: bool = False  # before its iterations: out of patience, or asked to
    validated_step: int | None = None  # of the last validation
    saved_once: bool = False  # the stage has begun; False only before its first checkpoint
    parts: int = 1  # that a batch is computed in, since memory did not hold the whole
    retreats: int = 0  # how often the losses left the numbers and it went back
    rate_factor: float = 1.0  # of the learning rate since then
    precision: str = ""
    seconds: float = 0.0
    history: list[dict[str, float]] = []


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], counters: Counters) -> None:
    """Write ``path`` atomically, replacing an older checkpoint; SavingFailed says why not."""
    # clone: tensors of one storage (averages at their start) would be refused.
    flat = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    content = save(flat, metadata={_METADATA: counters.model_dump_json()})
    try:
        with atomic_write(path, replace=True) as stream:
            stream.write(content)
    except UserError as error:
        raise SavingFailed(error.message, error.hint) from error


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], Counters]:
    """The tensors and counters of a checkpoint."""
    try:
        with safe_open(path, framework="pt") as stream:
            metadata = stream.metadata() or {}
            tensors = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
        return tensors, Counters.model_validate_json(metadata[_METADATA])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise UserError(
            f"{path.name} is not a checkpoint of this program.", "Start the training anew."
        ) from error


def with_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}/{key}": value for key, value in tensors.items()}


def below_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}/"
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Adam's state as flat tensors: ``<parameter number>/<exp_avg | exp_avg_sq | step>``."""
    state: dict[int, dict[str, Any]] = optimiser.state_dict()["state"]
    return {
        f"{number}/{name}": torch.as_tensor(value)
        for number, values in state.items()
        for name, value in values.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of :func:`optimiser_tensors`."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split("/")
        state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


@dataclass
class StageState:
    """The state of one stage; ``best`` are the averaged weights of the best validation."""

    task: Task
    number: int
    where: TrainContext
    counters: Counters
    optimisers: dict[str, torch.optim.Optimizer] = field(default_factory=dict)
    average: nn.Module = field(default_factory=nn.Module)
    best: dict[str, Tensor] = field(default_factory=dict)


def fresh_stage(task: Task, number: int, where: TrainContext) -> StageState:
    """A stage before its first step: players on the device, optimisers, the average."""
    plan = task.optimisation
    torch.manual_seed(where.seed)
    stage = StageState(task, number, where, Counters(stage=number, precision=where.precision))
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


def take_up(stage: StageState) -> bool:
    """Bring a stage to where its checkpoint is; False without one of this very stage.

    Raises:
        UserError: the file is not a checkpoint of this training.
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


def save_stage(stage: StageState) -> None:
    """Replace the stage's checkpoint; only the first process of a group does."""
    if not stage.where.group.is_first:
        return
    tensors = with_prefix("average", stage.average.state_dict())
    tensors |= with_prefix("best", stage.best)
    for player in stage.task.players:
        tensors |= with_prefix(f"network/{player.name}", player.network.state_dict())
        optimiser = stage.optimisers[player.name]
        tensors |= with_prefix(f"optimiser/{player.name}", optimiser_tensors(optimiser))
    save_checkpoint(stage.where.checkpoint, tensors, stage.counters)
