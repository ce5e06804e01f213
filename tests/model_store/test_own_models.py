"""Titles, notes and deletion of the person's own models."""

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store.defaults import default_model, roll_back, set_default
from retina_viewer.model_store.own_models import (
    LONGEST_NOTE,
    delete,
    note_of,
    rename,
    set_note,
    twin_to_delete,
)
from retina_viewer.model_store.store import find_model, list_models, verify_model
from tests.model_store.models import own, own_pair


def test_a_new_title_changes_neither_name_nor_weights() -> None:
    before = own("clinic")
    after = rename("clinic", "  Clinic B ")
    assert after == before.model_copy(update={"title": "Clinic B"})
    verify_model(find_model("clinic"))


def test_a_note_stays_beside_the_card() -> None:
    card = own("clinic")
    assert note_of(card) == ""
    set_note("clinic", "Für die linke Kamera\nseit März")
    assert note_of(card) == "Für die linke Kamera\nseit März"
    assert find_model("clinic") == card
    set_note("clinic", " ")
    assert note_of(card) == ""
    with pytest.raises(UserError, match="longer"):
        set_note("clinic", "x" * (LONGEST_NOTE + 1))


def test_shipped_models_stay_as_they_are() -> None:
    for change in (lambda: rename("pixel", "x"), lambda: set_note("pixel", "x")):
        with pytest.raises(UserError, match="comes with the program"):
            change()
    with pytest.raises(UserError, match="comes with the program"):
        delete("pixel")


def test_a_deleted_model_is_gone_for_good() -> None:
    own("clinic")
    own("other", seed=2)
    assert delete("clinic") == ["clinic"]
    assert [path.name for path in user_models_dir().iterdir()] == ["other"]
    with pytest.raises(UserError, match="no model"):
        find_model("clinic")


def test_the_default_is_not_deleted_until_another_one_is() -> None:
    own("clinic")
    set_default("clinic")
    with pytest.raises(UserError, match="it is the default"):
        delete("clinic")
    roll_back("superres")
    delete("clinic")
    assert default_model("superres") != "clinic"


def test_a_twin_goes_with_its_saliency_gan_or_stays() -> None:
    gan, twin = own_pair()
    with pytest.raises(UserError, match="twin of 'gan'"):
        delete(twin.name)
    assert twin_to_delete(gan) == twin
    assert delete("gan", with_twin=True) == ["gan", "twin"]
    own_pair("gan2", "twin2")
    own("third", seed=3, twin="twin2", fidelity=0.5)
    assert twin_to_delete(find_model("gan2")) is None  # another model needs it
    assert delete("gan2", with_twin=True) == ["gan2"]
    assert {"twin2", "third"} <= {card.name for card in list_models("superres")}
