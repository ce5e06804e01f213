"""The loop on a task small enough to check by hand."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.training import loop
from retina_viewer.training.checkpoint import SavingFailed, StageState
from retina_viewer.training.loop import (
    NotFinite,
    begin_stage,
    fastest_precision,  # before it is replaced for other tests
    learning_rate,
    one_step,
    run_stage,
)
from retina_viewer.training.recipe import Optimisation
from retina_viewer.training.task import Player, TrainContext


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


def where(folder: Path, events: list[Mapping[str, Any]], **more: Any) -> TrainContext:
    return TrainContext(
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


def test_a_checkpoint_of_another_network_is_said(tmp_path: Path) -> None:
    run_stage(LineTask(), 0, where(tmp_path, []))
    other = LineTask()
    other.players = (Player("line", nn.Linear(2, 1)),)
    with pytest.raises(UserError, match="not a checkpoint of this training"):
        run_stage(other, 0, where(tmp_path, []))


def test_losses_that_stay_no_numbers_stop_the_training_with_its_weights_kept(
    tmp_path: Path,
) -> None:
    with pytest.raises(UserError, match="is not finite at step 0, also with 4 times less"):
        run_stage(LineTask(poison_at=50), 0, where(tmp_path, []))
    resumed = LineTask()
    run_stage(resumed, 0, where(tmp_path, []))
    assert torch.isfinite(weights(resumed)).all()


class OncePoisoned(LineTask):
    """One loss is no number, once."""

    def losses(self, player: Player, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        terms = super().losses(player, batch)
        if self.drawn == 50:
            return {"squared": terms["squared"] * float("nan")}
        return terms


def test_a_loss_that_is_no_number_goes_back_with_half_the_rate(tmp_path: Path) -> None:
    events: list[Mapping[str, Any]] = []
    task = OncePoisoned(iterations=300)
    counters = run_stage(task, 0, where(tmp_path, events))
    assert (counters.retreats, counters.rate_factor, counters.step) == (1, 0.5, 300)
    assert task.drawn == 50 + 300  # no checkpoint since the start
    notice = next(event for event in events if event["event"] == "notice")
    assert notice["message"].startswith("The loss was no number at step 49")
    torch.testing.assert_close(weights(task), torch.tensor([2.0, 1.0]), atol=0.1, rtol=0)


class InfiniteGradient(LineTask):
    """A finite loss whose gradient is not: the weights must not take it."""

    def losses(self, player: Player, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        terms = super().losses(player, batch)
        if self.drawn == 30:
            zero = torch.zeros(1) * player.network.bias  # type: ignore[operator]
            terms["root"] = zero.abs().sqrt().sum()
        return terms


def test_a_gradient_that_is_no_number_goes_back_too(tmp_path: Path) -> None:
    task = InfiniteGradient()
    counters = run_stage(task, 0, where(tmp_path, []))
    assert counters.retreats == 1
    assert torch.isfinite(weights(task)).all()


class SmallMemory(LineTask):
    """Memory holds so many samples."""

    def __init__(self, holds: int) -> None:
        super().__init__()
        self.holds = holds

    def losses(self, player: Player, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        if len(batch[0]) > self.holds:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return super().losses(player, batch)


@pytest.mark.parametrize(("holds", "parts"), [(8, 1), (4, 2), (3, 4), (1, 8)])
def test_a_batch_too_large_for_memory_is_computed_in_parts_to_the_same_weights(
    tmp_path: Path, holds: int, parts: int
) -> None:
    whole = LineTask()
    run_stage(whole, 0, where(tmp_path, []))
    events: list[Mapping[str, Any]] = []
    (tmp_path / "b").mkdir()
    task = SmallMemory(holds)
    counters = run_stage(task, 0, where(tmp_path / "b", events))
    assert counters.parts == parts
    notices = [event["message"] for event in events if event["event"] == "notice"]
    assert len(notices) == {1: 0, 2: 1, 4: 2, 8: 3}[parts]
    torch.testing.assert_close(weights(task), weights(whole), rtol=1e-4, atol=1e-5)


def test_a_memory_that_holds_no_sample_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not even with one sample") as caught:
        run_stage(SmallMemory(0), 0, where(tmp_path, []))
    assert "patches" in caught.value.hint


class NeverBetter(LineTask):
    def validate(self, network: nn.Module) -> dict[str, float]:
        return {"score": -float(super().validate(network)["error"] < 1e9)}


def test_patience_ends_a_stage_that_gets_no_better(tmp_path: Path) -> None:
    task = NeverBetter()
    task.optimisation = task.optimisation.model_copy(update={"patience": 2, "validate_first": True})
    before = weights(task).clone()
    counters = run_stage(task, 0, where(tmp_path, []))
    assert (counters.step, counters.best_step, counters.ended) == (40, 0, True)
    torch.testing.assert_close(weights(task), before, rtol=0, atol=0)  # the start was the best
    again = NeverBetter()
    again.optimisation = task.optimisation
    run_stage(again, 0, where(tmp_path, []))
    assert again.drawn == 0


class Unmeasured(LineTask):
    def validate(self, network: nn.Module) -> dict[str, float]:
        return {"score": float("nan")}


def test_a_validation_without_a_number_stops_with_words(tmp_path: Path) -> None:
    """No card could hold it: it is said when it happens, not when the training has ended."""
    with pytest.raises(UserError, match="gave no number"):
        run_stage(Unmeasured(), 0, where(tmp_path, []))


def test_stopping_keeps_the_best_so_far(tmp_path: Path) -> None:
    task = LineTask()
    counters = run_stage(task, 0, where(tmp_path, [], should_stop=lambda: task.drawn >= 33))
    assert counters.step == counters.validated_step == 33
    assert counters.ended
    assert task.validate(task.players[0].network)["score"] == pytest.approx(counters.best_score)


@pytest.mark.slow
def test_a_full_disk_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing fails half-way, as on a full disk; what was written before stays whole."""
    monkeypatch.setattr("retina_viewer.training.loop.CHECKPOINT_SECONDS", 0.0)
    real = os.fsync
    written = 0

    def full(descriptor: int) -> None:
        nonlocal written
        written += 1
        if written > 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patch, pytest.raises(SavingFailed, match="disk is full"):
        patch.setattr("os.fsync", full)
        run_stage(LineTask(), 0, where(tmp_path, []))
    assert [path.name for path in tmp_path.iterdir()] == ["stage1.safetensors"]
    resumed, unbroken = LineTask(), LineTask()
    run_stage(resumed, 0, where(tmp_path, []))
    assert resumed.drawn < 120
    (tmp_path / "b").mkdir()
    run_stage(unbroken, 0, where(tmp_path / "b", []))
    torch.testing.assert_close(weights(resumed), weights(unbroken), rtol=0, atol=0)


def test_the_rate_warms_up_and_comes_down() -> None:
    plan = Optimisation(iterations=1000, batch=1, rate=1.0, final_rate=0.01, warmup=100)
    rates = [learning_rate(plan, step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.01, rel=0.01)
    assert all(a >= b for a, b in pairwise(rates[100:]))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({torch.float32: 2.0, torch.bfloat16: 1.0}, torch.bfloat16),
        ({torch.float32: 1.1, torch.bfloat16: 1.0}, torch.float32),
        ({torch.float32: 1.0, torch.bfloat16: 10.0}, torch.float32),
    ],
)
def test_the_choice_follows_the_trial(
    monkeypatch: pytest.MonkeyPatch, seconds: dict[torch.dtype, float], expected: torch.dtype
) -> None:
    monkeypatch.setattr(loop, "_trial_seconds", seconds.__getitem__)
    assert fastest_precision(torch.device("cpu")) == expected


def test_the_trial_itself_runs_in_both() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        assert 0 < loop._trial_seconds(dtype) < 60


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


def begun(task: Rivals, folder: Path) -> StageState:
    return begin_stage(
        task,
        0,
        TrainContext(folder / "s.safetensors", 3, torch.device("cpu"), lambda event: None),
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
