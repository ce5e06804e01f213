"""Data folders in the public sets' shape, made of the bundled photographs: fixtures."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

_BOX = (380, 380, 572, 540)  # 192 x 160 pixels around vessels


@pytest.fixture(scope="session")
def data(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CHASE_DB1: 01L, 01R, 09L, 11L and 12R; DRIVE: 01 (test), 21 (training); HRF, FIVES, IDRiD.

    CHASE and DRIVE photographs are different crops of one photograph, each with its vessels and a
    field of view that is the whole crop; the others are tiny.
    """
    root = tmp_path_factory.mktemp("data")
    photograph = Image.open(samples / "chase_14L.jpg").convert("RGB")
    vessels = Image.open(samples / "chase_14L_vessels.png").convert("L")
    places = {"01L": 0, "01R": 20, "09L": 40, "11L": 60, "12R": 80}
    for eye, shift in places.items():
        box = (_BOX[0] + shift, _BOX[1], _BOX[2] + shift, _BOX[3])
        _save(photograph.crop(box), root / f"CHASE_DB1/images/Image_{eye}.png")
        _save(vessels.crop(box), root / f"CHASE_DB1/1stHO/Image_{eye}_1stHO.png")
        _save(vessels.crop(box).convert("1"), root / f"CHASE_DB1/2ndHO/Image_{eye}_2ndHO.png")
        _save(Image.new("L", photograph.crop(box).size, 255), root / _chase_mask(eye))
    for number, part in (("01", "test"), ("21", "training")):
        folder = root / "DRIVE" / part
        _save(photograph.crop(_BOX), folder / f"images/{number}_{part}.tif")
        _save(vessels.crop(_BOX), folder / f"1st_manual/{number}_manual1.gif")
        _save(Image.new("L", (192, 160), 255), folder / f"mask/{number}_{part}_mask.gif")
    tiny = photograph.crop((400, 400, 440, 432))
    for name in ("HRF/images/07_g.jpg", "HRF/images/08_dr.jpg", "FIVES/images/9_A.png"):
        _save(tiny, root / name)
    for name in ("FIVES/images/27_A.png", "FIVES/images/28_A.png", "IDRiD/images/IDRiD_03.jpg"):
        _save(tiny, root / name)
    _save(tiny.convert("1"), root / "IDRiD/lesions/MA/IDRiD_03_MA.png")
    (root / "IDRiD/images/notes.txt").write_text("not a photograph")
    return root


def _chase_mask(eye: str) -> str:
    return f"CHASE_DB1/fov_masks/mask_{eye}.png"


def _save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture(scope="session")
def data_folder(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CHASE_DB1 with two children (01 trains, 09 validates), a third of the true size.

    Both are the same bundled photograph, mirrored: enough to see that training runs and goes on,
    and never a measure of quality.
    """
    root = tmp_path_factory.mktemp("data") / "CHASE_DB1"
    for folder in ("images", "fov_masks", "1stHO"):
        (root / folder).mkdir(parents=True)
    parts = {
        "images/Image_{}.jpg": "chase_14L.jpg",
        "fov_masks/mask_{}.png": "chase_14L_fov.png",
        "1stHO/Image_{}_1stHO.png": "chase_14L_vessels.png",
    }
    for name, sample in parts.items():
        with Image.open(samples / sample) as picture:
            mode = "RGB" if name.startswith("images") else "L"
            pixels = np.asarray(picture.convert(mode))
        small = cv2.resize(pixels, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA)
        if mode == "L":
            small = np.where(np.asarray(small) > 100, 255, 0).astype(np.uint8)
        Image.fromarray(small).save(root / name.format("01L"))
        Image.fromarray(np.ascontiguousarray(small[:, ::-1])).save(root / name.format("09L"))
    return root.parent


@pytest.fixture
def own_data_folder(data_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(data_folder, tmp_path / "own-data"))
