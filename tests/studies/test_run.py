"""From a recipe to a model that the program uses; broken off, gone on, refused."""

import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.core.paths import resources_dir, user_models_dir
from retina_viewer.imaging.readers import open_image
from retina_viewer.model_store.card import read_card
from retina_viewer.model_store.extras import read_discriminators
from retina_viewer.model_store.store import load_network, verify_model
from retina_viewer.superres.cascade import load_cascade
from retina_viewer.training.recipe import load_recipe
from retina_viewer.vessels.segment import segment_vessels
from studies.train import train

pytestmark = pytest.mark.slow


def tiny(recipe: str, folder: Path, **numbers: int) -> Path:
    """A shipped recipe cut down to seconds: CHASE_DB1 alone, few and small steps."""
    text = (resources_dir() / "recipes" / recipe).read_text(encoding="utf-8")
    if "gan" not in recipe:  # a model's folder has its name, and the GAN's base is called "mine"
        text = re.sub(r"^name = .*", 'name = "mine"', text, flags=re.MULTILINE)
    text = re.sub(r"datasets = .*", 'datasets = ["CHASE_DB1"]', text)
    text = re.sub(r"field_diameters = .*", "field_diameters = [200.0, 300.0]", text)
    text = re.sub(r"field_diameter = .*", "field_diameter = 160", text)
    text = re.sub(r"maps = \d+, blocks = \d+", "maps = 8, blocks = 1", text)
    text = re.sub(r"widths = .*", "widths = [4, 8]", text)
    text = re.sub(r"warmup = .*\n", "", text)
    text = re.sub(r"base = .*", 'base = "mine"', text)
    text = re.sub(r"validation_patches = .*\n", "", text)
    text = re.sub(r"^step = .*", r"\g<0>\nvalidation_patches = 1", text, flags=re.MULTILINE)
    changes = {"iterations": 6, "validate_every": 3, "batch": 2, "patch": 16} | numbers
    for name, value in changes.items():
        text = re.sub(rf"^{name} = .*", f"{name} = {value}", text, flags=re.MULTILINE)
    path = folder / recipe
    path.write_text(text, encoding="utf-8")
    return path


def test_a_cascade_is_trained_and_enlarges_a_photograph(
    data_folder: Path, tmp_path: Path, samples: Path
) -> None:
    events: list[Mapping[str, Any]] = []
    recipe = tiny("superres-pixel.toml", tmp_path, patch=12)
    card = train(recipe, data_folder, user_models_dir() / "run", events=events.append)
    assert card.scales == (2, 4, 8, 16)
    assert card.training.photographs == {"CHASE_DB1": 1}
    assert events[0]["event"] == "start"
    finished = [event for event in events if event["event"] == "stage finished"]
    assert len(finished) == len(load_recipe(recipe).stages) == len(card.training.iterations)
    model = user_models_dir() / "run" / "model"
    verify_model(read_card(model))
    model.rename(user_models_dir() / "mine")
    enhancer = load_cascade("mine", 16, torch.device("cpu"))
    rgb = open_image(samples / "chase_14L.jpg").unit_rgb()[400:408, 400:410]
    assert enhancer.enhance_region(rgb, Rect(0, 0, 10, 8)).shape == (128, 160, 3)


def test_a_saliency_gan_starts_from_a_cascade_and_keeps_its_architecture(
    data_folder: Path, tmp_path: Path
) -> None:
    run = user_models_dir() / "run"
    few = {"iterations": 2, "validate_every": 2, "batch": 1}
    base = train(tiny("superres-pixel.toml", tmp_path, patch=12, **few), data_folder, run)
    (run / "model").rename(user_models_dir() / "mine")
    events: list[Mapping[str, Any]] = []
    recipe = tiny("saliency-gan-fast.toml", tmp_path, patch=16, **few)
    card = train(recipe, data_folder, tmp_path / "gan", events=events.append)
    assert card.parent == f"{base.name} {base.version}"
    assert (card.architecture, card.parameters) == (base.architecture, base.parameters)
    assert card.weights_sha256 != base.weights_sha256
    verify_model(made := read_card(tmp_path / "gan" / "model"))
    assert list(read_discriminators(made)) == [1, 2, 3, 4]  # to train it on from
    assert read_discriminators(read_card(user_models_dir() / "mine")) == {}


def test_a_vessel_model_is_trained_and_segments_a_photograph(
    data_folder: Path, tmp_path: Path, samples: Path
) -> None:
    recipe = tiny("vessels.toml", tmp_path, patch=64)
    out = user_models_dir() / "run"
    train(recipe, data_folder, out)
    (out / "model").rename(user_models_dir() / "mine")
    found = segment_vessels(open_image(samples / "chase_14L.jpg"), model="mine", device="cpu")
    assert found.probability.shape == (960, 999)
    assert np.isfinite(found.probability).all()


def test_a_training_broken_off_is_gone_on_with_to_the_same_weights(
    data_folder: Path, tmp_path: Path
) -> None:
    recipe = tiny("vessels.toml", tmp_path, patch=64)
    unbroken = train(recipe, data_folder, tmp_path / "a")

    def stop(fraction: float, what: str) -> None:
        if fraction > 0.6:
            raise Cancelled

    with pytest.raises(Cancelled):
        train(recipe, data_folder, tmp_path / "b", progress=stop)
    with pytest.raises(UserError, match="holds a training already"):
        train(recipe, data_folder, tmp_path / "b")
    resumed = train(recipe, data_folder, tmp_path / "b", resume=True)
    assert resumed.weights_sha256 == unbroken.weights_sha256
    load_network(read_card(tmp_path / "b" / "model"))


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from retina_viewer.training import loop
from studies.train import train

loop.fastest_precision = lambda device: torch.float32

loop.CHECKPOINT_SECONDS = 0.0  # at every step, instead of once a minute

def kill(fraction, what):
    if fraction > 0.7:
        os.kill(os.getpid(), signal.SIGKILL)

train(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), device="cpu", progress=kill)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_training_that_is_killed_outright_goes_on_to_the_same_weights(
    data_folder: Path, tmp_path: Path
) -> None:
    recipe = tiny("vessels.toml", tmp_path, patch=64)
    unbroken = train(recipe, data_folder, tmp_path / "a", device="cpu")
    arguments = [str(recipe), str(data_folder), str(tmp_path / "b")]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "b" / "model").exists()
    resumed = train(recipe, data_folder, tmp_path / "b", device="cpu", resume=True)
    assert resumed.weights_sha256 == unbroken.weights_sha256


def test_another_recipe_cannot_go_on_with_a_training(data_folder: Path, tmp_path: Path) -> None:
    recipe = tiny("vessels.toml", tmp_path, patch=64)
    train(recipe, data_folder, tmp_path / "a")
    other = tiny("vessels.toml", tmp_path, patch=32)
    with pytest.raises(UserError, match="another recipe"):
        train(other, data_folder, tmp_path / "a", resume=True)


def test_missing_data_is_named(data_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lacks FIVES, HRF"):
        train(resources_dir() / "recipes" / "vessels.toml", data_folder, tmp_path / "a")
    with pytest.raises(UserError, match="does not exist"):
        train(resources_dir() / "recipes" / "vessels.toml", tmp_path / "none", tmp_path / "a")
