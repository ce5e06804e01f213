"""Random degradation: what makes low-resolution patches look like those of many cameras."""

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.degradation import Degradation, Kernel, degrade, sampling_blur, to_8bit
from retina_viewer.training.cache import as_unit
from retina_viewer.training.recipe import DegradationRange

Floats = NDArray[np.float32]


def random_low_resolution(
    rgb: Floats, scale: int, ranges: DegradationRange, rng: np.random.Generator
) -> tuple[Floats, Degradation]:
    """Shrink a patch by ``scale`` with a random kernel, then perhaps noise and JPEG; 8 bits deep.

    Args:
        rgb: ``(H, W, 3)`` float32 in [0, 1], H and W multiples of ``scale``.
        scale: 2, 4, 8 or 16.
        ranges: the recipe's ranges.
        rng: decides everything.

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
