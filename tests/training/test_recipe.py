"""Recipes: the shipped ones are valid, and mistakes are named."""

from pathlib import Path

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import resources_dir
from retina_viewer.training.recipe import load_recipe

RECIPES = sorted((resources_dir() / "recipes").glob("*.toml"))


def test_recipes_are_shipped() -> None:
    tasks = {load_recipe(path).task for path in RECIPES}
    assert tasks == {"superres", "saliency-gan", "formation", "vessels"}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_misspelt_field_is_named(path: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(path.read_text(encoding="utf-8").replace("iterations =", "iteration ="))
    with pytest.raises(
        UserError, match=r"wrong\.toml is wrong at '(superres|saliency-gan|formation|vessels)\."
    ) as caught:
        load_recipe(wrong)
    assert "iteration" in caught.value.message


@pytest.mark.parametrize("content", ["task = ", "task = 'cooking'", "\udcff"])
def test_what_is_no_recipe_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UserError):
        load_recipe(path)


def test_a_missing_recipe_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_recipe(tmp_path / "none.toml")
