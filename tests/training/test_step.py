"""A step is all or nothing, for all players."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from retina_viewer.training.loop import begin_stage
from retina_viewer.training.recipe import Optimisation
from retina_viewer.training.stage import Stage, Surroundings
from retina_viewer.training.step import NotFinite, one_step
from retina_viewer.training.task import Player


class Rivals:
    """Two players with running statistics; the second one's loss may not fit, or be no number."""

    name = "rivals"

    def __init__(self, holds: int = 8, *, poisoned: bool = False) -> None:
        torch.manual_seed(4)
        self.optimisation = Optimisation(iterations=50, batch=8, rate=0.05, warmup=0)
        self.players = tuple(
            Player(name, nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2), Counting()))
            for name in ("first", "second")
        )
        self._holds, self._poisoned = holds, poisoned
        self.asked: list[tuple[str, int]] = []

    def batch(self, rng: np.random.Generator) -> tuple[Tensor]:
        return (torch.from_numpy(rng.normal(size=(8, 2)).astype(np.float32)),)

    def losses(self, player: Player, batch: tuple[Tensor]) -> dict[str, Tensor]:
        made = player.network(batch[0])
        self.asked.append((player.name, len(batch[0])))
        if player.name == "second" and len(batch[0]) > self._holds:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        loss = (made - batch[0].flip(1)).square().mean()
        if player.name == "second" and self._poisoned:
            loss = loss * float("nan")
        return {"squared": loss}

    def validate(self, network: nn.Module) -> dict[str, float]:
        return {"score": 0.0}


class Counting(nn.Module):
    """The sum of all that it has seen, as batch normalisation keeps its statistics."""

    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:  # (N, C) -> (N, C)
        self.seen += x.shape[0]
        return x


def begun(task: Rivals, folder: Path) -> Stage:
    return begin_stage(
        task,
        0,
        Surroundings(folder / "s.safetensors", 3, torch.device("cpu"), lambda event: None),
    )


def states(task: Rivals) -> list[Tensor]:
    return [
        value.detach().clone() for p in task.players for value in p.network.state_dict().values()
    ]


def test_memory_that_fails_the_second_player_updates_the_first_once(tmp_path: Path) -> None:
    roomy, tight = Rivals(), Rivals(holds=4)
    for task in (roomy, tight):
        stage = begun(task, tmp_path)
        for _ in range(3):
            one_step(stage)
            stage.counters.step += 1
        (steps,) = {int(s["step"]) for s in stage.optimisers["first"].state.values()}
        assert steps == 3
    assert tight.asked[:4] == [("first", 8), ("second", 8), ("first", 4), ("first", 4)]
    for one, other in zip(states(roomy), states(tight), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_a_second_player_out_of_numbers_leaves_all_as_it_was(tmp_path: Path) -> None:
    task = Rivals(poisoned=True)
    stage = begun(task, tmp_path)
    before = states(task)
    with pytest.raises(NotFinite):
        one_step(stage)
    for one, other in zip(before, states(task), strict=True):
        assert torch.equal(one, other)
    assert not stage.optimisers["first"].state
