"""The one division of the data sets, and photographs that cannot be read."""

from pathlib import Path

import pytest

from retina_viewer.core.errors import UserError
from retina_viewer.evaluation.data_folders import find_photographs
from retina_viewer.evaluation.datasets import Photograph, read_mask, split, subset_of


def _photograph(dataset: str, name: str) -> Photograph:
    return Photograph(dataset, name, name, Path(name))


@pytest.mark.parametrize(
    ("dataset", "name", "subset"),
    [
        ("DRIVE", "21", "held_out"),
        ("DRIVE", "01", "held_out"),
        ("CHASE_DB1", "08R", "train"),
        ("CHASE_DB1", "09L", "validation"),
        ("CHASE_DB1", "10R", "validation"),
        ("CHASE_DB1", "11L", "held_out"),
        ("CHASE_DB1", "14R", "held_out"),
        ("HRF", "06_dr", "train"),
        ("HRF", "07_h", "validation"),
        ("HRF", "08_g", "held_out"),
        ("FIVES", "25_A", "train"),
        ("FIVES", "27_A", "validation"),
        ("FIVES", "29_A", "held_out"),
        ("IDRiD", "IDRiD_44", "train"),
        ("IDRiD", "IDRiD_45", "validation"),
        ("IDRiD", "IDRiD_49", "held_out"),
        ("IDRiD", "IDRiD_54", "held_out"),
        ("STARE", "im0001", "held_out"),
        ("clinic", "left eye", "held_out"),
    ],
)
def test_the_division_is_the_agreed_one(dataset: str, name: str, subset: str) -> None:
    assert subset_of(_photograph(dataset, name)) == subset


def test_a_split_keeps_every_photograph_and_parts_no_patient(data: Path) -> None:
    found = find_photographs(data)
    subsets = split(found)
    assert sum(len(members) for members in subsets.values()) == len(found)
    patients = [{(p.dataset, p.patient) for p in members} for members in subsets.values()]
    assert not patients[0] & patients[1] and not patients[0] & patients[2]
    assert not patients[1] & patients[2]


def test_bundled_photographs_are_held_out() -> None:
    for dataset, name in (
        ("CHASE_DB1", "14L"),
        ("FIVES", "28_A"),
        ("HRF", "08_h"),
        ("IDRiD", "IDRiD_53"),
    ):
        assert subset_of(_photograph(dataset, name)) == "held_out"


def test_a_broken_photograph_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "9_A.png"
    broken.write_bytes(b"\x89PNG not")
    with pytest.raises(UserError, match=r"9_A\.png"):
        Photograph("FIVES", "9_A", "9_A", broken).read_rgb()
    with pytest.raises(UserError, match=r"9_A\.png"):
        read_mask(broken)
