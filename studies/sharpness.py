"""S3, perceived sharpness without a reference: Vu, Phan and Chandler 2012, IEEE TIP 21(3).

Says how sharp a result looks, not whether its detail is true: read it as a ratio to the original,
and take anything above 1.1 of it for noise or invention.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from retina_viewer.networks.devices import resolve_device
from retina_viewer.quality.lpips import LPIPSReference, fastest_lpips
from retina_viewer.quality.metrics import Mask, luminance_full
from retina_viewer.quality.protocols import Truth

Plane = NDArray[np.float32]
_BLOCK = 32
_STEP = 8
_PAD = 16
_ANGLES = 64
_TOP_SHARE = 0.01


class Perceptual:
    """LPIPS, and S3 as a ratio to the truth's.

    What is computed of the truth alone is kept until another truth comes, so measure all results
    of one truth one after the other.
    """

    def __init__(self, device: str = "auto") -> None:
        self._network = fastest_lpips(resolve_device(device))
        self._truth: NDArray[np.uint8] | None = None

    def measure(self, truth: Truth, result: NDArray[np.uint8], mask: Mask) -> dict[str, float]:
        """Both, inside the eroded mask, and over the whole image as ``lpips_whole`` and
        ``s3_ratio_whole``.

        S3 is taken of full-range luminance; its ratio is 0 where the truth has nothing sharp.
        """
        if self._truth is not truth.rgb8:
            self._truth = truth.rgb8
            self._reference = LPIPSReference(self._network, truth.rgb8)
            self._blocks = sharpness_map(luminance_full(truth.rgb8))
        own = sharpness_map(luminance_full(result))
        distances = self._reference.distances(result, np.ones(mask.shape, bool))
        return {
            "lpips": float(distances[mask].mean(dtype=np.float64)),
            "lpips_whole": float(distances.mean(dtype=np.float64)),
            "s3_ratio": _ratio(own, self._blocks, mask),
            "s3_ratio_whole": _ratio(own, self._blocks, None),
        }


def _ratio(own: Plane, truth: Plane, mask: Mask | None) -> float:
    sharp = mean_of_sharpest(truth, mask)
    return mean_of_sharpest(own, mask) / sharp if sharp > 0 else 0.0


def sharpness_map(grey: NDArray[np.generic]) -> Plane:
    """S3 of every 8x8 block: the geometric mean of spectral and spatial sharpness.

    Args:
        grey: ``(H, W)`` in 0..255, at least 40 pixels a side; cut at the bottom and right to whole
            blocks of 8.

    Returns:
        ``(H // 8, W // 8)`` float32 in [0, 1].
    """
    plane = grey.astype(np.float32)
    height, width = plane.shape[0] // _STEP * _STEP, plane.shape[1] // _STEP * _STEP
    if min(height, width) < 40:
        raise ValueError(f"the image {grey.shape} is too small for blocks of 32 pixels")
    plane = plane[:height, :width]
    product = spectral_sharpness(plane) * spatial_sharpness(plane)
    return np.asarray(np.sqrt(product), np.float32)


def sharpness(grey: NDArray[np.generic], mask: NDArray[np.bool_] | None = None) -> float:
    """The S3 index of ``(H, W)`` in 0..255; see :func:`mean_of_sharpest`."""
    return mean_of_sharpest(sharpness_map(grey), mask)


def mean_of_sharpest(blocks: Plane, mask: NDArray[np.bool_] | None = None) -> float:
    """The S3 index: the mean of the sharpest 1 % of the 8x8 blocks.

    Args:
        blocks: of :func:`sharpness_map`.
        mask: ``(H, W)`` bool, of the image; only blocks that lie in it with all they look at
            count, so that the rim of the field of view does not pass for sharpness.

    Raises:
        ValueError: no block lies inside the mask.
    """
    if mask is None:
        return _mean_of_top(blocks.ravel())
    rows, columns = blocks.shape[0] * _STEP, blocks.shape[1] * _STEP
    padded = np.pad(mask[:rows, :columns], _PAD - _STEP // 2)
    reach = sliding_window_view(padded, (_BLOCK, _BLOCK))[::_STEP, ::_STEP]
    inside = np.asarray(reach.all(axis=(2, 3)))[: blocks.shape[0], : blocks.shape[1]]
    if not inside.any():
        raise ValueError("no block lies inside the mask")
    return _mean_of_top(blocks[inside])


def _mean_of_top(values: Plane) -> float:
    count = max(1, round(_TOP_SHARE * values.size))
    return float(np.sort(values)[-count:].mean())


def spectral_sharpness(plane: Plane) -> Plane:
    """S1: how slowly the amplitude spectrum falls, ``(H, W)`` to ``(H // 8, W // 8)`` in [0, 1].

    For each 8x8 block the 32x32 block around it: the slope -alpha of log amplitude against log
    frequency goes through ``1 - 1 / (1 + exp(-3 (alpha - 2)))``; blocks without contrast give 0.
    """
    # A 32x32 block begins 12 pixels before its central 8x8.
    padded = np.pad(plane, _PAD, mode="symmetric")[_PAD - 12 :, _PAD - 12 :]
    rows, columns = plane.shape[0] // _STEP, plane.shape[1] // _STEP
    windows = sliding_window_view(padded, (_BLOCK, _BLOCK))[::_STEP, ::_STEP][:rows, :columns]
    taper = np.hanning(_BLOCK + 2)[1:-1].astype(np.float32)
    window = taper[:, None] * taper[None, :]
    lively = _have_contrast(padded)[:rows, :columns]
    result = np.zeros((rows, columns), np.float32)
    for row in np.flatnonzero(lively.any(axis=1)):  # a row at a time bounds the memory
        chosen = lively[row]
        result[row, chosen] = _from_slopes(windows[row][chosen] * window)
    return result


def _have_contrast(padded: Plane) -> NDArray[np.bool_]:
    """Whether any 8x8 sub-block of displayed luminance has mean > 2 and range > 5.

    ``(h, w)`` grey -> one value for each 32x32 block at steps of 8.
    """
    luminance = (0.7656 + 0.0364 * padded) ** 2.2
    parts = sliding_window_view(luminance, (8, 8))[::4, ::4]  # what neighbouring blocks share
    mean = parts.mean(axis=(2, 3))
    span = parts.max(axis=(2, 3)) - parts.min(axis=(2, 3))
    found = (mean > 2.0) & (span > 5.0)
    return np.asarray(sliding_window_view(found, (7, 7))[::2, ::2].any(axis=(2, 3)))


def _from_slopes(tapered: Plane) -> Plane:
    amplitude = np.abs(np.fft.fft2(tapered)).reshape(len(tapered), -1).astype(np.float32)
    radial = amplitude @ _polar_mean().T
    frequency = np.log(np.arange(1, _BLOCK // 2 + 1, dtype=np.float32) / _BLOCK)
    centred = frequency - frequency.mean()
    level = np.log(np.maximum(radial, np.float32(1e-6)))
    alpha = -(level @ centred) / np.float32((centred * centred).sum())
    return np.asarray(1.0 - 1.0 / (1.0 + np.exp(-3.0 * (alpha - 2.0))), np.float32)


@lru_cache(maxsize=1)
def _polar_mean() -> Plane:
    """Mean over the circle of radius 1..16, bilinear, as a matrix ``(16, 1024)`` on spectra."""
    weights = np.zeros((_BLOCK // 2, _BLOCK, _BLOCK), np.float32)
    angles = np.arange(_ANGLES) * np.pi / _ANGLES  # half a circle: spectra are symmetric
    for radius in range(1, _BLOCK // 2 + 1):
        y, x = radius * np.sin(angles), radius * np.cos(angles)
        top, left = np.floor(y).astype(int), np.floor(x).astype(int)
        for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
            share = np.abs(1 - dy - (y - top)) * np.abs(1 - dx - (x - left)) / _ANGLES
            np.add.at(weights[radius - 1], ((top + dy) % _BLOCK, (left + dx) % _BLOCK), share)
    return weights.reshape(_BLOCK // 2, -1)


def spatial_sharpness(plane: Plane) -> Plane:
    """S2: the largest local contrast, ``(H, W)`` to ``(H // 8, W // 8)`` in [0, 1].

    The total variation of a 2x2 window is the sum of its six absolute differences over 255, a
    quarter of it counts; the largest in each 8x8 block, on a grid at 0 and one at 4.
    """
    a, b, c, d = plane[:-1, :-1], plane[:-1, 1:], plane[1:, :-1], plane[1:, 1:]
    pairs = ((a, b), (c, d), (a, c), (b, d), (a, d), (b, c))
    variation = sum((np.abs(p - q) for p, q in pairs), np.zeros_like(a)) / np.float32(255 * 4)
    first = _largest_in_blocks(variation)
    shifted = _largest_in_blocks(variation[4:, 4:])
    result = first.copy()
    # Each block of the grid at 4 covers a quarter of four blocks of the first.
    rows, columns = shifted.shape
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
        part = result[dy : dy + rows, dx : dx + columns]
        np.maximum(part, shifted[: part.shape[0], : part.shape[1]], out=part)
    return result


def _largest_in_blocks(variation: Plane) -> Plane:
    """The maximum over the 7x7 windows that lie inside each 8x8 block of pixels."""
    return np.asarray(
        sliding_window_view(variation, (7, 7))[::_STEP, ::_STEP].max(axis=(2, 3)), np.float32
    )
