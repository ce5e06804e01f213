"""Super-resolution forests (Schulter, Leistner and Bischof 2015), one for each doubling.

A patch is three small pixels wide; first and second derivatives of the bicubic doubled luminance
are what is seen of it (section 3.4). Every patch falls through ten trees; the regression in each
leaf that it reaches says what the patch lacks. Trees and overlapping patches are averaged. Chroma
is interpolated. CPU alone. The sums are of whole numbers below 2^53 in float64, hence exact: any
region is the crop of the whole to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.store import find_model, load_network
from retina_viewer.networks import fitted_arrays
from retina_viewer.networks.fitted_arrays import DERIVATIVES, PATCH, STEP_MARGIN, TARGETS
from retina_viewer.superres import classical
from retina_viewer.superres.enhancer import FloatImage

LEVELS = 4080
"""Whole numbers a unit of luminance: sixteen an 8-bit grey level."""
FINER = 16
"""Features and predictions are in sixteenths of those."""
CONSTANT = 1024
"""The feature that is the same for all patches."""
PROJECTION_UNIT = 1 << 15

_REACH = 2  # small pixels, of bicubic interpolation
_BICUBIC = classical.phase_weights(classical.cubic, _REACH, 2)

Plane = NDArray[np.float32]
Whole = NDArray[np.int32]


def luminance_of(rgb: NDArray[np.float32]) -> Plane:
    """BT.601, ``(h, w, 3)`` to ``(h, w)``; each pixel summed in the same order wherever it lies."""
    parts = [rgb[..., c] * np.float32(w) for c, w in enumerate((0.299, 0.587, 0.114))]
    return np.asarray(parts[0] + parts[1] + parts[2], np.float32)


def doubled(plane: Plane) -> Plane:
    """Bicubic (a = -0.5), not clamped: ``(h + 4, w + 4)`` to ``(2 h, 2 w)`` float32."""
    return classical.interpolated(plane, _BICUBIC)


def derivatives(small: Plane) -> NDArray[np.int16]:
    """The patches' derivatives: ``(h + 10, w + 10)`` luminance in [0, 1] (h x w pixels with
    :data:`STEP_MARGIN`) to ``(h + 2, w + 2, 144)``: one patch for each pixel and its neighbours;
    along x, y, twice along x and twice along y, each 6 x 6 row by row."""
    level = np.rint(doubled(small) * np.float32(LEVELS)).astype(np.int16)
    inner = level[2:-2, 2:-2]
    maps = (
        level[2:-2, 3:-1] - level[2:-2, 1:-3],
        level[3:-1, 2:-2] - level[1:-3, 2:-2],
        level[2:-2, 4:] - 2 * inner + level[2:-2, :-4],
        level[4:, 2:-2] - 2 * inner + level[:-4, 2:-2],
    )
    patches = [sliding_window_view(one, (PATCH, PATCH))[::2, ::2] for one in maps]
    height, width = patches[0].shape[:2]
    stacked = np.stack(patches, axis=2)
    return np.ascontiguousarray(stacked.reshape(height, width, DERIVATIVES), np.int16)


def projected(patches: NDArray[np.int16], projection: NDArray[np.int16]) -> Whole:
    """Features: ``(n, 144)`` by ``(144, d)`` to ``(n, d + 2)``; then a zero and a constant.

    ``projection`` is in units of ``1 / PROJECTION_UNIT``. At most 144 * 2^14 * 2^15 < 2^53: exact.
    """
    sums = patches.astype(np.float64) @ projection.astype(np.float64)
    features = np.zeros((len(patches), projection.shape[1] + 2), np.int32)
    features[:, :-2] = np.rint(sums * (FINER / PROJECTION_UNIT))
    features[:, -1] = CONSTANT
    return features


def overlapped(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of overlapping patches: ``(h + 2, w + 2, 36)`` to ``(2 h, 2 w)``; nine at each place."""
    height, width = patches.shape[0] - 2, patches.shape[1] - 2
    blocks = patches.reshape(height + 2, width + 2, 3, 2, 3, 2)
    total = np.zeros((height, 2, width, 2))
    for row in range(3):  # a patch's first row lies one small pixel above its centre
        for column in range(3):
            part = blocks[2 - row : 2 - row + height, 2 - column : 2 - column + width]
            total += part[:, :, row, :, column].transpose(0, 2, 1, 3)
    return total.reshape(2 * height, 2 * width)


LEAF_UNIT = 1 << 14
_LARGEST_LEAF = 1 << 20  # beyond any regression; with it, sums stay below 2^53
_PATCHES_AT_ONCE = 1 << 16  # bounds memory: 75 MB of derivatives


