"""Saliency Filters, the global map that local saliency is compared with.

Perazzi, Kraehenbuehl, Pritch and Hornung, "Saliency filters: contrast based filtering for salient
region detection", CVPR 2012. The image is cut into superpixels; one is salient whose colour is
rare among its neighbours (uniqueness, eq. 1) and not spread over the image (distribution, eq. 3).
Superpixels: SLIC (Achanta et al. 2012). The exponent's factor is that of the authors' program, 3;
the paper prints 6.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError

Floats = NDArray[np.float32]

SUPERPIXELS = 400
_ROUNDS = 5  # SLIC's own ten change the map by less than one part in a hundred
_COMPACTNESS = 10.0  # Lab units that count as much as one superpixel's spacing
_NEAR = 0.25  # deviation of the neighbourhood in eq. 1, of the larger side
_ALIKE = 20.0  # deviation of like colours in eq. 3, Lab
_SHARPNESS = 3.0
_LIFT = 1.0 / 30.0  # alpha and beta of eq. 7, per square Lab unit and per square pixel
_AROUND = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


@dataclass(frozen=True)
class _Superpixels:
    """Colours ``(n, 3)`` Lab and places ``(n, 2)`` px (row, column); for each of nine neighbours
    of a pixel's place in the grid, the superpixel there, ``(9, H, W)``."""

    colours: Floats
    places: Floats
    candidates: NDArray[np.intp]


def saliency_filters(rgb: NDArray[np.float32], superpixels: int = SUPERPIXELS) -> Floats:
    """The saliency of every pixel. Returns ``(H, W)`` float32 in [0, 1]; zero everywhere for an
    image of one colour. Raises UserError: the image is too small.

    Args:
        rgb: ``(H, W, 3)`` float32 in [0, 1], H and W at least 8.
        superpixels: about how many; no more than a quarter of the pixels are made.
    """
    if min(rgb.shape[:2]) < 8:
        raise UserError("The image is too small for a saliency map.", "It needs 8 x 8 pixels.")
    lab = np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2Lab), dtype=np.float32)
    found = _slic(lab, superpixels)
    places = found.places / max(rgb.shape[:2])
    unique = _unit(_uniqueness(found.colours, places))
    spread = _unit(_distribution(found.colours, places))
    return _unit(_lifted(lab, found, unique * np.exp(-_SHARPNESS * spread)))


def _slic(lab: Floats, count: int) -> _Superpixels:
    """Superpixels that began as a grid; a pixel joins one of the nine of its neighbourhood."""
    height, width = lab.shape[:2]
    spacing = max(2.0, np.sqrt(height * width / count))
    rows, columns = max(1, round(height / spacing)), max(1, round(width / spacing))
    y = np.minimum(np.arange(height) * rows // height, rows - 1)
    x = np.minimum(np.arange(width) * columns // width, columns - 1)
    candidates = np.stack([
        np.clip(y + dy, 0, rows - 1)[:, None] * columns + np.clip(x + dx, 0, columns - 1)
        for dy, dx in _AROUND
    ])  # fmt: skip
    places = _places(height, width)
    features = np.concatenate([lab, places * np.float32(_COMPACTNESS / spacing)], axis=-1)
    flat = features.reshape(-1, 5)
    label = candidates[4]  # the grid itself
    centres = np.zeros((rows * columns, 5), np.float32)
    for _ in range(_ROUNDS):
        weight = np.bincount(label.ravel(), minlength=len(centres))
        sums = [np.bincount(label.ravel(), flat[:, k], len(centres)) for k in range(5)]
        there = weight > 0  # one that lost all its pixels stays where it was
        centres[there] = (np.stack(sums, axis=1)[there] / weight[there, None]).astype(np.float32)
        distance = np.stack([((features - centres[one]) ** 2).sum(-1) for one in candidates])
        label = np.take_along_axis(candidates, distance.argmin(axis=0)[None], axis=0)[0]
    return _Superpixels(
        centres[:, :3], centres[:, 3:] * np.float32(spacing / _COMPACTNESS), candidates
    )


def _places(height: int, width: int) -> Floats:
    """Row and column of every pixel, ``(height, width, 2)``."""
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    return np.stack([rows, columns], axis=-1).astype(np.float32)


def _squared_distances(points: Floats) -> Floats:
    """``(n, k)`` -> ``(n, n)``."""
    return np.asarray(((points[:, None] - points[None]) ** 2).sum(-1), dtype=np.float32)


def _uniqueness(colours: Floats, places: Floats) -> Floats:
    """Eq. 1: how unlike the near ones, ``(n,)``."""
    near = np.exp(-_squared_distances(places) / np.float32(2 * _NEAR**2))
    near /= near.sum(axis=1, keepdims=True)
    return np.asarray((near * _squared_distances(colours)).sum(axis=1), dtype=np.float32)


def _distribution(colours: Floats, places: Floats) -> Floats:
    """Eq. 3: how far those of like colour lie from each other, ``(n,)``."""
    alike = np.exp(-_squared_distances(colours) / np.float32(2 * _ALIKE**2))
    alike /= alike.sum(axis=1, keepdims=True)
    middle = alike @ places
    offsets = ((places[None] - middle[:, None]) ** 2).sum(-1)
    return np.asarray((alike * offsets).sum(axis=1), dtype=np.float32)


def _lifted(lab: Floats, found: _Superpixels, saliency: Floats) -> Floats:
    """Eq. 7: each pixel takes that of the superpixels around, by colour and place."""
    places = _places(*lab.shape[:2])
    distance = np.stack([
        ((lab - found.colours[one]) ** 2).sum(-1) + ((places - found.places[one]) ** 2).sum(-1)
        for one in found.candidates
    ])  # fmt: skip
    weights = np.exp(-0.5 * _LIFT * (distance - distance.min(axis=0)))
    total = (weights * saliency[found.candidates]).sum(axis=0)
    return np.asarray(total / weights.sum(axis=0), dtype=np.float32)


def _unit(values: Floats) -> Floats:
    """Scaled to [0, 1] by the extremes; zeros where there is but one value."""
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-6 * max(abs(high), 1.0):
        return np.zeros_like(values)
    return np.asarray((values - low) / (high - low), dtype=np.float32)
