"""Random patches from cached photographs: where they lie, how they are turned."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.training.cache import CachedPhotograph, PhotographCache, as_unit

_INSIDE = 0.6  # least share of a patch inside the field of view
_TRIES = 20


@dataclass(frozen=True)
class PatchSource:
    """Draws high-resolution patches.

    Args:
        cache: the photographs.
        diameters: the field of view of a drawn photograph is shrunk to a diameter in this range,
            px, uniform in its logarithm: small enough that the patch is sharp, varied enough that
            vessels of all calibres occur.
    """

    cache: PhotographCache
    diameters: tuple[float, float]

    def draw(self, side: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """``(side, side, 3)`` float32 in [0, 1], one of the eight flips and rotations."""
        photograph = self.cache[int(rng.integers(len(self.cache)))]
        low, high = self.diameters
        diameter = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        factor = min(1.0, diameter / photograph.diameter)
        window = min(round(side / factor), *photograph.rgb.shape[:2])
        y, x = _place(photograph, window, rng)
        patch = np.ascontiguousarray(photograph.rgb[y : y + window, x : x + window])
        if window != side:
            patch = cv2.resize(patch, (side, side), interpolation=cv2.INTER_AREA).astype(np.uint8)
        patch = np.rot90(patch, int(rng.integers(4)))
        if rng.random() < 0.5:
            patch = patch[:, ::-1]
        return as_unit(np.ascontiguousarray(patch))


def _place(photograph: CachedPhotograph, window: int, rng: np.random.Generator) -> tuple[int, int]:
    """A corner whose window lies mostly inside the field; the last try where none does."""
    height, width = photograph.field.shape
    y = x = 0
    for _ in range(_TRIES):
        y = int(rng.integers(height - window + 1))
        x = int(rng.integers(width - window + 1))
        # Every eighth pixel is enough to tell.
        if photograph.field[y : y + window : 8, x : x + window : 8].mean() >= _INSIDE * 255:
            break
    return y, x
