"""The small vessel networks of the comparison: trained, kept, gone on with."""

import re
from pathlib import Path

import pytest

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import no_progress
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.model_store.card import read_card
from retina_viewer.quality.datasets import Photograph
from studies.comparison_networks import (
    ComparisonTrainer,
    best_threshold,
    iterations_of,
)
from studies.data_folders import find_photographs


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    text = (resources_dir() / "recipes" / "vessels-comparison.toml").read_text(encoding="utf-8")
    text = re.sub(r"field_diameter = .*", "field_diameter = 160", text)
    text = re.sub(r"widths = .*", "widths = [4, 8]", text)
    text = re.sub(r"patch = .*", "patch = 32", text)
    path = tmp_path / "tiny.toml"
    path.write_text(re.sub(r"batch = .*", "batch = 2", text), encoding="utf-8")
    return path


def halves(data_folder: Path) -> tuple[list[Photograph], list[Photograph]]:
    first, second = find_photographs(data_folder)
    return [first], [second]


def test_a_network_is_trained_once_and_finds_vessels(
    data_folder: Path, tmp_path: Path, recipe: Path
) -> None:
    trainer = ComparisonTrainer(8, "cpu", recipe)
    train, validation = halves(data_folder)
    told: list[float] = []
    segmenter = trainer(train, validation, tmp_path / "net", lambda share, _: told.append(share))
    assert told == sorted(told) and told[-1] == 1.0
    card = read_card(tmp_path / "net" / "model")
    assert card.training.iterations == (8,) and "none" in card.licence
    assert card.threshold == best_threshold(segmenter, validation)
    rgb8 = validation[0].read_rgb()
    found = segmenter.probability(rgb8, find_field_of_view(rgb8))
    assert found.shape == rgb8.shape[:2] and 0.0 <= found.min() < found.max() <= 1.0
    assert not list((tmp_path / "net" / "cache").glob("*/*"))

    def nothing(*_: object) -> None:
        raise AssertionError("trained again")

    again = trainer(train, validation, tmp_path / "net", nothing)
    assert again.card.weights_sha256 == card.weights_sha256


@pytest.mark.slow
def test_a_training_that_was_broken_off_ends_as_an_unbroken_one(
    data_folder: Path, tmp_path: Path, recipe: Path
) -> None:
    train, validation = halves(data_folder)
    trainer = ComparisonTrainer(6, "cpu", recipe)
    whole = trainer(train, validation, tmp_path / "whole", no_progress)

    def stop(share: float, what: str) -> None:
        if share > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        trainer(train, validation, tmp_path / "broken", stop)
    resumed = trainer(train, validation, tmp_path / "broken", no_progress)
    assert resumed.card.weights_sha256 == whole.card.weights_sha256


def test_the_threshold_is_the_one_of_the_best_overlap(data_folder: Path) -> None:
    import numpy as np

    from retina_viewer.quality.metrics import dice

    class Blurred:
        def probability(self, rgb8: np.ndarray, field: object) -> np.ndarray:
            return (1.0 - rgb8[..., 1] / np.float32(255)).astype(np.float32)

    photographs = find_photographs(data_folder)[:1]
    threshold = best_threshold(Blurred(), photographs)  # type: ignore[arg-type]
    rgb8, truth = photographs[0].read_rgb(), photographs[0].read_vessels()
    inside = find_field_of_view(rgb8).mask
    probability = Blurred().probability(rgb8, None)
    every = {t / 100: dice(probability >= t / 100, truth, inside) for t in range(1, 100)}
    assert every[threshold] == pytest.approx(max(every.values()), abs=1e-3)


def test_budgets_are_told_apart_and_kept(
    tmp_path: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {ComparisonTrainer(n, "cpu", recipe).identity for n in (8, 9)}
    assert ids | {ComparisonTrainer(8, "cpu").identity} != ids and len(ids) == 2
    seconds = 0.5
    monkeypatch.setattr("studies.comparison_networks._seconds_of_a_step", lambda device: seconds)
    assert iterations_of(2.0, tmp_path, "cpu") == 240
    seconds = 5.0  # a busier machine later: the same number for all networks
    assert iterations_of(2.0, tmp_path, "cpu") == 240
    assert iterations_of(1.0, tmp_path, "cpu") == 12
    with pytest.raises(UserError, match="too short"):
        iterations_of(0.01, tmp_path, "cpu")
    with pytest.raises(UserError, match="no recipe of a vessel network"):
        ComparisonTrainer(8, "cpu", resources_dir() / "recipes" / "superres-pixel.toml")
