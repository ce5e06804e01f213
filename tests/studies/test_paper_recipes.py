"""The paper's configuration: as printed, trained from start to GAN, and used on a photograph."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from retina_viewer.core.geometry import Rect
from retina_viewer.core.paths import resources_dir, user_models_dir
from retina_viewer.imaging.readers import open_image
from retina_viewer.model_store.card import read_card
from retina_viewer.model_store.store import load_network
from retina_viewer.networks.generator_cascade import PaperStepParameters
from retina_viewer.superres.cascade import load_cascade
from retina_viewer.training.recipe import (
    GanWeights,
    SaliencyGanRecipe,
    SuperresRecipe,
    load_recipe,
)
from studies.train import train

RECIPES = resources_dir() / "recipes"


def tiny(recipe: str, folder: Path) -> Path:
    """The recipe cut down to seconds: two small networks, few small steps, a narrow critic."""
    text = (RECIPES / recipe).read_text(encoding="utf-8")
    head, *stages = text.split("[[stages]]")
    text = "[[stages]]".join([head, *stages[:2]])
    line = re.escape('    { kind = "paper", maps = 64, blocks = 16 },\n')
    text = re.sub(f"({line}){{4}}", '{ kind = "paper", maps = 8, blocks = 1 },\n' * 2, text)
    text = re.sub(r"datasets = .*", 'datasets = ["CHASE_DB1"]', text)
    text = re.sub(r"field_diameters = .*", "field_diameters = [250.0, 300.0]", text)
    text = re.sub(r"^step = .*", r"\g<0>\nvalidation_patches = 1", text, flags=re.MULTILINE)
    changes = {"iterations": 3, "validate_every": 3, "batch": 2, "patch": 16}
    for name, value in (changes | {"discriminator_narrow": 8}).items():
        text = re.sub(rf"^{name} = .*", f"{name} = {value}", text, flags=re.MULTILINE)
    path = folder / recipe
    path.write_text(text, encoding="utf-8")
    return path


def test_the_recipes_say_what_the_paper_prints() -> None:
    start, gan = load_recipe(RECIPES / "paper-mse.toml"), load_recipe(RECIPES / "paper-gan.toml")
    assert isinstance(start, SuperresRecipe)
    assert isinstance(gan, SaliencyGanRecipe)
    assert gan.base == start.name
    assert start.architecture.steps == (PaperStepParameters(kind="paper", maps=64),) * 4
    assert [s.step for s in start.stages] == [s.step for s in gan.stages] == [1, 2, 3, 4]
    assert all(s.loss == "squared" and not s.luminance_weight for s in start.stages)
    for stage in gan.stages:
        assert stage.weights == GanWeights(
            pixel=0, weighted=1, saliency=1, cnn=1, adversarial=0.01, grid=0
        )
        assert (stage.weighting, stage.adversarial) == ("paper", "paper")
        assert stage.discriminator_batch_norm
        assert stage.discriminator_narrow == 1
    for plan in [stage.optimisation for stage in (*start.stages, *gan.stages)]:
        assert (plan.rate, plan.final_rate, plan.warmup) == (1e-3, 1e-3, 0)
        assert (plan.beta1, plan.iterations) == (0.93, 100_000)


@pytest.mark.slow
def test_the_paper_s_gan_is_trained_and_enlarges_any_region_alike(
    data_folder: Path, tmp_path: Path, samples: Path
) -> None:
    run, models = user_models_dir() / "run", user_models_dir()
    base = train(tiny("paper-mse.toml", tmp_path), data_folder, run)
    (run / "model").rename(models / base.name)
    card = train(tiny("paper-gan.toml", tmp_path), data_folder, models / "gan-run")
    assert card.parent == "paper-mse 1"
    assert (card.architecture, card.parameters) == (base.architecture, base.parameters)
    assert card.weights_sha256 != base.weights_sha256
    assert card.training.best_iterations == (3, 3)  # the last weights, as in the paper
    (models / "gan-run" / "model").rename(models / card.name)
    network = load_network(read_card(models / card.name))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # has seen the population that is used from now on
            assert module.running_mean is not None
            assert float(module.running_mean.abs().max()) > 0

    enhancer = load_cascade(card.name, 4, torch.device("cpu"))
    rgb = open_image(samples / "chase_14L.jpg").unit_rgb()[400:440, 400:436]
    whole = enhancer.enhance_region(rgb, Rect(0, 0, 36, 40))
    assert whole.shape == (160, 144, 3)
    assert np.ptp(whole) > 0.01
    part = enhancer.enhance_region(rgb, Rect(11, 7, 9, 13))
    np.testing.assert_allclose(part, whole[28:80, 44:80], atol=1e-5)
