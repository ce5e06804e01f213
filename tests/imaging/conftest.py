"""Crops of the bundled photographs, small enough for many tests."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms


@pytest.fixture(scope="session")
def crop(samples: Path) -> NDArray[np.uint8]:
    """The optic disc and its vessels: ``(60, 80, 3)`` uint8, no side a multiple of the other."""
    with Image.open(samples / "chase_14L.jpg") as image:
        return np.asarray(image.convert("RGB"))[430:490, 400:480].copy()


@pytest.fixture(scope="session")
def deep_crop(crop: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The same with 16 bits, whose lower bytes hold something too."""
    low = np.random.default_rng(1).integers(0, 256, crop.shape)
    return (crop.astype(np.uint16) * 256 + low).astype(np.uint16)


@pytest.fixture(scope="session")
def wide_gamut_profile() -> bytes:
    """An RGB profile that is not sRGB: red and blue exchanged, so that nobody can overlook it."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert srgb.count(b"rXYZ") == 1
    assert srgb.count(b"bXYZ") == 1
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    return swapped.replace("sRGB".encode("utf-16-be"), "BGRs".encode("utf-16-be"))
