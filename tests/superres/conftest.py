"""A small real photograph for the tests of enlargement."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image


@pytest.fixture(scope="session")
def photograph(samples: Path) -> NDArray[np.uint8]:
    """48 x 64 pixels of a fundus photograph, around vessels: ``(48, 64, 3)`` uint8."""
    with Image.open(samples / "chase_14L.jpg") as image:
        pixels = np.asarray(image.convert("RGB"))
    return pixels[420:468, 380:444].copy()
