"""The one division of the data sets, masks of every kind, and files that cannot be read."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.masks import read_vessel_mask
from retina_viewer.quality.datasets import Photograph, read_mask
from studies.data_folders import find_photographs, split, subset_of


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


def _drawn() -> NDArray[np.bool_]:
    drawn = np.zeros((20, 30), bool)
    drawn[8:10, 3:27] = drawn[4:16, 14:16] = True
    return drawn


def _palette(colours: list[int], indices: NDArray[np.bool_]) -> Image.Image:
    picture = Image.fromarray(indices.astype(np.uint8), "P")
    picture.putpalette(colours)
    return picture


def _stored(kind: str) -> Image.Image:
    drawn = _drawn()
    levels = {"0 and 1": 1, "0 and 7": 7, "0 and 255": 255}
    if kind in levels:
        return Image.fromarray(drawn.astype(np.uint8) * levels[kind])
    match kind:
        case "one bit":
            return Image.fromarray(drawn)
        case "16 bits, 0 and 1":
            return Image.fromarray(drawn.astype(np.uint16))
        case "16 bits":
            return Image.fromarray(drawn.astype(np.uint16) * 65535)
        case "32 bits":
            return Image.fromarray(drawn.astype(np.int32))
        case "fractions":
            return Image.fromarray(drawn.astype(np.float32))
        case "dark red palette":
            return _palette([0, 0, 0, 128, 0, 0], drawn)
        case "grey palette, indices turned round":
            return _palette([255, 255, 255, 0, 0, 0], ~drawn)
        case "palette of one colour":
            return _palette([0, 0, 0, 0, 0, 0], drawn)
        case "arteries red, veins blue":
            rgb = np.zeros((*drawn.shape, 3), np.uint8)
            rgb[:10][drawn[:10]] = (255, 0, 0)
            rgb[10:][drawn[10:]] = (0, 0, 255)
            return Image.fromarray(rgb)
        case _:
            raise ValueError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "0 and 1", "0 and 7", "0 and 255", "one bit", "16 bits, 0 and 1", "16 bits", "32 bits",
        "fractions", "dark red palette", "grey palette, indices turned round",
        "palette of one colour", "arteries red, veins blue",
    ],
)  # fmt: skip
def test_a_mask_is_read_the_same_however_it_is_stored(tmp_path: Path, kind: str) -> None:
    suffix = ".tif" if kind in ("32 bits", "fractions") else ".png"
    path = tmp_path / f"mask{suffix}"
    _stored(kind).save(path)
    np.testing.assert_array_equal(read_mask(path), _drawn())
    np.testing.assert_array_equal(read_vessel_mask(path), _drawn())
    np.testing.assert_array_equal(read_vessel_mask(path, inverted=True), ~_drawn())


def test_masks_of_one_level_are_empty_or_whole(tmp_path: Path) -> None:
    for level, expected in ((0, False), (1, True), (255, True)):
        path = tmp_path / f"{level}.png"
        Image.new("L", (9, 9), level).save(path)
        assert read_mask(path).all() == expected
        assert read_mask(path).any() == expected


def test_the_noise_of_an_empty_jpeg_is_nothing_drawn(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 4, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg", quality=95)
    assert not read_mask(tmp_path / "a.jpg").any()
