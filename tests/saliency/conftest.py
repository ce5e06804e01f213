"""One real photograph, its field of view, and a crop of it around vessels."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor


@pytest.fixture(scope="session")
def photograph(samples: Path) -> NDArray[np.uint8]:
    """``(480, 500, 3)`` uint8: a photograph at half size."""
    with Image.open(samples / "chase_14L.jpg") as image:
        return np.asarray(image.convert("RGB").resize((500, 480), Image.Resampling.BOX))


@pytest.fixture(scope="session")
def mask(samples: Path) -> NDArray[np.bool_]:
    """Its field of view, ``(480, 500)`` bool."""
    with Image.open(samples / "chase_14L_fov.png") as image:
        return np.asarray(image.convert("L").resize((500, 480), Image.Resampling.NEAREST)) > 127


@pytest.fixture(scope="session")
def crop(samples: Path) -> Tensor:
    """``(1, 1, 160, 192)`` float64 luminance of the photograph at full size, stretched."""
    with Image.open(samples / "chase_14L.jpg") as image:
        grey = np.asarray(image.convert("L"), dtype=np.float64)[400:560, 300:492]
    low, high = np.percentile(grey, [1, 99])
    stretched: NDArray[np.float64] = np.clip((grey - low) / (high - low), 0, 1)
    return torch.from_numpy(stretched)[None, None]
