"""What a training wrote down, read from its folder at any time of its life."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import resources_dir
from retina_viewer.training.checkpoint import Counters, save_checkpoint
from retina_viewer.ui.widgets.learning_history import LearningHistory, Point, read_history, smoothed

STAGES: list[list[Point]] = [
    [
        {"step": 50.0, "generator/pixel": 0.3, "discriminator/adversarial": 0.7},
        {"step": 100.0, "generator/pixel": 0.2, "discriminator/adversarial": 0.6},
        {"step": 100.0, "lpips": 0.3, "psnr_gaussian": 40.0, "score": -0.3},
        {"step": 150.0, "lpips": 0.4, "psnr_gaussian": 41.0, "score": -0.4},
    ],
    [{"step": 50.0, "generator/pixel": 0.1}],
]


def test_losses_come_first_and_the_kept_weights_are_those_of_the_best_score() -> None:
    curves = {curve.name: curve for curve in LearningHistory(STAGES).curves(0)}
    assert list(curves) == [
        "generator/pixel", "discriminator/adversarial", "lpips", "psnr_gaussian", "score",
    ]  # fmt: skip
    assert curves["generator/pixel"].steps.tolist() == [50, 100]
    assert curves["generator/pixel"].kept is None
    assert curves["psnr_gaussian"].kept == (100.0, 40.0)  # the best LPIPS, not the best PSNR
    assert curves["lpips"].falls and not curves["psnr_gaussian"].falls
    assert "up" in curves["lpips"].reading and "down" in curves["generator/pixel"].reading
    assert "level" in curves["discriminator/adversarial"].reading


def test_what_is_of_one_of_several_results_says_of_which() -> None:
    points: list[Point] = [
        {"step": 50.0, "generator/rgb_x2": 0.1, "psnr_gaussian_x2": 40.0, "score": 40.0}
    ]
    titles = [curve.title for curve in LearningHistory([points]).curves(0)]
    assert titles == ["Colour error, ×2", "PSNR, Gaussian (dB), ×2", "Score"]


def test_a_finished_training_is_read_with_what_its_stages_made(tmp_path: Path) -> None:
    (tmp_path / "history.json").write_text(json.dumps(STAGES))
    recipe = resources_dir() / "recipes" / "superres-pixel.toml"
    (tmp_path / "recipe.toml").write_bytes(recipe.read_bytes())
    found = read_history(tmp_path)
    assert found.stages == STAGES == read_history(tmp_path / "history.json").stages
    assert found.title(0) == "Stage 1 of 2: x2, 150 steps"


def test_a_running_training_is_read_from_its_checkpoints(tmp_path: Path) -> None:
    for number in (1, 0):
        counters = Counters(
            stage=number, step=50, history=[dict(point) for point in STAGES[number]]
        )
        save_checkpoint(tmp_path / f"stage{number + 1}.safetensors", {"w": torch.ones(1)}, counters)
    found = read_history(tmp_path)
    assert found.stages == STAGES
    assert found.title(1) == "Stage 2 of 2: 50 steps"


def test_events_of_a_running_training_are_taken_as_they_come() -> None:
    history = LearningHistory()
    history.add(1, {"event": "losses", "task": "x4", "step": 50, "generator/pixel": 0.5})
    assert history.length(0) == 0.0
    (curve,) = history.curves(1)
    assert (curve.name, curve.values.tolist()) == ("generator/pixel", [0.5])


@pytest.mark.parametrize(
    "text",
    ["", "{}x", "[[3]]", '[[{"loss": 1}]]', '[[{"step": "a"}]]', '[[{"step": NaN}]]', "[" * 99_999],
)
def test_what_is_no_history_is_said(tmp_path: Path, text: str) -> None:
    file = tmp_path / "history.json"
    file.write_text(text)
    with pytest.raises(UserError, match="not the history"):
        read_history(file)


def test_an_empty_folder_has_no_history(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no history"):
        read_history(tmp_path)


@given(arrays.arrays(np.float64, st.integers(1, 40), elements=st.floats(-5, 5)))
def test_the_trend_stays_within_what_it_smooths(values: np.ndarray) -> None:
    trend = smoothed(values)
    assert trend.shape == values.shape
    assert values.min() <= trend.min() and trend.max() <= values.max()


def test_the_trend_ignores_a_spike_and_keeps_a_slope() -> None:
    slope = np.arange(30.0)
    np.testing.assert_array_equal(smoothed(slope)[1:-1], slope[1:-1])
    spiked = slope.copy()
    spiked[15] = 1000
    assert abs(smoothed(spiked) - slope).max() <= 1


def test_the_trend_of_a_long_training_does_not_jump_at_its_end() -> None:
    values = np.full(1000, 2.0)
    values[-3:] = [0.5, 4.0, 0.1]
    assert smoothed(values)[-1] == 2.0


def test_a_long_stage_is_thinned_and_keeps_what_matters() -> None:
    history = LearningHistory()
    for number in range(1, 5001):
        history.add(0, {"step": float(number), "generator/rgb": 1.0 if number % 2 else 3.0})
        score = 40.0 if number == 777 else number / 5000
        history.add(0, {"step": float(number), "score": score, "ssim": score / 40})
        history.thin(0)
    losses, score_curve, ssim = history.curves(0)
    for curve in (losses, ssim, score_curve):
        assert 100 <= len(curve.steps) <= 200
        assert np.all(np.diff(curve.steps) > 0)
        assert curve.steps[-1] == 5000
    assert np.allclose(losses.values[:50], 2.0)  # means of neighbours
    assert ssim.kept == pytest.approx((777, 1.0))
    assert (ssim.steps[0], ssim.values[-1]) == (1, pytest.approx(1 / 40))


def test_a_loss_that_is_no_number_is_left_out() -> None:
    history = LearningHistory()
    history.add(0, {"step": 1.0, "generator/rgb": float("nan"), "generator/luminance": 1.0})
    assert [curve.name for curve in history.curves(0)] == ["generator/luminance"]
