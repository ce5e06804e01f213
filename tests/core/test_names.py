"""What is a suffix, and how names are shortened, numbered and shown."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.core.names import (
    MAX_BYTES,
    fitting,
    free_paths,
    numbered,
    readable,
    sidecar_path,
    stem_of,
)

LATIN_1 = os.fsdecode(b"M\xfcller.png")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("eye.png", "eye"),
        ("eye.TIFF", "eye"),
        ("eye.ome.tif", "eye.ome"),
        ("1.2.840.113619.2.55.1", "1.2.840.113619.2.55.1"),
        ("1.2.840.113619.2.55.2.dcm", "1.2.840.113619.2.55.2"),
        ("Miller.Anna", "Miller.Anna"),
        ("eye", "eye"),
        (".png", ".png"),
    ],
)
def test_only_what_ends_a_picture_is_a_suffix(name: str, stem: str) -> None:
    assert stem_of(name) == stem


def test_right_and_left_eye_stay_two_names() -> None:
    assert stem_of("1.2.840.55.1") != stem_of("1.2.840.55.2")


def test_a_name_that_fits_is_kept() -> None:
    assert fitting("x" * 255) == "x" * 255
    assert fitting("x" * 10, 10) == "x" * 10


def test_a_long_name_keeps_both_ends() -> None:
    names = [f"patient-0815-{'x' * 300}-{eye}.png" for eye in ("left", "right")]
    short = [fitting(name) for name in names]
    assert all(len(name) <= MAX_BYTES for name in short)
    assert all(name.startswith("patient-0815-") for name in short)
    assert short[0].endswith("-left.png")
    assert short[1].endswith("-right.png")
    assert fitting(names[0]) == short[0]


def test_long_names_that_differ_in_the_middle_stay_different() -> None:
    assert fitting("a" * 150 + "1" + "b" * 150) != fitting("a" * 150 + "2" + "b" * 150)


@given(st.text(min_size=1, max_size=20).map(lambda text: text * 40), st.integers(40, 255))
def test_no_name_is_longer_than_its_room(name: str, room: int) -> None:
    assert len(fitting(name, room).encode("utf-8", "surrogatepass")) <= room


@pytest.mark.parametrize("name", ["x" * 251 + ".png", "眼" * 83 + ".png", "x" * 255])
@pytest.mark.parametrize("number", [1, 2, 1234])
def test_every_numbered_name_and_its_sidecar_can_be_made(
    tmp_path: Path, name: str, number: int
) -> None:
    path = tmp_path / numbered(name, number)
    path.touch()
    sidecar_path(path).touch()
    assert sidecar_path(path) != path
    assert sidecar_path(path).suffix == ".json"


def test_numbers_stand_before_the_suffix_and_only_there() -> None:
    assert numbered("eye.png", 1) == "eye.png"
    assert numbered("eye.tar.png", 2) == "eye.tar (2).png"
    assert numbered("2026-11-28 10.14", 2) == "2026-11-28 10.14 (2)"
    assert numbered("2026-11-28 10.14 My plan", 3) == "2026-11-28 10.14 My plan (3)"


def test_free_names_count_up(tmp_path: Path) -> None:
    assert free_paths(tmp_path, ["eye.png"]) == [tmp_path / "eye.png"]
    (tmp_path / "eye.png").touch()
    assert free_paths(tmp_path, ["eye.png"]) == [tmp_path / "eye (2).png"]
    (tmp_path / "eye (2).png").touch()
    assert free_paths(tmp_path, ["eye.png"]) == [tmp_path / "eye (3).png"]


def test_a_pair_gets_one_number_and_a_sidecar_counts_as_taken(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    sidecar_path(tmp_path / "a (2).png").touch()
    assert free_paths(tmp_path, ["a.png", "b.png"]) == [
        tmp_path / "a (3).png",
        tmp_path / "b (3).png",
    ]


def test_names_that_are_not_utf_8_become_text() -> None:
    assert readable(LATIN_1) == "M\\xfcller.png"
    assert readable("Müller 眼.png") == "Müller 眼.png"
    readable("\ud800").encode()
