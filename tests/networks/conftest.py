"""What the tests of networks are given."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image


@pytest.fixture
def crop(sample_path: Callable[[str], Path]) -> torch.Tensor:
    """(1, 3, 64, 64) of a real photograph, vessels near the disc."""
    with Image.open(sample_path("chase_14L.jpg")) as picture:
        rgb = np.asarray(picture.convert("RGB"), dtype=np.float32)[400:464, 500:564] / 255
    return torch.from_numpy(rgb).permute(2, 0, 1)[None]
