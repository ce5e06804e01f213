"""Titles, notes and deletion of the person's own models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store.card import WEIGHTS_FILE, Conclusion
from retina_viewer.model_store.defaults import default_model, roll_back, set_default
from retina_viewer.model_store.own_models import (
    LONGEST_NOTE,
    accept,
    children,
    delete,
    kept_as,
    lineage,
    note_of,
    rename,
    set_note,
    twin_to_delete,
)
from retina_viewer.model_store.store import find_model, list_models, verify_model
from tests.model_store.models import HISTORY, make_run, own, own_pair, verdict_about


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


def test_a_better_model_is_kept_with_verdict_history_and_note(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    assert kept_as(run) is None
    card = accept(run, "clinic", " Clinic A ", note="for the left camera")
    assert (card.name, card.version, card.title, card.reason) == ("clinic", "1", "Clinic A", "")
    assert card.verdict is not None and card.verdict.conclusion == "better"
    assert card.parent_sha256 == "b" * 64  # the gate saw which base it was
    verify_model(find_model("clinic"))
    folder = user_models_dir() / "clinic"
    assert json.loads((folder / "history.json").read_text()) == HISTORY
    assert note_of(card) == "for the left camera"
    assert "left camera" not in (folder / "card.json").read_text()
    found = kept_as(run)
    assert found is not None and found.name == "clinic"


def test_the_same_training_is_kept_once(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    accept(run, "clinic", "Clinic A")
    with pytest.raises(UserError, match="kept already, as 'clinic'"):
        accept(run, "other", "Again")


def test_another_model_of_the_name_is_its_next_version_and_changes_nothing(tmp_path: Path) -> None:
    accept(make_run(tmp_path / "1", seed=5), "clinic", "Clinic A")
    before = (user_models_dir() / "clinic" / WEIGHTS_FILE).read_bytes()
    second = accept(make_run(tmp_path / "2", seed=6), "clinic", "Clinic A")
    third = accept(make_run(tmp_path / "3", seed=7), "clinic-v2", "Clinic A")
    assert (second.name, second.version) == ("clinic-v2", "2")
    assert (third.name, third.version) == ("clinic-v3", "3")
    assert (user_models_dir() / "clinic" / WEIGHTS_FILE).read_bytes() == before


def test_a_shipped_name_is_never_taken_over(tmp_path: Path) -> None:
    shipped = find_model("pixel")
    card = accept(make_run(tmp_path / "run"), "pixel", "Mine")
    assert card.name == "pixel-v2"
    assert find_model("pixel") == shipped


def test_a_saliency_gan_is_kept_with_its_twin(tmp_path: Path) -> None:
    accept(make_run(tmp_path / "1", gan=True, seed=5), "clinic", "Clinic A")
    card = accept(make_run(tmp_path / "2", gan=True, seed=9), "clinic", "Clinic A")
    assert (card.name, card.twin, card.fidelity) == ("clinic-v2", "clinic-pixel-v2", 0.3)
    twin = find_model("clinic-pixel-v2")
    assert twin.parent == "pixel 1"
    assert twin.title.startswith("Clinic A")
    assert find_model("clinic").twin == "clinic-pixel"
    verify_model(twin)


@pytest.mark.parametrize("conclusion", ["no difference", "worse", "too few", None])
def test_what_is_not_better_takes_a_reason_which_is_recorded(
    tmp_path: Path, conclusion: Conclusion | None
) -> None:
    run = make_run(tmp_path / "run", conclusion=conclusion)
    for reason in (None, "", "  \n"):
        with pytest.raises(UserError, match="only for a reason"):
            accept(run, "clinic", "Clinic A", reason)
    assert not user_models_dir().exists() or not list(user_models_dir().iterdir())
    accept(run, "clinic", "Clinic A", " sharper discs ")
    assert find_model("clinic").reason == "sharper discs"


def test_a_verdict_about_other_weights_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    other = own("other", seed=8)
    (run / "verdict.json").write_text(verdict_about(other).model_dump_json())
    with pytest.raises(UserError, match="other weights"):
        accept(run, "clinic", "Clinic A")
    (run / "verdict.json").write_text("{}")
    with pytest.raises(UserError, match="verdict cannot be read"):
        accept(run, "clinic", "Clinic A")


def test_a_training_without_a_sound_model_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no model"):
        accept(tmp_path, "clinic", "Clinic A")
    run = make_run(tmp_path / "run")
    (run / "model" / WEIGHTS_FILE).write_bytes(b"damaged")
    with pytest.raises(UserError, match="not those its card names"):
        accept(run, "clinic", "Clinic A")
    assert list(user_models_dir().iterdir()) == []


@pytest.mark.parametrize(("name", "title"), [("Clinic A", "x"), ("clinic", " "), ("a", "x\ny")])
def test_names_and_titles_that_are_none_are_refused(tmp_path: Path, name: str, title: str) -> None:
    with pytest.raises(UserError, match=r"no name|no title"):
        accept(make_run(tmp_path / "run"), name, title)


def test_a_folder_that_cannot_be_written_to_is_explained(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    user_models_dir().parent.mkdir(parents=True)
    user_models_dir().write_text("a file where the folder should be")
    with pytest.raises(UserError, match="could not be written"):
        accept(run, "clinic", "Clinic A")


def test_a_folder_left_behind_by_a_killed_process_is_no_model(tmp_path: Path) -> None:
    card = accept(make_run(tmp_path / "run"), "clinic", "Clinic A")
    assert card.directory is not None
    card.directory.rename(card.directory.with_name(".part-0123456789abcdef"))
    assert "clinic" not in {one.name for one in list_models()}
