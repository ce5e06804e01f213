"""The runner of the ablations: trains what is missing, measures it once, keeps the table."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retina_viewer.training.recipe import SaliencyGanRecipe, load_recipe
from studies import ablations
from studies.ablations import RECIPES, Ablations, Figures, page, read_results
from tests.superres.tiny_models import add_cascade


def cut_down(name: str, folder: Path) -> None:
    """A recipe of a second: tiny base, two small steps, pixels and saliency alone."""
    text = (RECIPES / f"{name}.toml").read_text(encoding="utf-8")
    text = re.sub(r"datasets = .*", 'datasets = ["CHASE_DB1"]', text)
    text = re.sub(r"field_diameters = .*", "field_diameters = [200.0, 300.0]", text)
    text = re.sub(r"base = .*", 'base = "mine"', text)
    text = re.sub(r"^step = .*", "step = 2\nvalidation_patches = 1", text, flags=re.MULTILINE)
    small = {"iterations": 2, "validate_every": 2, "batch": 1, "patch": 14, "warmup": 0}
    for field, value in (small | {"cnn": 0.0, "adversarial": 0.0}).items():
        text = re.sub(rf"^{field} = .*", f"{field} = {value}", text, flags=re.MULTILINE)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def row(title: str, step: int, iterations: int, lpips: float) -> Figures:
    return Figures(title, step, iterations, 40.0, 41.0, lpips, 0.5, 0.9)


def test_every_recipe_but_its_subject_is_that_of_the_default() -> None:
    """Same start, seed, photographs, degradation and optimisation within a group."""
    groups: dict[str, list[SaliencyGanRecipe]] = {}
    for file in sorted(RECIPES.glob("*.toml")):
        recipe = load_recipe(file)
        assert isinstance(recipe, SaliencyGanRecipe)
        assert recipe.name == file.stem
        groups.setdefault(file.stem.split("-")[0], []).append(recipe)
    assert set(groups) == {"gan", "saliency"}
    for recipes in groups.values():
        first, *others = recipes
        for other in others:
            varying = {"name", "title", "stages"}
            assert other.model_dump(exclude=varying) == first.model_dump(exclude=varying)
    steps = [recipe.stages[0] for recipe in groups["saliency"]]
    assert len({stage.optimisation.model_dump_json() for stage in steps}) == 1
    assert {(stage.step, stage.patch, stage.optimisation.iterations) for stage in steps} == {
        (2, 21, 200)
    }


def test_what_is_swept_is_swept() -> None:
    stages = {}
    for file in RECIPES.glob("saliency-*.toml"):
        recipe = load_recipe(file)
        assert isinstance(recipe, SaliencyGanRecipe)
        stages[file.stem] = recipe.stages[0]
    local = {stage.curvature_share for stage in stages.values() if stage.saliency == "local"}
    assert local == {0.2, 0.4, 0.6, 0.8}  # 0 and 1 are one feature alone
    assert {stage.saliency for stage in stages.values()} == {
        *("local", "curvature", "entropy", "filters")
    }
    without = stages["saliency-without-cnn"].weights
    assert without.cnn == 0
    assert without.saliency > 0


@pytest.mark.slow
def test_it_trains_what_is_missing_measures_it_once_and_keeps_the_table(
    data_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_cascade("mine", 1)
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    cut_down("saliency-curvature", recipes)
    out, runs = tmp_path / "out", tmp_path / "runs"
    study = Ablations(data_folder, runs, recipes, out=out, device="cpu")
    replace(study, only=("another",)).measure()
    assert not read_results(out)
    told: list[str] = []
    study.measure(lambda share, what: told.append(what))
    assert told[-1] == "measuring saliency-curvature" and len(told) > 1
    found = read_results(out)
    assert list(found) == ["bicubic-mine-1-2", "mine-1-2", "saliency-curvature"]
    assert found["bicubic-mine-1-2"].grid < found["mine-1-2"].grid  # its weights are random
    assert found["saliency-curvature"] != found["mine-1-2"]
    assert all(20 < one.gaussian < 60 for one in found.values())
    assert "curvature only" in (out / "ablations.md").read_text(encoding="utf-8")

    told.clear()
    study.measure(lambda share, what: told.append(what))
    assert not told
    assert read_results(out) == found

    cut_down("saliency-entropy", recipes)
    measured: list[str] = []

    def counted(title: str, *rest: Any) -> Figures:
        measured.append(title)
        return row(title, 2, 2, 0.5)

    monkeypatch.setattr(ablations, "figures", counted)
    study.measure()
    assert measured == ["entropy only (w1 = 0)"]  # the references are those of the recipe before
    assert read_results(out).items() >= found.items()

    shutil.rmtree(runs / "ablations-cache")  # what is trained is measured anew without it
    (out / "ablations.json").unlink()
    replace(study, only=("saliency-entropy",)).measure()
    assert "saliency-entropy" in read_results(out)


def test_the_page_has_references_first_then_what_looks_most_alike() -> None:
    text = page(
        [row("a", 1, 9, 0.3), row("b", 1, 9, 0.2), row("c", 1, 0, 0.9), row("d", 2, 9, 0.1)]
    )
    assert [line[2] for line in text.splitlines() if line.startswith("| ") and "40.00" in line] == [
        *("c", "b", "a", "d")
    ]
    assert text.index("## Step 1 (x2)") < text.index("## Step 2 (x4)")
