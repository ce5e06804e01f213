"""Anchored neighbourhood regression (Timofte, De Smet and Van Gool 2013), along one axis.

A few anchors stand for the kinds of patches; around each, one ridge regression says what the pixel
in the middle lacks. Learned from the photograph itself, within a second.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

ROWS, COLUMNS = 3, 9
"""Of a patch: across the axis and along it."""
SIZE = ROWS * COLUMNS
_ROUNDS = 4
_PIXELS_AT_ONCE = 1 << 17

Plane = NDArray[np.float32]


def patches_of(plane: Plane, spread: int) -> Plane:
    """The neighbourhood of every pixel but those at the rim.

    Args:
        plane: ``(h + 2 * spread, w + 8)``.
        spread: pixels between the rows of a patch.

    Returns:
        ``(h, w, 27)``.
    """
    height = plane.shape[0] - 2 * spread
    wide = sliding_window_view(plane, COLUMNS, axis=1)
    rows = [wide[row * spread : row * spread + height] for row in range(ROWS)]
    return np.concatenate(rows, axis=-1)


@dataclass(frozen=True, eq=False)
class AnchoredRegression:
    """``anchors (27, k)`` of length 1, ``filters (k, 27)``: float32, the sum of each 0, so that
    the brightness of a patch does not matter."""

    anchors: Plane
    filters: Plane

    @classmethod
    def learned(
        cls, patches: Plane, lacking: Plane, count: int, ridge: float, rng: np.random.Generator
    ) -> Self:
        """Learn from ``(n, 27)`` patches what they lack, ``(n,)``.

        Args:
            count: anchors.
            ridge: as a share of the patches' mean power.
        """
        patches = patches - patches.mean(axis=1, keepdims=True)
        power = np.square(patches).sum(axis=1)
        anchors = _anchors(patches, power, min(count, len(patches)), rng)
        nearest = _nearest(patches, anchors)
        filters = np.zeros((anchors.shape[1], SIZE))
        everything = patches.astype(np.float64)
        held = ridge * float(power.mean()) + 1e-12
        whole = everything.T @ everything + np.eye(SIZE) * held
        fallback = np.linalg.solve(whole, everything.T @ lacking)
        for anchor in range(len(filters)):
            near = everything[nearest == anchor]
            # Held to the regression of all patches: few near ones then do no harm.
            gram = near.T @ near + np.eye(SIZE) * held * 100
            beyond = lacking[nearest == anchor] - near @ fallback
            filters[anchor] = fallback + np.linalg.solve(gram, near.T @ beyond)
        filters -= filters.mean(axis=1, keepdims=True)
        return cls(anchors, filters.astype(np.float32))

    def applied(self, plane: Plane, spread: int) -> Plane:
        """What every pixel lacks: ``(h + 2 * spread, w + 8)`` to ``(h, w)``."""
        height, width = plane.shape[0] - 2 * spread, plane.shape[1] - COLUMNS + 1
        result = np.empty((height, width), np.float32)
        step = max(1, _PIXELS_AT_ONCE // width)
        for top in range(0, height, step):
            bottom = min(top + step, height)
            patches = patches_of(plane[top : bottom + 2 * spread], spread).reshape(-1, SIZE)
            said = patches @ self.filters.T
            nearest = _nearest(patches, self.anchors)
            chosen = said[np.arange(len(said)), nearest]
            result[top:bottom] = chosen.reshape(bottom - top, width)
        return result


def _anchors(patches: Plane, power: Plane, count: int, rng: np.random.Generator) -> Plane:
    """K-means on the sphere, a patch and its negative being alike; strong patches count more."""
    lengths = np.sqrt(power)
    total = float(lengths.sum())
    if total == 0:  # one colour: any direction serves
        return _unit(np.eye(SIZE, 1, dtype=np.float32) - np.float32(1 / SIZE))
    chosen = rng.choice(len(patches), count, p=lengths / total)
    anchors = _unit(patches[chosen].T)
    for _ in range(_ROUNDS):
        nearest = _nearest(patches, anchors)
        signs = np.sign((patches * anchors[:, nearest].T).sum(axis=1))
        sums = np.zeros_like(anchors)
        for anchor in range(count):
            mine = nearest == anchor
            sums[:, anchor] = (patches[mine] * signs[mine, None]).sum(axis=0)
        anchors = np.where(np.abs(sums).sum(axis=0) > 0, _unit(sums), anchors)
    return anchors


def _unit(columns: Plane) -> Plane:
    lengths = np.sqrt(np.square(columns).sum(axis=0))
    return np.asarray(columns / np.maximum(lengths, 1e-12), np.float32)


def _nearest(patches: Plane, anchors: Plane) -> NDArray[np.intp]:
    return np.asarray(np.abs(patches @ anchors).argmax(axis=1), np.intp)
