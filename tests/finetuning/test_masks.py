"""Masks and photographs: paired by name, refused where they cannot belong together."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.masks import (
    NamePatterns,
    check_mask,
    looks_like_a_mask,
    match_masks,
    read_vessel_mask,
    suggest_patterns,
)
from tests.finetuning.tiny_clinic import shrunk


def paths(*names: str) -> list[Path]:
    return [Path(name) for name in names]


@pytest.mark.parametrize(
    ("photographs", "masks"),
    [
        (paths("a.jpg", "b.jpg"), paths("m/a.png", "m/b.png")),
        (paths("a.jpg", "ab.jpg"), paths("a_mask.png", "ab_mask.png")),
        (
            paths("21_training.tif", "22_training.tif", "30_training.tif"),
            paths("21_manual1.gif", "22_manual1.gif", "30_manual1.gif"),
        ),
        (paths("Image_01L.jpg", "Image_02L.jpg"), paths("mask_01L.png", "mask_02L.png")),
        (paths("Image_01L.jpg", "Image_01R.jpg"), paths("Image_01L_1st.png", "Image_01R_1st.png")),
        (paths("1.2.55.1", "1.2.55.2"), paths("1.2.55.1.png", "1.2.55.2.png")),  # named by UIDs
        (paths("ä 1.jpg", "ä 10.jpg"), paths("ä 1 vessels.png", "ä 10 vessels.png")),
    ],
)
def test_common_names_are_paired_without_asking(photographs: list[Path], masks: list[Path]) -> None:
    found = match_masks(photographs, masks, suggest_patterns(photographs, masks))
    assert found.pairs == dict(zip(photographs, masks, strict=True))
    assert not found.photographs_left
    assert not found.masks_left


def test_what_has_no_partner_or_two_is_shown_and_not_paired() -> None:
    photographs = paths("1.jpg", "2.jpg", "3.jpg")
    masks = paths("1_mask.png", "x/2_mask.png", "y/2_mask.png", "4_mask.png")
    found = match_masks(photographs, masks, NamePatterns(mask="{key}_mask"))
    assert found.pairs == {photographs[0]: masks[0]}
    assert found.photographs_left == photographs[1:]
    assert found.masks_left == masks[1:]
    assert found.ambiguous == ["2"]


def test_a_pattern_without_a_key_is_explained() -> None:
    with pytest.raises(UserError) as caught:
        match_masks([], [], NamePatterns(photograph="*"))
    assert "{key}" in caught.value.hint


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, NDArray[np.bool_]]:
    """A photograph, and its vessels."""
    path = tmp_path / "a.png"
    Image.fromarray(shrunk("chase_14L.jpg", 500)).save(path)
    return path, shrunk("chase_14L_vessels.png", 500, "L") > 90


@pytest.mark.parametrize("kind", ["0/255", "0/1", "1 bit", "palette", "16 bit", "gif", "rgba"])
def test_masks_of_all_kinds_are_read_alike(
    pair: tuple[Path, NDArray[np.bool_]], tmp_path: Path, kind: str
) -> None:
    photograph, vessels = pair
    path = tmp_path / ("m.gif" if kind == "gif" else "m.png")
    white = Image.fromarray(np.where(vessels, 255, 0).astype(np.uint8))
    pictures = {
        "0/255": white,
        "0/1": Image.fromarray(vessels.astype(np.uint8)),
        "1 bit": white.convert("1"),
        "palette": white.convert("P"),
        "16 bit": Image.fromarray(vessels.astype(np.uint16) * 40000),
        "gif": white,
        "rgba": white.convert("RGBA"),
    }
    pictures[kind].save(path)
    np.testing.assert_array_equal(read_vessel_mask(path), vessels)
    assert looks_like_a_mask(path)
    check = check_mask(photograph, path)
    assert not check.inverted
    assert 0.03 < check.share < 0.2


@pytest.mark.parametrize("surround", [0, 255])
def test_dark_vessels_are_noticed_whatever_surrounds_the_field(
    pair: tuple[Path, NDArray[np.bool_]], tmp_path: Path, surround: int
) -> None:
    photograph, vessels = pair
    inverted = np.where(vessels, 0, 255).astype(np.uint8)
    inverted[:, :8] = surround
    path = tmp_path / "m.png"
    Image.fromarray(inverted).save(path)
    check = check_mask(photograph, path)
    assert check.inverted
    found = read_vessel_mask(path, inverted=True)
    np.testing.assert_array_equal(found[:, 8:], vessels[:, 8:])


def test_what_cannot_be_vessels_is_refused_in_words(
    pair: tuple[Path, NDArray[np.bool_]], tmp_path: Path, samples: Path
) -> None:
    photograph, vessels = pair
    path = tmp_path / "m.png"

    def refused(pixels: NDArray[np.uint8], complaint: str) -> None:
        Image.fromarray(pixels).save(path)
        with pytest.raises(UserError, match=complaint):
            check_mask(photograph, path)

    white = np.where(vessels, 255, 0).astype(np.uint8)
    refused(white[1:], "has 500 x 479 pixels")
    refused(np.zeros_like(white), "is empty")
    refused(shrunk("chase_14L_fov.png", 500, "L"), "cannot be vessels: they would cover")
    disc = np.zeros_like(white)
    disc[200:300, 200:320] = 255
    refused(disc, "wide areas instead of lines")
    refused(shrunk("chase_14L.jpg", 500, "L"), "is no mask")
    path.write_bytes(b"")
    with pytest.raises(UserError, match="cannot be read"):
        check_mask(photograph, path)
    assert not looks_like_a_mask(path)
    assert not looks_like_a_mask(samples / "chase_14L.jpg")
