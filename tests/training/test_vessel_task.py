"""Crops for vessel training: masks stay with their photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.networks.unet import UNet
from retina_viewer.training.cache import open_cache
from retina_viewer.training.pairs import masked_bce, masked_soft_dice
from retina_viewer.training.recipe import Optimisation, VesselStage
from retina_viewer.training.vessel_task import VesselTask, area_matching
from studies.data_folders import find_photographs


@pytest.fixture(scope="module")
def task(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> VesselTask:
    photographs = find_photographs(data_folder)
    folder = tmp_path_factory.mktemp("vessels")
    cache = open_cache(photographs, folder, diameter=300, with_vessels=True)
    plan = Optimisation(iterations=1, batch=6, rate=0.01)
    stage = VesselStage(patch=64, optimisation=plan)
    torch.manual_seed(0)
    return VesselTask(UNet(widths=(4, 8)), stage, cache, cache, 300, torch.device("cpu"))


def test_vessels_are_dark_where_the_mask_says_however_the_crop_is_turned(
    task: VesselTask,
) -> None:
    """Green contrast is lower on labelled vessels than beside them: label and image agree."""
    for seed in range(4):
        batch = task.batch(np.random.default_rng(seed))
        assert batch.contrast.shape == (6, 3, 64, 64)
        assert batch.vessels.shape == batch.inside.shape == (6, 1, 64, 64)
        inside = batch.inside[:, 0] > 0
        vessel = (batch.vessels[:, 0] > 0.7) & inside
        beside = (batch.vessels[:, 0] == 0) & inside
        green = batch.contrast[:, 1]
        assert green[vessel].mean() < green[beside].mean() - 0.5


def test_the_same_seed_makes_the_same_batch(task: VesselTask) -> None:
    first, second = (task.batch(np.random.default_rng(1)) for _ in range(2))
    assert torch.equal(first.contrast, second.contrast)


def test_validation_judges_a_perfect_and_a_blind_network_rightly(task: VesselTask) -> None:
    class Darkness(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return -x[:, 1:2]

    class Blind(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.zeros_like(x[:, 1:2])

    assert task.validate(Blind())["auc"] == pytest.approx(0.5)
    assert 0.75 < task.validate(Darkness())["auc"] < 1


def test_losses_are_least_at_the_truth_and_ignore_the_outside() -> None:
    truth = (torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.7).float()
    inside = torch.ones_like(truth)
    inside[..., :4] = 0
    right = (truth * 2 - 1) * 20
    disturbed = torch.where(inside > 0, right, -right)
    for loss in (masked_bce, masked_soft_dice):
        assert float(loss(disturbed, truth, inside)) == pytest.approx(0, abs=1e-4)
        assert float(loss(-right, truth, inside)) > 0.5


@given(st.integers(0, 2**32))
def test_as_many_pixels_reach_it_as_the_probabilities_sum_to(seed: int) -> None:
    values = np.random.default_rng(seed).beta(0.3, 1.5, 5000).astype(np.float32)
    count = int((values >= area_matching(values)).sum())
    assert count == pytest.approx(float(values.sum()), abs=2)


def test_certain_probabilities_keep_their_mask() -> None:
    values = np.array([0.001] * 90 + [0.999] * 10, dtype=np.float32)
    threshold = area_matching(values)
    np.testing.assert_array_equal(values >= threshold, values > 0.5)


def test_no_vessels_at_all() -> None:
    assert area_matching(np.zeros(10, dtype=np.float32)) == 0.5
