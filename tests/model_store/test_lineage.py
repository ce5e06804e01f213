"""Where a model comes from."""

import shutil

from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store.own_models import children, lineage
from retina_viewer.model_store.store import find_model
from tests.model_store.models import own


def test_the_chain_goes_back_to_the_shipped_model() -> None:
    shipped = find_model("pixel")
    first = own("first", parent="pixel 1", parent_sha256=shipped.weights_sha256)
    second = own("second", seed=2, parent="first 1", parent_sha256=first.weights_sha256)
    assert [one.name for one in lineage(second)] == ["second", "first", "pixel"]
    assert "first" in [card.name for card in children(shipped)]
    assert [card.name for card in children(first)] == ["second"]
    assert children(second) == []


def test_a_parent_that_is_gone_ends_the_chain_with_its_name() -> None:
    own("first", parent="pixel 1")
    second = own("second", seed=2, parent="first 1")
    shutil.rmtree(user_models_dir() / "first")
    chain = lineage(second)
    assert [(one.name, one.card is None) for one in chain] == [("second", False), ("first", True)]


def test_the_hash_decides_and_not_the_name() -> None:
    base = own("imported-v2")
    child = own("child", seed=2, parent="imported 1", parent_sha256=base.weights_sha256)
    own("imported", seed=3)  # another model, that has the name on this machine
    assert lineage(child)[1].card == base
    stranger = own("stranger", seed=4, parent="imported 1", parent_sha256="f" * 64)
    assert lineage(stranger)[1].card is None


def test_a_chain_that_bites_its_tail_ends() -> None:
    own("one", seed=1, parent="two 1")
    own("two", seed=2, parent="one 1")
    assert [one.name for one in lineage(find_model("one"))] == ["one", "two", "one"]