@dataclass(frozen=True, eq=False)
class Forest:
    """One x2 forest, expanded for use; the arrays of :class:`ForestArrays`, and ``leaves (l, d + 1,
    36)`` float32, whole numbers in units of ``1 / 2^14``."""

    projection: NDArray[np.int16]
    roots: NDArray[np.int32]
    first: NDArray[np.uint8]
    second: NDArray[np.uint8]
    threshold: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    leaves: NDArray[np.float32]
    depth: int

    @property
    def is_sound(self) -> bool:
        """Whether every node leads to nodes and leaves, and asks for features, that exist."""
        ways = np.concatenate([self.left, self.right, self.roots])
        asked = np.concatenate([self.first, self.second])
        return bool(
            -len(self.leaves) <= ways.min()
            and ways.max() < len(self.left)
            and asked.max() <= self.projection.shape[1]
            and np.abs(self.leaves).max() <= _LARGEST_LEAF
        )

    def leaf_of(self, features: Whole, tree: int) -> NDArray[np.int32]:
        """The leaf of one tree that each patch falls into: ``(n, d + 2)`` to ``(n,)``."""
        node = np.full(len(features), self.roots[tree], np.int32)
        falling = np.flatnonzero(node >= 0)
        for _ in range(self.depth):
            at = node[falling]
            value = features[falling, self.first[at]] - features[falling, self.second[at]]
            to = np.where(value > self.threshold[at], self.right[at], self.left[at])
            node[falling] = to
            falling = falling[to >= 0]
            if not falling.size:
                break
        return -1 - node

    def predicted(self, features: Whole) -> NDArray[np.float64]:
        """What patches lack, summed over the trees: ``(n, d + 2)`` to ``(n, 36)``, whole numbers
        in units of ``1 / (LEVELS * FINER * 2^14)``."""
        inputs = np.delete(features, -2, axis=1).astype(np.float64)
        total = np.zeros((len(features), TARGETS))
        for tree in range(len(self.roots)):
            leaf = self.leaf_of(features, tree)
            order = np.argsort(leaf, kind="stable")
            used, starts = np.unique(leaf[order], return_index=True)
            for one, rows in zip(used, np.split(order, starts[1:]), strict=True):
                total[rows] += inputs[rows] @ self.leaves[one].astype(np.float64)
        return total

    def double(self, small: Plane) -> Plane:
        """``(h + 10, w + 10)`` luminance to ``(2 h, 2 w)`` float32 in [0, 1]."""
        height, width = (size - 2 * STEP_MARGIN for size in small.shape)
        rows_at_once = max(1, _PATCHES_AT_ONCE // (width + 2) - 2)
        strips = [
            self.double_all([small[top : min(top + rows_at_once, height) + 2 * STEP_MARGIN]])[0]
            for top in range(0, height, rows_at_once)
        ]
        return np.concatenate(strips)

    def double_all(self, planes: Sequence[Plane]) -> list[Plane]:
        """As :meth:`double`, several small images at once: leaves are then visited once for all."""
        patches = [derivatives(plane) for plane in planes]
        flat = np.concatenate([one.reshape(-1, DERIVATIVES) for one in patches])
        sums = self.predicted(projected(flat, self.projection))
        unit = 1 / (LEVELS * FINER * LEAF_UNIT * 9 * len(self.roots))
        rim, start, results = STEP_MARGIN - 2, 0, []
        for plane, one in zip(planes, patches, strict=True):
            height, width = one.shape[:2]
            own = sums[start : start + height * width].reshape(height, width, TARGETS)
            start += height * width
            level = doubled(plane[rim:-rim, rim:-rim]) + overlapped(own) * unit
            results.append(np.clip(level, 0, 1).astype(np.float32))
        return results


@dataclass(frozen=True)
class ForestEnhancer(classical.FixedEnhancer):
    """The :class:`~retina_viewer.superres.enhancer.Enhancer` of one forest a step."""

    steps: tuple[Forest, ...] = field(repr=False, compare=False)
    model: str | None = None
    method: str = "sr-forest"

    @property
    def scale(self) -> int:
        return 1 << len(self.steps)

    @property
    def margin(self) -> int:
        return self._around[0]

    @property
    def _around(self) -> tuple[int, ...]:
        """Small pixels around the region that each step's input holds, and the result: 0."""
        return (*classical.source_margins((STEP_MARGIN,) * len(self.steps)), 0)

    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        around = self._around
        window = classical.reflected_window(rgb, region.expanded(around[0]))
        level = light = luminance_of(window)
        for number, forest in enumerate(self.steps):
            # What a step sees beyond what the next one needs is cut away.
            rim = (around[number] - around[number + 1]) * 2**number - STEP_MARGIN
            level = forest.double(level[rim : level.shape[0] - rim, rim : level.shape[1] - rim])
        rim = around[0] - _REACH
        chroma = (window - light[..., None])[rim:-rim, rim:-rim]
        weights = classical.phase_weights(classical.cubic, _REACH, self.scale)
        result = classical.interpolated(chroma, weights) + level[..., None]
        return np.clip(result, 0.0, 1.0, out=result)


def load_forest(model: str | ModelCard, scale: int) -> ForestEnhancer:
    """The first forests of a model, by its name or card, for a scale. Raises UserError: no such
    model, its files are broken, it is no forest, or not for the scale."""
    card = model if isinstance(model, ModelCard) else find_model(model)
    network = load_network(card)
    if not isinstance(network, fitted_arrays.RegressionForests):
        raise UserError(f"The model {card.name!r} is no forest.", "Choose another model.")
    card.check_scale(scale, tuple(2 << step for step in range(len(network.steps))))
    arrays = cast(list[fitted_arrays.ForestArrays], list(network.steps))
    steps = [expanded(one) for one in arrays[: scale.bit_length() - 1]]
    if not all(step.is_sound for step in steps):
        raise UserError(
            f"The trees of the model {card.name!r} are broken.",
            "Install the model again; do not use its results.",
        )
    return ForestEnhancer(tuple(steps), card.name)


def expanded(arrays: fitted_arrays.ForestArrays) -> Forest:
    """A forest ready for use: each leaf's regression mixed, and rounded to whole numbers."""
    held = {name: value.numpy() for name, value in arrays.named_buffers()}
    codes, dictionary = held.pop("codes"), held.pop("dictionary")
    leaves = codes.astype(np.float32) @ dictionary[1:] + dictionary[0]
    leaves = np.rint(leaves * np.float32(LEAF_UNIT)).reshape(len(leaves), -1, TARGETS)
    return Forest(**held, leaves=leaves, depth=arrays.shape.depth)
