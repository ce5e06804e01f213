"""Recipes of what is fitted: the shipped ones are valid, and mistakes are named."""

from pathlib import Path

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import resources_dir
from studies.fitted_recipe import (
    ForestRecipe,
    LinearRecipe,
    load_fitted_recipe,
)

RECIPES = resources_dir() / "recipes"


def test_the_shipped_recipes_are_those_of_the_shipped_models() -> None:
    linear = load_fitted_recipe(RECIPES / "linear.toml")
    forest = load_fitted_recipe(RECIPES / "sr-forest.toml")
    assert isinstance(linear, LinearRecipe)
    assert isinstance(forest, ForestRecipe)
    assert len(forest.stages) == 4
    assert linear.datasets == forest.datasets
    assert "DRIVE" not in linear.datasets


def test_a_networks_recipe_is_none_of_these() -> None:
    assert load_fitted_recipe(RECIPES / "vessels.toml") is None


def test_a_misspelt_field_is_named(tmp_path: Path) -> None:
    text = (RECIPES / "sr-forest.toml").read_text(encoding="utf-8")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text.replace("smallest_leaf", "smallest_twig", 1), encoding="utf-8")
    with pytest.raises(UserError, match=r"sr-forest\.stages\.0\.smallest_twig"):
        load_fitted_recipe(wrong)


@pytest.mark.parametrize("content", ["task = ", "\udcff", "task = " + "[" * 100_000])
def test_what_is_no_toml_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UserError, match="not valid TOML"):
        load_fitted_recipe(path)
    with pytest.raises(UserError, match="cannot be read"):
        load_fitted_recipe(tmp_path / "none.toml")
