"""The cache: what is read back is what was decoded, and it follows the data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import sha256_of
from retina_viewer.finetuning.plan import PlannedPhotograph
from retina_viewer.finetuning.tuning_data import own, replayed
from retina_viewer.imaging.colour import to_8bit_depth
from retina_viewer.quality.datasets import read_mask
from retina_viewer.training.cache import open_cache
from studies.data_folders import find_photographs
from tests.finetuning.tiny_clinic import clinic


def test_photographs_and_masks_come_back(data_folder: Path, tmp_path: Path) -> None:
    photographs = find_photographs(data_folder)
    cache = open_cache(photographs, tmp_path / "c", diameter=10_000, with_vessels=True)
    assert len(cache) == 2
    for number, photograph in enumerate(photographs):
        cached = cache[number]
        np.testing.assert_array_equal(cached.rgb, photograph.read_rgb())
        assert photograph.fov is not None
        assert photograph.vessels is not None
        np.testing.assert_array_equal(cached.field > 0, read_mask(photograph.fov))
        assert cached.vessels is not None
        np.testing.assert_array_equal(cached.vessels > 0, read_mask(photograph.vessels))
        assert cached.patient == photograph.patient


def test_large_photographs_are_shrunk_to_the_diameter(data_folder: Path, tmp_path: Path) -> None:
    photographs = find_photographs(data_folder)
    cached = open_cache(photographs, tmp_path / "c", diameter=150, with_vessels=True)[0]
    across = np.flatnonzero(cached.field.any(axis=0))
    assert cached.diameter == pytest.approx(150)
    assert across[-1] - across[0] + 1 == pytest.approx(150, abs=5)
    assert set(np.unique(cached.field)) == {0, 255}


def test_the_cache_is_built_once_and_again_for_other_data(
    data_folder: Path, tmp_path: Path
) -> None:
    photographs = find_photographs(data_folder)
    folder = tmp_path / "c"
    open_cache(photographs, folder, diameter=150, with_vessels=False)
    first = (folder / "pixels.bin").stat().st_mtime_ns
    open_cache(photographs, folder, diameter=150, with_vessels=False)
    assert (folder / "pixels.bin").stat().st_mtime_ns == first
    assert len(open_cache(photographs[:1], folder, diameter=150, with_vessels=False)) == 1


def test_a_mask_of_another_size_is_refused(own_data_folder: Path, tmp_path: Path) -> None:
    vessels = own_data_folder / "CHASE_DB1" / "1stHO" / "Image_01L_1stHO.png"

    with Image.open(vessels) as picture:
        picture.crop((0, 0, 50, 50)).save(vessels)
    with pytest.raises(UserError, match=r"CHASE_DB1/01L.*differ in size"):
        open_cache(
            find_photographs(own_data_folder), tmp_path / "c", diameter=150, with_vessels=True
        )
    assert not (tmp_path / "c" / "index.json").exists()


def test_a_photograph_without_vessels_cannot_train_vessels(
    own_data_folder: Path, tmp_path: Path
) -> None:
    (own_data_folder / "CHASE_DB1" / "1stHO" / "Image_01L_1stHO.png").unlink()
    with pytest.raises(UserError, match="no vessel mask"):
        open_cache(
            find_photographs(own_data_folder), tmp_path / "c", diameter=150, with_vessels=True
        )


def test_each_data_set_has_its_share_of_what_is_drawn(data_folder: Path, tmp_path: Path) -> None:
    first, second = find_photographs(data_folder)
    photographs = [replace(first, dataset="own"), replace(second, dataset="replay")]
    shares = {"own": 0.8, "replay": 0.2}
    cache = open_cache(photographs, tmp_path / "c", diameter=150, with_vessels=False, shares=shares)
    rng = np.random.default_rng(0)
    drawn = [cache.draw(rng).dataset for _ in range(1000)]
    assert 770 < drawn.count("own") < 830
    cache = open_cache(
        photographs,
        tmp_path / "c",
        diameter=150,
        with_vessels=False,
        shares={"own": 1, "replay": 0},
    )
    assert {cache.draw(rng).dataset for _ in range(50)} == {"own"}


@pytest.mark.parametrize("kind", ["photograph", "mask"])
def test_own_photographs_are_read_upright_and_checked(tmp_path: Path, kind: str) -> None:
    path = clinic(tmp_path)[0]
    mask = path.with_name(f"{path.stem}_mask.png")
    planned = PlannedPhotograph(
        path=path, sha256=sha256_of(path), group="g", subset="train",
        mask=mask, mask_sha256=sha256_of(mask), mask_inverted=True,
    )  # fmt: skip
    (photograph,) = own([planned])
    cached = open_cache([photograph], tmp_path / "c", diameter=150, with_vessels=True)[0]
    assert cached.vessels is not None
    assert cached.vessels.mean() > 128  # read as inverted
    path.rename(tmp_path / "elsewhere.png")  # found again by its hash alone
    assert len(open_cache([photograph], tmp_path / "c", diameter=150, with_vessels=True)) == 1
    (tmp_path / "elsewhere.png").rename(path)
    changed = path if kind == "photograph" else mask
    Image.fromarray(np.zeros((300, 317, 3), np.uint8) + 9).save(changed)
    with pytest.raises(UserError, match=r"has changed|is empty"):
        open_cache([photograph], tmp_path / "d", diameter=150, with_vessels=True)


def test_sixteen_bits_become_eight_by_rounding() -> None:
    values = np.array([[[0, 128, 129]], [[257, 65535, 65406]]], np.uint16)
    np.testing.assert_array_equal(to_8bit_depth(values), [[[0, 0, 1]], [[1, 255, 254]]])


def test_replayed_photographs_are_none_of_those_that_show_forgetting(samples: Path) -> None:
    found = replayed(with_vessels=False)
    assert len(found) == 8
    assert len(replayed(with_vessels=True)) == 5
    shown = {path.stem for path in samples.glob("*.*")}
    assert not shown & {photograph.id for photograph in found}
    for photograph in replayed(with_vessels=True):
        assert photograph.read_vessels().shape == photograph.read_rgb().shape[:2]


@pytest.mark.parametrize(
    "damage",
    ["cut index", "empty index", "nested index", "list", "wrong types", "no pixels", "cut pixels"],
)
def test_a_damaged_cache_is_built_anew(data_folder: Path, tmp_path: Path, damage: str) -> None:
    photographs = find_photographs(data_folder)
    whole = open_cache(photographs, tmp_path, diameter=150, with_vessels=False)[1].rgb.copy()
    index, pixels = tmp_path / "index.json", tmp_path / "pixels.bin"
    match damage:
        case "cut index":
            index.write_bytes(index.read_bytes()[:-20])
        case "empty index":
            index.write_bytes(b"")
        case "nested index":
            index.write_text("[" * 100_000)
        case "list":
            index.write_text("[]")
        case "wrong types":
            index.write_text(index.read_text().replace('"offset":0', '"offset":-7'))
        case "no pixels":
            pixels.unlink()
        case _:
            pixels.write_bytes(pixels.read_bytes()[:1000])
    cache = open_cache(photographs, tmp_path, diameter=150, with_vessels=False)
    np.testing.assert_array_equal(cache[1].rgb, whole)
