"""What a GAN's training keeps of its discriminators, and what goes on from them."""

from pathlib import Path

import pytest
import torch

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import resources_dir
from retina_viewer.model_store.card import read_card
from retina_viewer.model_store.extras import read_discriminators, save_discriminators
from retina_viewer.model_store.store import find_model
from retina_viewer.networks.discriminator import Discriminator
from retina_viewer.training.checkpoint import Counters, save_checkpoint, save_stage, with_prefix
from retina_viewer.training.loop import begin_stage
from retina_viewer.training.recipe import SaliencyGanRecipe, load_recipe
from retina_viewer.training.saliency_gan_task import begin_with, keep_discriminators
from retina_viewer.training.task import Player, Task, TrainContext
from studies.keep_discriminator import KeptDiscriminator
from tests.model_store.models import make_cascade, own
from tests.training.test_loop import Rivals


def discriminator(seed: int = 0, narrow: int = 16) -> Discriminator:
    torch.manual_seed(seed)
    return Discriminator(narrow)


def stage_file(run: Path, number: int, opponent: Discriminator | None) -> None:
    """A checkpoint with a generator, and perhaps a discriminator."""
    tensors = with_prefix("network/generator", {"weight": torch.zeros(2)})
    if opponent is not None:
        tensors |= with_prefix("network/discriminator", opponent.state_dict())
    save_checkpoint(run / f"stage{number}.safetensors", tensors, Counters(stage=number - 1))


def with_discriminator(network: Discriminator) -> Task:
    task = Rivals()
    task.players = (task.players[0], Player("discriminator", network))
    return task


def test_the_last_state_of_each_step_is_kept(tmp_path: Path) -> None:
    card = own("gan")
    stage_file(tmp_path, 3, discriminator(1))
    stage_file(tmp_path, 4, discriminator(2))
    assert keep_discriminators(tmp_path, [1, 2], card, first=3) == [1, 2]
    kept = read_discriminators(card)
    expected = discriminator(2).state_dict()["dense.2.weight"]
    torch.testing.assert_close(kept[2]["dense.2.weight"].float(), expected, rtol=1e-3, atol=1e-5)


def test_a_training_without_leaves_nothing(tmp_path: Path) -> None:
    card = own("pixels")
    stage_file(tmp_path, 1, None)
    assert keep_discriminators(tmp_path, [1], card) == []
    assert read_discriminators(card) == {}


def test_steps_that_were_not_tuned_keep_the_base_s(tmp_path: Path) -> None:
    base, card = own("base"), own("tuned", seed=4)
    save_discriminators({1: discriminator(1).state_dict(), 2: discriminator(2).state_dict()}, base)
    stage_file(tmp_path, 2, discriminator(7))
    assert keep_discriminators(tmp_path, [1], card, first=2, base=base) == [1, 2]
    kept = read_discriminators(card)
    assert torch.equal(kept[2]["dense.0.bias"], read_discriminators(base)[2]["dense.0.bias"])
    assert not torch.equal(kept[1]["dense.0.bias"], read_discriminators(base)[1]["dense.0.bias"])


def test_a_task_goes_on_from_what_fits_and_only_from_that() -> None:
    card = own("gan")
    save_discriminators({1: discriminator(1).state_dict()}, card)
    kept = read_discriminators(card)
    fresh = discriminator(8)
    assert begin_with(with_discriminator(fresh), kept[1])
    wanted = discriminator(1).state_dict()["dense.0.weight"]
    torch.testing.assert_close(fresh.state_dict()["dense.0.weight"], wanted, rtol=1e-3, atol=1e-5)
    assert {value.dtype for value in fresh.state_dict().values()} == {torch.float32}
    wider = discriminator(8, narrow=8)
    before = wider.state_dict()["dense.0.weight"].clone()
    assert not begin_with(with_discriminator(wider), kept[1])
    assert torch.equal(wider.state_dict()["dense.0.weight"], before)
    assert not begin_with(with_discriminator(wider), None)
    assert begin_with(Rivals(), None)  # there is none to begin


def test_a_checkpoint_of_the_loop_holds_it_where_it_is_looked_for(tmp_path: Path) -> None:
    task = with_discriminator(discriminator(3))
    where = TrainContext(
        tmp_path / "stage1.safetensors", 3, torch.device("cpu"), lambda event: None
    )
    save_stage(begin_stage(task, 0, where))
    card = own("gan")
    assert keep_discriminators(tmp_path, [4], card) == [4]
    assert begin_with(with_discriminator(discriminator(9)), read_discriminators(card)[4])


def test_those_of_an_older_run_are_put_beside_its_model(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    card = make_cascade(run / "model", name="gan")
    recipe = resources_dir() / "recipes" / "saliency-gan-fast.toml"
    (run / "recipe.toml").write_bytes(recipe.read_bytes())
    for number in range(1, 5):
        stage_file(run, number, discriminator(number))
    model = own("gan")
    user = model.weights_file.parent
    assert "steps 1, 2, 3, 4" in KeptDiscriminator(run, user).measure()
    assert list(read_discriminators(read_card(user))) == [1, 2, 3, 4]
    assert card.weights_sha256 == model.weights_sha256
    other = own("other", seed=9)
    with pytest.raises(UserError, match="did not make the weights"):
        KeptDiscriminator(run, other.weights_file.parent).measure()


def test_the_shipped_gan_comes_with_those_that_its_fine_tuning_takes_up() -> None:
    """For whoever trains it anew: they belong to one set of weights."""
    kept = read_discriminators(find_model("saliency-gan-fast"))
    recipe = load_recipe(resources_dir() / "recipes" / "saliency-gan-fast.toml")
    assert isinstance(recipe, SaliencyGanRecipe)
    for stage in recipe.stages:
        made = Discriminator(stage.discriminator_narrow, stage.discriminator_batch_norm)
        assert begin_with(with_discriminator(made), kept[stage.step])
