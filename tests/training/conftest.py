"""A tiny data folder in the public sets' shape, made of the bundled samples."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image


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


@pytest.fixture(autouse=True)
def _one_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timed choice of precision may differ between two trainings that a test compares."""
    monkeypatch.setattr(
        "retina_viewer.training.loop.fastest_precision", lambda device: torch.float32
    )
