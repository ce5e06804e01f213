"""The default of each task: chosen, used, rolled back."""

import shutil

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import model_defaults_file, user_models_dir
from retina_viewer.model_store.defaults import (
    default_before,
    default_history,
    default_model,
    roll_back,
    set_default,
)
from retina_viewer.model_store.store import DEFAULT_MODELS
from retina_viewer.vessels.segment import load_segmenter
from tests.model_store.models import make_unet, own, own_pair


def test_without_a_choice_the_shipped_models_are_the_defaults() -> None:
    for task, name in DEFAULT_MODELS.items():
        assert default_model(task) == name
    with pytest.raises(UserError, match="no earlier default") as caught:
        roll_back("superres")
    assert DEFAULT_MODELS["superres"] in caught.value.hint


def test_a_choice_counts_for_its_task_and_is_rolled_back_step_by_step() -> None:
    own("first")
    own("second", seed=2)
    set_default("first")
    set_default("second")
    assert default_model("superres") == "second"
    assert default_model("vessels") == DEFAULT_MODELS["vessels"]
    assert default_before("superres") == "first"
    assert roll_back("superres") == default_model("superres") == "first"
    assert default_before("superres") == DEFAULT_MODELS["superres"]
    assert roll_back("superres") == DEFAULT_MODELS["superres"]
    assert default_before("superres") is None
    history = default_history("superres")
    assert [(choice.model, choice.undone) for choice in history] == [
        ("first", True),
        ("second", True),
    ]


def test_choosing_the_default_again_is_no_step() -> None:
    own("first")
    set_default("first")
    set_default("first")
    assert len(default_history("superres")) == 1


def test_the_shipped_model_can_be_chosen_back_and_that_be_undone() -> None:
    own("first")
    set_default("first")
    set_default(DEFAULT_MODELS["superres"])
    assert default_model("superres") == DEFAULT_MODELS["superres"]
    assert roll_back("superres") == "first"


def test_a_choice_whose_model_is_gone_or_another_does_not_count() -> None:
    own("first")
    own("second", seed=2)
    set_default("first")
    set_default("second")
    shutil.rmtree(user_models_dir() / "second")
    assert default_model("superres") == "first"
    own("second", seed=9)  # put there by hand: not what was chosen
    assert default_model("superres") == "first"
    assert roll_back("superres") == DEFAULT_MODELS["superres"]


def test_a_damaged_model_or_twin_is_not_made_the_default() -> None:
    gan, twin = own_pair()
    twin.weights_file.write_bytes(b"no weights")
    with pytest.raises(UserError, match="twin"):
        set_default(gan.name)
    assert default_model("superres") == DEFAULT_MODELS["superres"]
    with pytest.raises(UserError, match="no model"):
        set_default("unheard-of")


def test_a_broken_file_of_choices_does_not_keep_the_program_from_starting() -> None:
    own("first")
    set_default("first")
    model_defaults_file().write_text("{", encoding="utf-8")
    assert default_model("superres") == DEFAULT_MODELS["superres"]
    set_default("first")
    assert default_model("superres") == "first"


def test_vessels_are_found_with_the_default() -> None:
    make_unet(user_models_dir() / "mine")
    set_default("mine")
    assert load_segmenter(device="cpu").card.name == "mine"
