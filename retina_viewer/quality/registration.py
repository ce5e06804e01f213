"""Whether a larger photograph shows the same scene as a smaller one, pixel on pixel."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.quality.metrics import Bytes, luminance_full

LEAST_LIKENESS = 0.6
"""Correlation of fine structure: the same scene with noise reaches 0.9, another eye 0.1."""
MOST_SHIFT = 0.5
"""Source pixels: beyond, the figures would measure the shift."""
_DETAIL = 4.0
"""Source pixels: structure up to this size is compared; every retina is round and bright."""


def check_same_scene(image: FundusImage, reference: FundusImage, scale: int) -> None:
    """Refuse what does not lie pixel on pixel.

    Raises:
        UserError: another scene, or the same one shifted by more than half a source pixel.
    """
    likeness, shift = registration(image, reference, scale)
    far = float(np.hypot(*shift))
    if likeness >= LEAST_LIKENESS and far <= MOST_SHIFT:
        return
    if MOST_SHIFT < far < 32 and _likeness_moved(image, reference, scale, shift) >= LEAST_LIKENESS:
        across, down = shift
        raise UserError(
            f"{reference.name} shows the same scene, but shifted by {across:+.1f} × {down:+.1f} "
            "pixels of the photograph.",
            "Every figure would measure the shift. Register the two first.",
        )
    raise UserError(
        f"{reference.name} does not show the same scene, or not in the same place.",
        "A reference must lie over the photograph pixel on pixel.",
    )


def registration(
    image: FundusImage, reference: FundusImage, scale: int
) -> tuple[float, tuple[float, float]]:
    """How alike fine structure is, and how far it is shifted.

    Returns:
        Correlation, -1 to 1, and (x, y) in source pixels.
    """
    one, two = _detail(image.display_rgb), _shrunk_detail(image, reference, scale)
    return _correlation(one, two), _shift(one, two)


def _shift(one: NDArray[np.float32], two: NDArray[np.float32]) -> tuple[float, float]:
    """How far ``two`` lies to the right of ``one`` and below it, where both match best.

    Not phase correlation: of small smooth photographs its peak is off by half a pixel.
    """
    height, width = one.shape
    window = np.outer(np.hanning(height), np.hanning(width))
    spectrum = np.conj(np.fft.rfft2(one * window)) * np.fft.rfft2(two * window)
    match = np.fft.irfft2(spectrum, s=(height, width))
    y, x = (int(place) for place in np.unravel_index(int(np.argmax(match)), match.shape))
    across = _peak([float(match[y, (x + step) % width]) for step in (-1, 0, 1)])
    down = _peak([float(match[(y + step) % height, x]) for step in (-1, 0, 1)])
    whole_x = x - width if x > width // 2 else x
    whole_y = y - height if y > height // 2 else y
    return whole_x + across, whole_y + down


def _peak(values: Sequence[float]) -> float:
    """Where the parabola through three neighbours has its top, from the middle one."""
    left, middle, right = values
    bend = left - 2 * middle + right
    return 0.0 if bend == 0 else 0.5 * (left - right) / bend


def _likeness_moved(
    image: FundusImage, reference: FundusImage, scale: int, shift: tuple[float, float]
) -> float:
    one, two = _detail(image.display_rgb), _shrunk_detail(image, reference, scale)
    across, down = (round(part) for part in shift)
    back = np.roll(two, (-down, -across), axis=(0, 1))
    rim = 1 + max(abs(across), abs(down))
    inner = (slice(rim, -rim), slice(rim, -rim))
    return _correlation(one[inner], back[inner])


def _shrunk_detail(image: FundusImage, reference: FundusImage, scale: int) -> NDArray[np.float32]:
    rgb = reference.display_rgb[: image.height * scale, : image.width * scale]
    if scale > 1:
        size = (image.width, image.height)
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return _detail(rgb)


def _detail(rgb8: Bytes) -> NDArray[np.float32]:
    """Luminance without what is larger than vessels, its contrast limited: the hard rim of the
    field of view would outweigh all vessels together."""
    plane = luminance_full(rgb8).astype(np.float32)
    fine = cv2.GaussianBlur(plane, (0, 0), 1.0) - cv2.GaussianBlur(plane, (0, 0), _DETAIL)
    spread = float(np.median(np.abs(fine[plane > 24]))) if (plane > 24).any() else 1.0
    limit = max(3 * spread, 0.5)
    return np.asarray(np.clip(fine, -limit, limit), np.float32)


def _correlation(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    a, b = one - one.mean(), two - two.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else 0.0
