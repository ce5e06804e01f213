"""Models: found, loaded strictly, refused when anything is wrong."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import torch

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import sha256_of
from retina_viewer.core.paths import resources_dir, shipped_models_dir, user_models_dir
from retina_viewer.model_store.card import CARD_FILE, ModelCard, read_card
from retina_viewer.model_store.store import (
    DEFAULT_MODELS,
    find_model,
    list_models,
    load_network,
    save_card,
    save_weights,
    verify_model,
)
from retina_viewer.networks.architectures import build
from tests.untrained import NOTHING

PARAMETERS: dict[str, Any] = {"widths": [4, 8]}


def make_model(folder: Path, **changes: Any) -> ModelCard:
    folder.mkdir(parents=True)
    torch.manual_seed(3)
    digest = save_weights(build("unet", PARAMETERS).state_dict(), folder)
    fields: dict[str, Any] = {
        "name": folder.name,
        "version": "1",
        "title": "A test",
        "task": "vessels",
        "architecture": "unet",
        "parameters": PARAMETERS,
        "field_diameter": 64,
        "threshold": 0.5,
        "weights_sha256": digest,
        "licence": "CC-BY-4.0",
        "training": NOTHING,
        "created": date(2026, 1, 2),
    }
    card = ModelCard(**{**fields, **changes})
    save_card(card, folder)
    return read_card(folder)


def test_a_saved_model_comes_back_as_it_was(tmp_path: Path) -> None:
    card = make_model(tmp_path / "mine")
    torch.manual_seed(3)
    expected = build("unet", PARAMETERS).state_dict()
    loaded = load_network(card).state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[key], expected[key]) for key in expected)


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    card = make_model(tmp_path / "mine")
    content = bytearray(card.weights_file.read_bytes())
    content[-1] ^= 1
    card.weights_file.write_bytes(content)
    with pytest.raises(UserError, match="not those its card names"):
        verify_model(card)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    card = make_model(tmp_path / "mine", parameters={"widths": [4, 9]})
    with pytest.raises(UserError, match="do not fit"):
        load_network(card)


def test_missing_weights_are_an_error_for_people(tmp_path: Path) -> None:
    card = make_model(tmp_path / "mine")
    card.weights_file.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        load_network(card)


def test_a_pickle_in_the_place_of_weights_is_refused(tmp_path: Path) -> None:
    card = make_model(tmp_path / "mine")
    torch.save({"weight": torch.zeros(1)}, card.weights_file)
    with pytest.raises(UserError):
        load_network(card)


def test_a_broken_card_names_the_field(tmp_path: Path) -> None:
    make_model(tmp_path / "mine")
    text = (tmp_path / "mine" / CARD_FILE).read_text(encoding="utf-8")
    (tmp_path / "mine" / CARD_FILE).write_text(text.replace('"task": "vessels"', '"task": "x"'))
    with pytest.raises(UserError, match="task"):
        read_card(tmp_path / "mine")


@pytest.mark.parametrize(
    "changes",
    [
        {"twin": "other"},  # and no fidelity
        {"fidelity": 0.5},  # and no twin
        {"twin": "other", "fidelity": 1.2},
        {"twin": "../other", "fidelity": 0.5},
    ],
    ids=str,
)
def test_a_twin_and_its_fidelity_are_checked(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"twin|fidelity"):
        make_model(tmp_path / "mine", **changes)
    made = make_model(tmp_path / "gan", twin="other", fidelity=0.5)
    assert (made.twin, made.fidelity) == ("other", 0.5)


@pytest.mark.parametrize(
    ("architecture", "method"), [("linear-filters", "linear"), ("regression-forests", "sr-forest")]
)
def test_an_architecture_of_one_method_needs_no_method_and_bears_no_other(
    architecture: str, method: str
) -> None:
    shipped = next(card for card in list_models("superres") if card.architecture == architecture)
    fields = {**shipped.model_dump(), "method": None}
    assert ModelCard.model_validate(fields).enhancer_method == method
    with pytest.raises(ValueError, match="method"):
        ModelCard.model_validate({**fields, "method": "pixel"})


def test_a_card_with_what_is_no_number_cannot_be_made(tmp_path: Path) -> None:
    """Written as null it could not be read again, and would stand there under its final name."""
    with pytest.raises(ValueError, match="validation"):
        make_model(tmp_path / "mine", validation={"stage1": float("nan")})


def test_own_models_are_listed_before_the_shipped_and_broken_ones_left_out() -> None:
    make_model(user_models_dir() / "mine")
    broken = user_models_dir() / "broken"
    broken.mkdir()
    (broken / CARD_FILE).write_text("{}")
    names = [card.name for card in list_models()]
    assert names[0] == "mine"
    assert "broken" not in names
    assert [card.name for card in list_models("superres")] == [
        card.name for card in list_models() if card.task == "superres"
    ]
    assert find_model("mine").task == "vessels"


@pytest.mark.parametrize("name", ["", "nothing", "../models", ".."])
def test_names_that_are_no_models_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="no model"):
        find_model(name)


def test_every_shipped_model_is_whole_and_small() -> None:
    folders = [path.parent for path in sorted(shipped_models_dir().glob(f"*/{CARD_FILE}"))]
    assert {folder.name for folder in folders} >= set(DEFAULT_MODELS.values())
    for folder in folders:
        card = read_card(folder)
        assert card.name == folder.name
        verify_model(card)
        assert card.weights_file.stat().st_size < 20 * 2**20
        assert card.measurements, "a shipped model says what was measured"
        recipes = {sha256_of(path) for path in (resources_dir() / "recipes").glob("*.toml")}
        assert card.training.recipe_sha256 in recipes, "a shipped model's recipe is shipped too"
