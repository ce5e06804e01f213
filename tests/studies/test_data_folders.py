"""Photographs and labels as they are found and paired in folders."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.quality.datasets import read_mask
from studies.data_folders import find_photographs


def test_every_set_is_found_in_natural_order(data: Path) -> None:
    names = [photograph.name for photograph in find_photographs(data)]
    assert names == [
        *(f"CHASE_DB1/{eye}" for eye in ("01L", "01R", "09L", "11L", "12R")),
        "DRIVE/01",
        "DRIVE/21",
        *(f"FIVES/{name}" for name in ("9_A", "27_A", "28_A")),
        "HRF/07_g",
        "HRF/08_dr",
        "IDRiD/IDRiD_03",
    ]


@pytest.mark.parametrize(
    ("name", "count"), [("CHASE_DB1", 5), ("DRIVE", 2), ("FIVES", 3), ("HRF", 2), ("IDRiD", 1)]
)
def test_one_sets_folder_may_be_given_directly(data: Path, name: str, count: int) -> None:
    found = find_photographs(data / name)
    assert len(found) == count
    assert {photograph.dataset for photograph in found} == {name}


def test_every_label_belongs_to_its_own_photograph(data: Path) -> None:
    for photograph in find_photographs(data / "CHASE_DB1"):
        for label in (photograph.fov, photograph.vessels, photograph.vessels_second):
            assert label is not None and photograph.id in label.stem
        assert photograph.vessels is not None and photograph.vessels_second is not None
        first, second = read_mask(photograph.vessels), read_mask(photograph.vessels_second)
        assert first.any() and not first.all()
        np.testing.assert_array_equal(first, second)  # 8-bit and 1-bit files
        assert photograph.read_rgb().shape == (*first.shape, 3)


def test_both_eyes_are_one_patient(data: Path) -> None:
    patients = {p.id: p.patient for p in find_photographs(data / "CHASE_DB1")}
    assert patients["01L"] == patients["01R"] != patients["11L"]


def test_labels_that_are_missing_are_none(data: Path) -> None:
    by_name = {photograph.name: photograph for photograph in find_photographs(data)}
    lesions = by_name["IDRiD/IDRiD_03"].lesions
    assert list(lesions) == ["MA"] and lesions["MA"].name == "IDRiD_03_MA.png"
    assert by_name["FIVES/9_A"].vessels is None
    assert by_name["DRIVE/21"].vessels_second is None
    assert (by_name["DRIVE/01"].part, by_name["DRIVE/21"].part) == ("test", "training")


def test_other_sets_are_found_by_their_folders(samples: Path, tmp_path: Path) -> None:
    photograph = Image.open(samples / "chase_14L.jpg").crop((0, 0, 40, 32))
    drawn = photograph.convert("1")
    for name in ("stare-images/im0001.ppm", "labels-ah/im0001.ah.ppm", "labels-vk/im0001.vk.ppm"):
        path = tmp_path / "STARE" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        photograph.save(path)
    for name in ("7_L", "7_R", "ward"):
        for folder, picture in (("images", photograph), ("vessels", drawn), ("fov", drawn)):
            path = tmp_path / "clinic" / folder / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path)
    (tmp_path / "notes").mkdir()
    found = {photograph.name: photograph for photograph in find_photographs(tmp_path)}
    assert list(found) == ["STARE/im0001", "clinic/7_L", "clinic/7_R", "clinic/ward"]
    assert [one.patient for one in found.values()] == ["im0001", "7", "7", "ward"]
    assert found["STARE/im0001"].vessels_second is not None
    assert found["clinic/ward"].fov is not None
    alone = find_photographs(tmp_path / "clinic")
    assert [photograph.name for photograph in alone] == list(found)[1:]
    assert alone[0].read_vessels().shape == (32, 40)


def test_no_data_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        find_photographs(tmp_path / "nowhere")
    with pytest.raises(UserError, match="No known photographs"):
        find_photographs(tmp_path)
