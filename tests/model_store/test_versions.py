"""Names and versions."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import NAME_PATTERN
from retina_viewer.model_store.installing import (
    LONGEST,
    check_family,
    name_from_title,
    next_version,
    split_version,
    versioned,
)

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
