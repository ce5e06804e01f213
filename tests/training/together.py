"""One process of several that train together: started by ``test_distributed``, not collected.

``python together.py FOLDER BATCH`` is cancelled halfway and goes on to the end; with ``alone``
behind it, the second process dies halfway.
"""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.training.distributed import joined
from retina_viewer.training.loop import run_stage
from retina_viewer.training.recipe import Optimisation
from retina_viewer.training.task import Player, TrainContext

STEPS = 24


class DuelTask:
    """Two players: one makes y = 2 x + 1 of x, the other tells what is made from what is true."""

    name = "duel"

    def __init__(self, batch: int) -> None:
        torch.manual_seed(9)
        self.optimisation = Optimisation(
            iterations=STEPS, batch=batch, rate=0.02, warmup=2, ema=0.9, validate_every=8
        )
        judge = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1))
        self.players = (Player("maker", nn.Linear(1, 1)), Player("judge", judge))
        self.validations = 0

    def batch(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        own = rng.spawn(self.optimisation.batch)
        x = torch.tensor([[one.normal()] for one in own], dtype=torch.float32)
        return x, 2 * x + 1

    def losses(self, player: Player, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        maker, judge = (one.network for one in self.players)
        judge.requires_grad_(player.name == "judge")
        if player.name == "judge":
            made = maker(batch[0]).detach()
            return {"told": F.softplus(judge(made) - judge(batch[1])).mean()}
        made = maker(batch[0])
        return {
            "squared": (made - batch[1]).square().mean(),
            "fooled": 0.1 * F.softplus(-judge(made)).mean(),
        }

    def validate(self, network: nn.Module) -> dict[str, float]:
        self.validations += 1
        with torch.no_grad():
            error = abs(float(network(torch.ones(1, 1))) - 3)
        return {"error": error, "score": -error}


def weights(task: DuelTask) -> Tensor:
    """Of both players, flat."""
    players = [p for player in task.players for p in player.network.parameters()]
    return torch.cat([p.detach().flatten() for p in players])


def main(folder: Path, batch: int) -> None:
    """Train half of the way, be cancelled by the first process, go on to the end."""
    events: list[Mapping[str, Any]] = []
    with joined("cpu") as (group, device):

        def stop(fraction: float, what: str) -> None:
            if group.is_first and fraction >= 0.5:
                raise Cancelled

        validations = 0
        for progress in (stop, lambda fraction, what: None):
            task = DuelTask(batch)
            where = TrainContext(
                folder / "stage1.safetensors", 3, device, events.append, progress, group
            )
            where.precision = "float32"
            try:
                run_stage(task, 0, where)
                cancelled = False
            except Cancelled:
                cancelled = True
            assert cancelled == (progress is stop)
            validations += task.validations
        np.savez(folder / f"{group.rank}.npz", weights=weights(task), validations=validations)


def left_alone(folder: Path, batch: int) -> None:
    """The first process says what it hears when the second is killed."""
    with joined("cpu") as (group, device):

        def die(fraction: float, what: str) -> None:
            if not group.is_first and fraction >= 0.5:
                os.kill(os.getpid(), signal.SIGKILL)

        where = TrainContext(
            folder / "stage1.safetensors", 3, device, lambda event: None, die, group
        )
        try:
            run_stage(DuelTask(batch), 0, where)
        except UserError as error:
            sys.stdout.write(str(error))


if __name__ == "__main__":
    act = left_alone if sys.argv[3:] else main
    act(Path(sys.argv[1]), int(sys.argv[2]))
