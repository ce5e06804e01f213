"""Random patches from cached photographs: where they lie, how they are turned."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.degradation import Degradation, Kernel, degrade, sampling_blur, to_8bit
from retina_viewer.training.cache import CachedPhotograph, PhotographCache, as_unit
from retina_viewer.training.recipe import ColourGain, DegradationRange, Grain, Sharpening

Floats = NDArray[np.float32]
_INSIDE = 0.6  # least share of a patch inside the field of view
_TRIES = 20


@dataclass(frozen=True)
class PatchSource:
    """Draws high-resolution patches, some of them with other colours, sharpened, or with grain.

    Args:
        diameters: the field of view of a drawn photograph is shrunk to a diameter in this range,
            px, uniform in its logarithm: small enough that the patch is sharp, varied enough that
            vessels of all calibres occur.
    """

    cache: PhotographCache
    diameters: tuple[float, float]
    grain: Grain = field(default_factory=Grain)
    sharpening: Sharpening = field(default_factory=Sharpening)
    colour: ColourGain = field(default_factory=ColourGain)

    def draw(self, side: int, rng: np.random.Generator) -> Floats:
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


def with_gains(rgb: Floats, colour: ColourGain, rng: np.random.Generator) -> Floats:
    """``(H, W, 3)`` float32 in [0, 1], its channels brighter or darker."""
    if not colour.gain:
        return rgb
    gains = 1 + rng.uniform(-colour.gain, colour.gain, 3).astype(np.float32)
    return np.asarray(np.clip(rgb * gains, 0, 1), dtype=np.float32)


def sharpened(rgb: Floats, sharpening: Sharpening, rng: np.random.Generator) -> Floats:
    """``(H, W, 3)`` float32 in [0, 1], sometimes after unsharp masking."""
    if not sharpening.probability or rng.random() >= sharpening.probability:
        return rgb
    soft = cv2.GaussianBlur(rgb, (0, 0), float(rng.uniform(*sharpening.sigma)))
    amount = np.float32(rng.uniform(*sharpening.amount))
    return np.asarray(np.clip(rgb + amount * (rgb - soft), 0, 1), dtype=np.float32)


def with_grain(rgb: Floats, grain: Grain, rng: np.random.Generator) -> Floats:
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


def random_low_resolution(
    rgb: Floats, scale: int, ranges: DegradationRange, rng: np.random.Generator
) -> tuple[Floats, Degradation]:
    """Shrink a patch by ``scale`` with a random kernel, then perhaps noise and JPEG; 8 bits deep.

    Args:
        rgb: ``(H, W, 3)`` float32 in [0, 1], H and W multiples of ``scale``.

    Returns:
        ``(H / scale, W / scale, 3)`` float32 in [0, 1], on the grid of 8 bits; and the kernel's
        blur with the noise that this patch really got.
    """
    weights = np.array([ranges.gaussian, ranges.bicubic, ranges.area])
    kinds: tuple[Kernel, ...] = ("gaussian", "bicubic", "area")
    kernel = kinds[int(rng.choice(3, p=weights / weights.sum()))]
    sigma = scale * float(rng.uniform(*ranges.sigma)) if kernel == "gaussian" else None
    low = clean = degrade(rgb, scale, kernel, sigma)
    if rng.random() < ranges.noise_probability:
        level = float(rng.uniform(*ranges.noise_levels)) / 255
        low = low + np.float32(level) * unit_noise(low.shape, ranges.noise_blur, rng)
    low8 = to_8bit(low)
    if rng.random() < ranges.jpeg_probability:
        low8 = jpeg_round_trip(low8, int(rng.integers(*ranges.jpeg_quality, endpoint=True)))
    given = as_unit(low8)
    noise = 255 * float(np.sqrt(np.mean((given - clean) ** 2)))
    return given, Degradation(sampling_blur(kernel, scale, sigma), noise)


def unit_noise(
    shape: tuple[int, ...], blur: tuple[float, float], rng: np.random.Generator
) -> Floats:
    """Gaussian noise of deviation 1, blurred by a sigma (px) in this range, as demosaicing does."""
    noise = rng.normal(0, 1, shape).astype(np.float32)
    sigma = float(rng.uniform(*blur)) if blur[1] > 0 else 0.0
    if sigma > 0.2:  # a narrower Gaussian changes nothing
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigma), dtype=np.float32)
        noise /= noise.std()
    return noise


def jpeg_round_trip(rgb8: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """What a JPEG file of this quality gives back; ``(H, W, 3)`` uint8 RGB."""
    _, code = cv2.imencode(".jpg", rgb8[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), dtype=np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])
