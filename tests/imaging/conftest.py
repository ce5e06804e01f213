"""Crops of the bundled photographs, small enough for many tests; profiles."""

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from tests.imaging.profiles import icc_profile


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


@pytest.fixture(scope="session")
def grey_profile() -> bytes:
    """A profile of grey whose curve is linear."""
    curve = struct.pack(">4s4xI", b"curv", 0)
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    name = struct.pack(">4s4xI", b"desc", 7) + b"linear\0" + bytes(78)
    return icc_profile(b"GRAY", {b"desc": name, b"wtpt": white, b"kTRC": curve})
