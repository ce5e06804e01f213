"""A small real photograph for the tests of enlargement."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.superres.truths import Truths, halved


@pytest.fixture(scope="session")
def photograph(samples: Path) -> NDArray[np.uint8]:
    """48 x 64 pixels of a fundus photograph, around vessels: ``(48, 64, 3)`` uint8."""
    with Image.open(samples / "chase_14L.jpg") as image:
        pixels = np.asarray(image.convert("RGB"))
    return pixels[420:468, 380:444].copy()


@pytest.fixture(scope="session")
def truths(samples: Path) -> Truths:
    """Two photographs of different cameras around vessels, sharp: ``(128, 160, 3)`` uint8."""
    found = []
    for name, (x, y), factor in (
        ("hrf_08_h.jpg", (1200, 900), 4),
        ("chase_14L.jpg", (330, 330), 2),
    ):
        with Image.open(samples / name) as image:
            box = (x, y, x + 160 * factor, y + 128 * factor)
            found.append(halved(np.asarray(image.convert("RGB").crop(box)), factor))
    return found[0], found[1]
