"""The pixel stage's losses: what each is, and that the generator descends them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from retina_viewer.evaluation.datasets import find_photographs
from retina_viewer.networks.cascade import GeneratorCascade, StepParameters
from retina_viewer.training.cache import open_cache
from retina_viewer.training.losses import luminance
from retina_viewer.training.pairs import PairSource
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import DegradationRange, Optimisation, SuperresStage
from retina_viewer.training.superres_task import SuperresTask

PLAN = Optimisation(iterations=1, batch=2, rate=1e-4)


@pytest.fixture(scope="module")
def source(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> PatchSource:
    photographs = find_photographs(data_folder)
    folder = tmp_path_factory.mktemp("pixel")
    return PatchSource(
        open_cache(photographs, folder, diameter=300, with_vessels=False), (250, 300)
    )


def make_task(source: PatchSource, **changes: object) -> SuperresTask:
    fields = {"step": 1, "patch": 12, "border": 1, "validation_patches": 1} | changes
    stage = SuperresStage.model_validate({**fields, "optimisation": PLAN})
    torch.manual_seed(0)
    cascade = GeneratorCascade([StepParameters(maps=8, blocks=1)])
    pairs = PairSource(cascade, stage, DegradationRange(), source, source, torch.device("cpu"))
    return SuperresTask(cascade, stage, pairs)


def test_the_squared_loss_is_the_mean_squared_error_inside_the_border(source: PatchSource) -> None:
    task = make_task(source, loss="squared")
    batch = task.batch(np.random.default_rng(0))
    terms = task.losses(task.players[0], batch)
    made = task.players[0].network(batch.low, batch.formation)
    error = (made - batch.high)[..., 2:-2, 2:-2]
    torch.testing.assert_close(terms["rgb"], error.square().mean())
    torch.testing.assert_close(terms["luminance"], luminance(error).square().mean())


def test_charbonnier_is_linear_where_the_squared_loss_is_not(source: PatchSource) -> None:
    """With a tiny epsilon it is the mean absolute error."""
    task = make_task(source, charbonnier_epsilon=1e-6)
    batch = task.batch(np.random.default_rng(0))
    term = task.losses(task.players[0], batch)["rgb"]
    made = task.players[0].network(batch.low, batch.formation)
    error = (made - batch.high)[..., 2:-2, 2:-2]
    torch.testing.assert_close(term, error.abs().mean(), atol=2e-6, rtol=1e-3)


@pytest.mark.parametrize("loss", ["charbonnier", "squared"])
def test_a_luminance_of_weight_zero_is_left_out(source: PatchSource, loss: str) -> None:
    task = make_task(source, loss=loss, luminance_weight=0.0)
    batch = task.batch(np.random.default_rng(0))
    terms = task.losses(task.players[0], batch)
    assert list(terms) == ["rgb"]
    terms["rgb"].backward()
    gradients = [p.grad for p in task.players[0].network.parameters() if p.grad is not None]
    assert sum(float(gradient.abs().sum()) for gradient in gradients) > 0
