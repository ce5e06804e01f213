"""How a model gets its name."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store import installing
from retina_viewer.model_store.card import NAME_PATTERN
from retina_viewer.model_store.installing import (
    LONGEST,
    check_family,
    copy_model,
    install,
    name_from_title,
    next_version,
    split_version,
    staging,
    taken_names,
    versioned,
)
from retina_viewer.model_store.store import find_model, list_models, verify_model
from tests.model_store.models import make_cascade, own


def test_a_name_that_another_process_took_meanwhile_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both had looked before either had written; the pair is named together all the same."""
    there = own("clinic", seed=9)
    asked: list[int] = []

    def stale() -> list[str]:
        asked.append(1)
        return [] if len(asked) == 1 else taken_names()

    monkeypatch.setattr(installing, "taken_names", stale)
    gan = make_cascade(tmp_path / "gan", seed=1, twin="twin", fidelity=0.5)
    twin = make_cascade(tmp_path / "twin", seed=2)
    with staging() as folder:
        copy_model(tmp_path / "gan", folder / "model", gan)
        copy_model(tmp_path / "twin", folder / "twin", twin)
        card = install(folder / "model", "clinic", folder / "twin")
    assert (card.name, card.twin) == ("clinic-v2", "clinic-pixel-v2")
    assert len(asked) == 2
    assert find_model("clinic") == there
    own_names = {path.name for path in user_models_dir().iterdir()}
    assert own_names == {"clinic", "clinic-v2", "clinic-pixel-v2"}
    verify_model(find_model("clinic-pixel-v2"))


def test_what_a_killed_process_left_is_no_model_and_goes_after_a_day(tmp_path: Path) -> None:
    make_cascade(tmp_path / "mine")
    for name, age in ((".part-old", 48 * 3600), (".part-new", 60)):
        make_cascade(user_models_dir() / name, name="mine")
        then = time.time() - age
        os.utime(user_models_dir() / name, (then, then))
    assert "mine" not in {card.name for card in list_models()}
    with staging() as folder:
        assert folder.is_dir()
    assert [path.name for path in user_models_dir().iterdir()] == [".part-new"]


def test_a_damaged_twin_keeps_the_pair_out(tmp_path: Path) -> None:
    gan = make_cascade(tmp_path / "gan", seed=1, twin="twin", fidelity=0.5)
    twin = make_cascade(tmp_path / "twin", seed=2)
    twin.weights_file.write_bytes(b"damaged")
    with pytest.raises(UserError, match="not those its card names"), staging() as folder:
        copy_model(tmp_path / "gan", folder / "model", gan)
        copy_model(tmp_path / "twin", folder / "twin", twin)
        install(folder / "model", "clinic", folder / "twin")
    assert list(user_models_dir().iterdir()) == []


FAMILIES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,40}", fullmatch=True).filter(
    lambda name: split_version(name)[1] == 1
)


@given(FAMILIES, st.integers(2, 99_999))
def test_a_version_is_found_again_in_its_name(family: str, number: int) -> None:
    assert split_version(versioned(family, number)) == (family, number)
    assert versioned(family, 1) == family
    assert re.fullmatch(NAME_PATTERN, versioned(family, number))


@given(FAMILIES, st.sets(st.integers(1, 50), max_size=8))
def test_the_next_version_is_above_all_there_are(family: str, there: set[int]) -> None:
    taken = [versioned(family, number) for number in there] + [f"{family}x", f"{family}x-v900"]
    number = next_version([family], taken)
    assert number == max(there, default=0) + 1
    assert versioned(family, number) not in taken


def test_models_that_go_together_get_one_number() -> None:
    taken = ["clinic", "clinic-pixel", "clinic-pixel-v4"]
    assert next_version(["clinic", "clinic-pixel"], taken) == 5


def test_a_name_with_a_version_means_its_family() -> None:
    assert check_family("clinic-v7") == "clinic"


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "Clinic", "a b", "-a", "a" * (LONGEST + 1), "clinic\n", "../x-v2"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="no name"):
        check_family(name)


@given(st.text(max_size=120))
def test_every_title_gives_a_name(title: str) -> None:
    assert check_family(name_from_title(title)) == name_from_title(title)


def test_a_name_reads_like_its_title() -> None:
    assert name_from_title("Clinic A, 2026!") == "clinic-a-2026"
    assert name_from_title("…") == "model"
