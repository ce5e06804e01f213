"""Random patches from cached photographs: where they lie, how they are turned."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.training.cache import CachedPhotograph, PhotographCache, as_unit
from retina_viewer.training.degradation import unit_noise
from retina_viewer.training.recipe import Colour, Grain, Sharpening

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
        grain: noise that is added to some patches.
        sharpening: unsharp masking of some patches.
        colour: gains of the channels.
    """

    cache: PhotographCache
    diameters: tuple[float, float]
    grain: Grain = field(default_factory=Grain)
    sharpening: Sharpening = field(default_factory=Sharpening)
    colour: Colour = field(default_factory=Colour)

    def draw(self, side: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """``(side, side, 3)`` float32 in [0, 1], one of the eight flips and rotations."""
        photograph = self.cache.draw(rng)
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
        tinted = with_gains(as_unit(np.ascontiguousarray(patch)), self.colour, rng)
        crisp = sharpened(tinted, self.sharpening, rng)
        return with_grain(crisp, self.grain, rng)


def with_gains(
    rgb: NDArray[np.float32], colour: Colour, rng: np.random.Generator
) -> NDArray[np.float32]:
    """``(H, W, 3)`` float32 in [0, 1], its channels brighter or darker."""
    if not colour.gain:
        return rgb
    gains = 1 + rng.uniform(-colour.gain, colour.gain, 3).astype(np.float32)
    return np.asarray(np.clip(rgb * gains, 0, 1), dtype=np.float32)


def sharpened(
    rgb: NDArray[np.float32], sharpening: Sharpening, rng: np.random.Generator
) -> NDArray[np.float32]:
    """``(H, W, 3)`` float32 in [0, 1], sometimes after unsharp masking."""
    if not sharpening.probability or rng.random() >= sharpening.probability:
        return rgb
    soft = cv2.GaussianBlur(rgb, (0, 0), float(rng.uniform(*sharpening.sigma)))
    amount = np.float32(rng.uniform(*sharpening.amount))
    return np.asarray(np.clip(rgb + amount * (rgb - soft), 0, 1), dtype=np.float32)


def with_grain(
    rgb: NDArray[np.float32], grain: Grain, rng: np.random.Generator
) -> NDArray[np.float32]:
    """``(H, W, 3)`` float32 in [0, 1], sometimes with noise, as a sensor's after demosaicing."""
    if not grain.probability or rng.random() >= grain.probability:
        return rgb
    noise = unit_noise(rgb.shape, grain.blur, rng)
    level = np.float32(rng.uniform(*grain.levels) / 255)
    return np.asarray(np.clip(rgb + level * noise, 0, 1), dtype=np.float32)


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
