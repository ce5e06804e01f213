"""The cache: what is read back is what was decoded, and it follows the data."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.evaluation.datasets import find_photographs, read_mask
from retina_viewer.training.cache import open_cache


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
