"""The loop on a task small enough to check by hand."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.training.loop import Surroundings, learning_rate, run_stage
from retina_viewer.training.recipe import Optimisation
from retina_viewer.training.task import Player


class LineTask:
    """Fit y = 2 x + 1 from noisy batches."""

    name = "line"

    def __init__(self, iterations: int = 120, poison_at: int | None = None) -> None:
        torch.manual_seed(9)
        self.optimisation = Optimisation(
            iterations=iterations, batch=8, rate=0.05, warmup=5, ema=0.9, validate_every=20
        )
        self.players = (Player("line", nn.Linear(1, 1)),)
        self._poison_at = poison_at
        self.drawn = 0

    def batch(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        self.drawn += 1
        x = torch.from_numpy(rng.normal(size=(8, 1)).astype(np.float32))
        noise = torch.from_numpy(rng.normal(0, 0.01, size=(8, 1)).astype(np.float32))
        return x, 2 * x + 1 + noise

    def losses(self, player: Player, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        loss = (player.network(batch[0]) - batch[1]).square().mean()
        if self._poison_at is not None and self.drawn > self._poison_at:
            loss = loss * float("nan")
        return {"squared": loss}

    def validate(self, network: nn.Module) -> dict[str, float]:
        with torch.no_grad():
            error = abs(float(network(torch.ones(1, 1))) - 3)
        return {"error": error, "score": -error}


def where(folder: Path, events: list[Mapping[str, Any]], **more: Any) -> Surroundings:
    return Surroundings(
        folder / "stage1.safetensors", 3, torch.device("cpu"), events.append, **more
    )


def weights(task: LineTask) -> Tensor:
    return torch.cat([p.detach().flatten() for p in task.players[0].network.parameters()])


def test_it_learns_and_keeps_the_best_average(tmp_path: Path) -> None:
    events: list[Mapping[str, Any]] = []
    task = LineTask()
    counters = run_stage(task, 0, where(tmp_path, events))
    torch.testing.assert_close(weights(task), torch.tensor([2.0, 1.0]), atol=0.05, rtol=0)
    validations = [event for event in events if event["event"] == "validation"]
    best = max(validations, key=lambda event: event["score"])
    assert counters.best_step == best["step"]
    assert task.validate(task.players[0].network)["score"] == pytest.approx(best["score"])


def test_a_training_broken_off_anywhere_ends_like_an_unbroken_one(tmp_path: Path) -> None:
    unbroken = LineTask()
    (tmp_path / "a").mkdir()
    run_stage(unbroken, 0, where(tmp_path / "a", []))
    (tmp_path / "b").mkdir()
    for stop_at in (7, 33, 90):

        def stop(fraction: float, what: str, limit: float = stop_at / 120) -> None:
            if fraction >= limit:
                raise Cancelled

        with pytest.raises(Cancelled):
            run_stage(LineTask(), 0, where(tmp_path / "b", [], progress=stop))
    resumed = LineTask()
    run_stage(resumed, 0, where(tmp_path / "b", []))
    torch.testing.assert_close(weights(resumed), weights(unbroken), rtol=0, atol=0)
    assert resumed.drawn == 30


def test_a_finished_stage_is_not_trained_again(tmp_path: Path) -> None:
    first, second = LineTask(), LineTask()
    run_stage(first, 0, where(tmp_path, []))
    run_stage(second, 0, where(tmp_path, []))
    assert second.drawn == 0
    torch.testing.assert_close(weights(second), weights(first), rtol=0, atol=0)


def test_losses_that_are_no_numbers_stop_the_training_with_its_weights_kept(
    tmp_path: Path,
) -> None:
    with pytest.raises(UserError, match="not finite at step 50"):
        run_stage(LineTask(poison_at=50), 0, where(tmp_path, []))
    resumed = LineTask()
    run_stage(resumed, 0, where(tmp_path, []))
    assert torch.isfinite(weights(resumed)).all()


def test_the_rate_warms_up_and_comes_down() -> None:
    plan = Optimisation(iterations=1000, batch=1, rate=1.0, final_rate=0.01, warmup=100)
    rates = [learning_rate(plan, step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.01, rel=0.01)
    assert all(a >= b for a, b in pairwise(rates[100:]))
