"""How far networks of other seeds differ: the recipes, and the table."""

from pathlib import Path

import pytest

from retina_viewer.quality.records import Record
from retina_viewer.training.recipe import VesselRecipe, load_recipe
from studies.comparison_networks import ComparisonTrainer
from studies.vessel_seeds import recipes, spread


def test_recipes_differ_in_their_seed_alone_and_so_do_their_networks_names(tmp_path: Path) -> None:
    found = recipes(tmp_path, 2)
    read = [load_recipe(path) for path in found.values()]
    assert [one.seed for one in read] == list(found) and len(found) == 3
    first = read[0]
    assert isinstance(first, VesselRecipe)
    for other in read[1:]:
        assert other.model_copy(update={"seed": first.seed}) == first
    names = {ComparisonTrainer(120, "cpu", path).identity for path in found.values()}
    assert len(names) == 3


def test_the_spread_is_that_of_one_network_over_its_seeds() -> None:
    who: Record = {"dataset": "DRIVE", "scale": 8, "trained_on": "originals"}
    rows: dict[int, list[Record]] = {
        seed: [{**who, "method": "a", "dice": dice}, {**who, "method": "b", "dice": 0.5}]
        for seed, dice in ((1, 0.50), (2, 0.52), (3, 0.54))
    }
    table = spread(rows, "note")
    one, other = table.rows
    assert one["method"] == "a" and one["mean"] == pytest.approx(0.52)
    assert one["sd"] == pytest.approx(0.02) and other["sd"] == 0
    assert (
        "| DRIVE |     8 | originals  | a      | 0.5000 | 0.5200 | 0.5400 |" in table.to_markdown()
    )
