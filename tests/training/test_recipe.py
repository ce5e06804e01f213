"""Recipes: the shipped ones are valid, and mistakes are named."""

from pathlib import Path

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import resources_dir
from retina_viewer.training.recipe import SaliencyGanRecipe, load_recipe

FITTED = {"linear.toml", "sr-forest.toml"}  # recipes of another kind
RECIPES = sorted(
    file for file in (resources_dir() / "recipes").glob("*.toml") if file.name not in FITTED
)


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


def test_saliency_without_gradient_is_not_asked_for_one(tmp_path: Path) -> None:
    text = (resources_dir() / "recipes" / "saliency-gan-fast.toml").read_text(encoding="utf-8")
    asking = tmp_path / "recipe.toml"
    stage = 'discriminator_narrow = 4\nsaliency = "filters"'
    asking.write_text(text.replace("discriminator_narrow = 4", stage), encoding="utf-8")
    with pytest.raises(UserError, match="no gradient"):
        load_recipe(asking)
    left_out = asking.read_text(encoding="utf-8").replace("saliency = 5.0", "saliency = 0.0")
    asking.write_text(left_out, encoding="utf-8")
    assert isinstance(load_recipe(asking), SaliencyGanRecipe)


def test_the_comparison_s_gans_are_trained_as_the_saliency_gan_is() -> None:
    """Same photographs, iterations, batches and patches; SRGAN from the same start at that."""
    ours, srgan, vgg19 = (
        load_recipe(resources_dir() / "recipes" / f"{name}.toml")
        for name in ("saliency-gan-fast", "srgan", "srgan-vgg19")
    )
    assert isinstance(ours, SaliencyGanRecipe)
    for other in (srgan, vgg19):
        assert isinstance(other, SaliencyGanRecipe)
        assert other.method == other.name
        assert (other.datasets, other.degradation) == (ours.datasets, ours.degradation)
        for one, two in zip(ours.stages, other.stages, strict=True):
            assert (one.step, one.patch, one.grain) == (two.step, two.patch, two.grain)
            assert one.optimisation.iterations == two.optimisation.iterations
            assert one.optimisation.batch == two.optimisation.batch
            assert two.weights.saliency == two.weights.weighted == 0
            assert two.adversarial == "paper"
    assert isinstance(srgan, SaliencyGanRecipe)
    assert (srgan.base, srgan.seed) == (ours.base, ours.seed)
    assert all(stage.weights.squared > 0 == stage.weights.pixel for stage in srgan.stages)
