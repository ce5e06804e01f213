"""Discriminators beside a model: half precision, of these weights, or refused."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.extras import (
    DISCRIMINATOR_FILE,
    read_discriminators,
    save_discriminators,
)
from retina_viewer.networks.discriminator import Discriminator
from tests.model_store.models import own


@pytest.fixture
def card() -> ModelCard:
    return own("gan")


@pytest.mark.parametrize("batch_norm", [False, True])
def test_they_come_back_and_judge_alike(card: ModelCard, batch_norm: bool) -> None:
    torch.manual_seed(5)
    network = Discriminator(narrow=16, batch_norm=batch_norm).eval()
    assert save_discriminators({2: network.state_dict()}, card)
    found = read_discriminators(card)
    assert list(found) == [2]
    assert {value.dtype for value in found[2].values()} <= {torch.float16, torch.int64}
    other = Discriminator(narrow=16, batch_norm=batch_norm).eval()
    other.load_state_dict(found[2])
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(other(image), network(image), rtol=2e-2, atol=2e-3)


def test_a_number_beyond_half_precision_stays_itself(card: ModelCard) -> None:
    save_discriminators({1: {"large": torch.tensor([1e6]), "small": torch.tensor([1.5])}}, card)
    found = read_discriminators(card)[1]
    assert found["large"].item() == 1e6
    assert found["small"].dtype == torch.float16


def test_a_model_may_have_none(card: ModelCard) -> None:
    assert read_discriminators(card) == {}


def test_what_is_too_large_is_not_written(card: ModelCard) -> None:
    assert not save_discriminators({1: {"weight": torch.zeros(11 * 10**6)}}, card)
    assert not card.weights_file.with_name(DISCRIMINATOR_FILE).exists()


def test_those_of_other_weights_are_refused(card: ModelCard) -> None:
    save_discriminators({1: {"a": torch.ones(2)}}, card)
    other = card.model_copy(update={"weights_sha256": "0" * 64})
    with pytest.raises(UserError, match="belong to other weights"):
        read_discriminators(other)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("step1/a", float("nan"), "not all numbers"),
        ("step1", 1.0, "cannot be read"),
        ("stepx/a", 1.0, "cannot be read"),
        ("a/step1", 1.0, "cannot be read"),
    ],
)
def test_damaged_ones_are_refused(card: ModelCard, name: str, value: float, why: str) -> None:
    path = card.weights_file.with_name(DISCRIMINATOR_FILE)
    save_file({name: torch.tensor([value])}, path, {"weights_sha256": card.weights_sha256})
    with pytest.raises(UserError, match=why):
        read_discriminators(card)
    path.write_bytes(b"a pickle, or something else")
    with pytest.raises(UserError, match="cannot be read"):
        read_discriminators(card)


def test_nothing_but_tensors_is_in_the_file(card: ModelCard) -> None:
    save_discriminators({3: {"a": torch.ones(2)}}, card)
    assert list(load_file(card.weights_file.with_name(DISCRIMINATOR_FILE))) == ["step3/a"]
