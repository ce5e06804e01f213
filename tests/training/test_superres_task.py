"""The pixel stage's losses: what each is, and that the generator descends them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from retina_viewer.networks.architectures import CascadeParameters
from retina_viewer.networks.generator_cascade import (
    AnyStepParameters,
    GeneratorCascade,
    StepParameters,
)
from retina_viewer.networks.vgg import VGG19Features
from retina_viewer.training.cache import open_cache
from retina_viewer.training.loop import in_parts, size_of
from retina_viewer.training.pairs import PairSource, charbonnier, luminance
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import DegradationRange, Optimisation, SuperresStage
from retina_viewer.training.superres_task import JointTask, SuperresTask, scored
from studies.data_folders import find_photographs

PLAN = Optimisation(iterations=1, batch=2, rate=1e-4)


@pytest.fixture(scope="module")
def source(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> PatchSource:
    photographs = find_photographs(data_folder)
    folder = tmp_path_factory.mktemp("pixel")
    return PatchSource(
        open_cache(photographs, folder, diameter=300, with_vessels=False), (250, 300)
    )


def make_task(
    source: PatchSource,
    steps: Sequence[AnyStepParameters] = (StepParameters(maps=8, blocks=1),),
    **changes: object,
) -> SuperresTask:
    fields = {"step": 1, "patch": 12, "border": 1, "validation_patches": 1} | changes
    stage = SuperresStage.model_validate({**fields, "optimisation": PLAN})
    torch.manual_seed(0)
    cascade = GeneratorCascade(steps)
    device = torch.device("cpu")
    pairs = PairSource(cascade, stage, DegradationRange(), source, source, device)
    return SuperresTask(cascade, stage, pairs, device)


def test_the_squared_loss_is_the_mean_squared_error_inside_the_border(source: PatchSource) -> None:
    task = make_task(source, loss="squared")
    batch = task.batch(np.random.default_rng(0))
    terms = task.losses(task.players[0], batch)
    made = task.players[0].network(batch.low, batch.degradation)
    error = (made - batch.high)[..., 2:-2, 2:-2]
    torch.testing.assert_close(terms["rgb"], error.square().mean())
    torch.testing.assert_close(terms["luminance"], luminance(error).square().mean())


def test_charbonnier_is_linear_where_the_squared_loss_is_not(source: PatchSource) -> None:
    """With a tiny epsilon it is the mean absolute error."""
    task = make_task(source, charbonnier_epsilon=1e-6)
    batch = task.batch(np.random.default_rng(0))
    term = task.losses(task.players[0], batch)["rgb"]
    made = task.players[0].network(batch.low, batch.degradation)
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


def test_the_content_loss_is_of_vgg_19_and_moves_the_generator(source: PatchSource) -> None:
    task = make_task(source, vgg19=0.3)
    generator = task.players[0].network
    batch = task.batch(np.random.default_rng(0))
    term = task.losses(task.players[0], batch)["cnn"]
    features = VGG19Features()
    made = generator(batch.low, batch.degradation)[..., 2:-2, 2:-2]
    truth = batch.high[..., 2:-2, 2:-2]
    expected = (features(made)["relu3_4"] - features(truth)["relu3_4"]).square().mean()
    torch.testing.assert_close(term, 0.3 * expected)
    term.backward()
    assert any(float(p.grad.abs().max()) > 0 for p in generator.parameters() if p.grad is not None)


@pytest.mark.parametrize(
    "step",
    [
        {"kind": "srcnn", "maps": [8, 4]},
        {"kind": "leaky", "mean": [0.66, 0.28, 0.08], "deviation": [0.17, 0.1, 0.07], "maps": 8},
    ],
)
def test_the_networks_of_the_comparison_learn(source: PatchSource, step: dict[str, object]) -> None:
    """A few updates on one batch lower its loss."""
    steps = CascadeParameters.model_validate({"steps": [step]}).steps
    task = make_task(source, steps, patch=20)
    batch = task.batch(np.random.default_rng(0))
    optimiser = torch.optim.Adam(task.players[0].network.parameters(), 1e-3)
    sizes = []
    for _ in range(8):
        loss = torch.stack(list(task.losses(task.players[0], batch).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        sizes.append(float(loss.detach()))
    assert sizes[-1] < 0.98 * sizes[0]


def make_joint(source: PatchSource) -> tuple[GeneratorCascade, JointTask]:
    fields = {"step": 2, "patch": 12, "border": 1, "validation_patches": 2, "together": True}
    stage = SuperresStage.model_validate({**fields, "optimisation": PLAN})
    torch.manual_seed(0)
    cascade = GeneratorCascade([StepParameters(maps=8, blocks=1)] * 2)
    for step in cascade.steps:  # their last layers start at zero, which would hide the others
        torch.nn.init.normal_(step.get_parameter("tail.weight"), std=0.1)
    device = torch.device("cpu")
    pairs = [
        PairSource(cascade, level, DegradationRange(), source, source, device, True)
        for level in (stage.model_copy(update={"step": 1}), stage)
    ]
    return cascade, JointTask(cascade, stage, pairs, device)


def test_together_each_result_has_a_loss_and_the_last_one_reaches_the_first_step(
    source: PatchSource,
) -> None:
    cascade, task = make_joint(source)
    batch = task.batch(np.random.default_rng(0))
    assert [pair.low.shape[-1] for pair in batch] == [12, 12]
    assert [pair.high.shape[-1] for pair in batch] == [24, 48]
    terms = task.losses(task.players[0], batch)
    assert list(terms) == ["rgb_x2", "luminance_x2", "rgb_x4", "luminance_x4"]
    terms["rgb_x4"].backward()
    reached = cascade.steps[0].get_parameter("head.weight").grad
    assert reached is not None
    assert float(reached.abs().max()) > 0
    made = cascade(batch[1].low, batch[1].degradation)[..., 4:-4, 4:-4]
    expected = charbonnier(made - batch[1].high[..., 4:-4, 4:-4], 0.01)
    torch.testing.assert_close(terms["rgb_x4"], expected)


def test_together_the_smaller_result_teaches_its_own_steps_alone(source: PatchSource) -> None:
    cascade, task = make_joint(source)
    terms = task.losses(task.players[0], task.batch(np.random.default_rng(0)))
    terms["rgb_x2"].backward()
    assert all(parameter.grad is None for parameter in cascade.steps[1].parameters())


def test_together_the_score_is_the_mean_of_all_results(source: PatchSource) -> None:
    cascade, task = make_joint(source)
    found = task.validate(cascade)
    doubled = scored(task.levels[0], cascade.steps[0])
    whole = scored(task.levels[1], cascade)
    assert doubled["score"] != pytest.approx(whole["score"], abs=0.1)
    assert found["score"] == pytest.approx((doubled["score"] + whole["score"]) / 2)
    assert found["psnr_gaussian"] == whole["psnr_gaussian"]
    assert found["psnr_gaussian_x2"] == doubled["psnr_gaussian"]


def test_together_a_batch_in_parts_has_all_results_of_its_samples(source: PatchSource) -> None:
    _, task = make_joint(source)
    batch = task.batch(np.random.default_rng(0))
    assert size_of(batch) == 2
    parts = in_parts(batch, 2)
    assert [share for _, share in parts] == [0.5, 0.5]
    for number, (part, _) in enumerate(parts):
        for whole, own in zip(batch, part, strict=True):
            torch.testing.assert_close(own.low[0], whole.low[number])
            torch.testing.assert_close(own.degradation[0], whole.degradation[number])
