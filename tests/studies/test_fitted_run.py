"""Fitting by recipe: models that load, the same each time, gone on from step by step."""

import re
from pathlib import Path

import numpy as np
import pytest

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.core.paths import resources_dir
from retina_viewer.model_store.card import read_card
from retina_viewer.model_store.store import verify_model
from retina_viewer.superres.forest import load_forest
from retina_viewer.superres.linear import load_linear
from studies.train import train


def tiny(name: str, folder: Path) -> Path:
    """A shipped recipe cut down to a second: CHASE_DB1 alone, two small forests."""
    text = (resources_dir() / "recipes" / name).read_text(encoding="utf-8")
    text = re.sub(r"datasets = .*", 'datasets = ["CHASE_DB1"]', text)
    text = re.sub(r"field_diameters = .*", "field_diameters = [200.0, 300.0]", text)
    for key, value in {"samples": 600, "smallest_leaf": 64, "rank": 4, "patch": 24}.items():
        text = re.sub(rf"^{key} = .*", f"{key} = {value}", text, flags=re.MULTILINE)
    text = "[[stages]]".join(text.split("[[stages]]")[:3])
    text = text.replace("[[stages]]", "[[stages]]\ntrees = 2")
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_linear_filters_are_fitted(data_folder: Path, tmp_path: Path) -> None:
    recipe = tiny("linear.toml", tmp_path)
    card = train(recipe, data_folder, tmp_path / "run")
    card = read_card(tmp_path / "run" / "model")
    verify_model(card)
    assert (card.enhancer_method, card.scales, card.margins) == ("linear", (2, 4, 8, 16), (4,))
    assert card.training.photographs == {"CHASE_DB1": 1}
    flat = np.full((9, 9, 3), 0.4, np.float32)
    made = load_linear(card, 4).enhance_region(flat, Rect(0, 0, 9, 9))
    np.testing.assert_allclose(made, 0.4, atol=1e-5)


def test_forests_are_fitted_and_gone_on_from(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.forest_run._VALIDATION_SAMPLES", 400)
    recipe = tiny("sr-forest.toml", tmp_path)
    straight = train(recipe, data_folder, tmp_path / "straight")
    card = read_card(tmp_path / "straight" / "model")
    verify_model(card)
    assert (card.scales, card.margins) == ((2, 4), (5, 5))
    assert set(card.validation) == {"stage1", "stage2"}
    assert load_forest(card, 4).scale == 4

    def stop_in_the_second(fraction: float, what: str) -> None:
        if fraction > 0.5:
            raise Cancelled

    out = tmp_path / "stopped"
    with pytest.raises(Cancelled):
        train(recipe, data_folder, out, progress=stop_in_the_second)
    assert (out / "step1.safetensors").exists()
    assert not (out / "model").exists()
    with pytest.raises(UserError, match="holds a training already"):
        train(recipe, data_folder, out)
    resumed = train(recipe, data_folder, out, resume=True)
    assert resumed.weights_sha256 == straight.weights_sha256


def test_a_broken_step_is_not_gone_on_from(data_folder: Path, tmp_path: Path) -> None:
    recipe, out = tiny("sr-forest.toml", tmp_path), tmp_path / "run"
    out.mkdir()
    (out / "recipe.toml").write_bytes(recipe.read_bytes())
    (out / "step1.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"step1\.safetensors"):
        train(recipe, data_folder, out, resume=True)


def test_a_missing_set_is_named(data_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="FIVES, HRF, IDRiD"):
        train(resources_dir() / "recipes" / "linear.toml", data_folder, tmp_path / "run")
