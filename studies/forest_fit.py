"""From samples to a super-resolution forest: PCA, trees, a ridge regression in every leaf."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.networks.fitted_arrays import (
    DERIVATIVES,
    TARGETS,
    ForestArrays,
    ForestStepParameters,
)
from retina_viewer.superres.forest import (
    CONSTANT,
    FINER,
    LEVELS,
    PROJECTION_UNIT,
    Whole,
    projected,
)
from studies.fitted_recipe import ForestStage

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
UNIT = LEVELS * FINER
"""Whole numbers of features and targets a unit of luminance."""


@dataclass
class Tree:
    """Nodes as lists; ``left`` and ``right`` hold a node, or -1 less a leaf."""

    root: int = 0
    depth: int = 1
    first: list[int] = field(default_factory=list)
    second: list[int] = field(default_factory=list)
    threshold: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    leaves: list[NDArray[np.intp]] = field(default_factory=list)
    """Which samples reached each leaf."""

    def add_leaf(self, rows: NDArray[np.intp]) -> int:
        """Returns how a node refers to it."""
        self.leaves.append(rows)
        return -len(self.leaves)

    def add_node(self, first: int, second: int, threshold: int) -> int:
        self.first.append(first)
        self.second.append(second)
        self.threshold.append(threshold)
        self.left.append(0)
        self.right.append(0)
        return len(self.first) - 1


def grown_tree(
    features: Whole, judged: Floats, rows: NDArray[np.intp], stage: ForestStage, seed: int
) -> Tree:
    """Grow one tree.

    Args:
        features: ``(n, d + 2)``, as :func:`retina_viewer.superres.forest.projected`.
        judged: ``(n, t)``: what the variances are taken of, each part already weighted.
        rows: the samples of this tree.
        stage: depth, smallest leaf, candidates.
        seed: decides everything.
    """
    rng = np.random.default_rng(seed)
    tree = Tree()
    waiting: list[tuple[NDArray[np.intp], int, int, bool]] = [(rows, 0, -1, False)]
    while waiting:
        members, depth, parent, is_right = waiting.pop()
        found = None
        if depth < stage.depth and len(members) >= 2 * stage.smallest_leaf:
            found = _best_split(features, judged, members, stage, rng)
        if found is None:
            place = tree.add_leaf(members)
        else:
            place = tree.add_node(*found)
            goes_right = _beyond(features, members, *found)
            waiting.append((members[goes_right], depth + 1, place, True))
            waiting.append((members[~goes_right], depth + 1, place, False))
            tree.depth = max(tree.depth, depth + 1)
        if parent < 0:
            tree.root = place
        else:
            (tree.right if is_right else tree.left)[parent] = place
    return tree


def _best_split(
    features: Whole,
    judged: Floats,
    members: NDArray[np.intp],
    stage: ForestStage,
    rng: np.random.Generator,
) -> tuple[int, int, int] | None:
    """The candidate that leaves the least variance, with enough samples on both sides."""
    count, zero = stage.candidates, features.shape[1] - 2
    some = members
    if len(members) > stage.judged_on:
        some = members[rng.choice(len(members), stage.judged_on, replace=False)]
    first = rng.integers(zero, size=count)
    second = np.where(rng.random(count) < 0.5, zero, rng.integers(zero, size=count))
    seen = np.ascontiguousarray(features[some].T)
    values = seen[first] - seen[second]
    thresholds = values[np.arange(count), rng.integers(len(some), size=count)]
    right = (values > thresholds[:, None]).astype(np.float32)
    of = judged[some]
    of = of - of.mean(axis=0)
    many, sums = right.sum(axis=1), right @ of
    # With a mean of zero, both sides' sums are opposite: one square is enough.
    share = 1 / np.maximum(many, 1) + 1 / np.maximum(len(some) - many, 1)
    gain = np.square(sums).sum(axis=1) * share
    least = stage.smallest_leaf * len(some) / len(members)
    gain[(many < least) | (len(some) - many < least)] = 0
    for best in np.argsort(-gain, kind="stable")[:8]:
        if gain[best] <= 0:
            return None
        split = int(first[best]), int(second[best]), int(thresholds[best])
        if len(some) == len(members):
            return split
        beyond = int(_beyond(features, members, *split).sum())
        if min(beyond, len(members) - beyond) >= stage.smallest_leaf:
            return split
    return None


def _beyond(
    features: Whole, rows: NDArray[np.intp], first: int, second: int, threshold: int
) -> NDArray[np.bool_]:
    """Which samples go right."""
    return np.asarray(features[rows, first] - features[rows, second] > threshold)


@dataclass(frozen=True, eq=False)
class Samples:
    """``patches (n, 144)`` int16 and what they lack, ``residuals (n, 36)`` float32 in units of
    ``1 / UNIT``."""

    patches: NDArray[np.int16]
    residuals: Floats


def fitted_projection(patches: NDArray[np.int16], energy: float) -> NDArray[np.int16]:
    """PCA through the origin: ``(n, 144)`` to ``(144, d)`` in units of ``1 / PROJECTION_UNIT``."""
    values = patches.astype(np.float64)
    found, axes = np.linalg.eigh(values.T @ values)
    found, axes = found[::-1], axes[:, ::-1]
    kept = int(np.searchsorted(np.cumsum(found) / found.sum(), energy)) + 1
    axes = axes[:, : min(kept, DERIVATIVES)]
    # A sign of each axis that does not depend on the machine's linear algebra.
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    whole = np.rint(np.clip(axes, -1, 1) * (PROJECTION_UNIT - 1))
    return np.asarray(whole, np.int16)


def fit_forest(
    samples: Samples, stage: ForestStage, seed: int, progress: Progress = no_progress
) -> ForestArrays:
    """Fit one x2 forest.

    Args:
        samples: of the training photographs.
        stage: its size.
        seed: decides everything else.
        progress: called for every tree.
    """
    projection = fitted_projection(samples.patches[:100_000], stage.features)
    features = projected(samples.patches, projection)
    inputs = np.delete(features, -2, axis=1).astype(np.float32)
    size = projection.shape[1]
    judged = np.concatenate(
        [
            samples.residuals / np.float32(UNIT * np.sqrt(TARGETS)),
            features[:, :size].astype(np.float32) / np.float32(UNIT * np.sqrt(size)),
        ],
        axis=1,
    )
    everything = _Sums.of(inputs, samples.residuals)
    trees: list[Tree] = []
    regressions: list[Doubles] = []
    count = len(inputs)
    for number in range(stage.trees):
        progress(number / stage.trees, f"tree {number + 1} of {stage.trees}")
        rng = np.random.default_rng([seed, number])
        rows = np.sort(rng.choice(count, round(stage.share * count), replace=False))
        tree = grown_tree(features, judged, rows, stage, int(rng.integers(1 << 31)))
        trees.append(tree)
        for leaf in tree.leaves:
            sums = _Sums.of(inputs[leaf], samples.residuals[leaf])
            regressions.append(sums.solved(stage.ridge))
    codes, dictionary = compressed(np.stack(regressions), everything.gram / count, stage.rank)
    return _arrays(projection, trees, codes, dictionary)


@dataclass(frozen=True, eq=False)
class _Sums:
    gram: Doubles
    cross: Doubles

    @classmethod
    def of(cls, inputs: Floats, targets: Floats) -> _Sums:
        wide = inputs.astype(np.float64)
        return cls(wide.T @ wide, wide.T @ targets.astype(np.float64))

    def solved(self, ridge: float) -> Doubles:
        """``(d + 1, 36)``; the constant is not held back."""
        held = np.full(len(self.gram), ridge * UNIT**2)
        held[-1] = 1e-6 * CONSTANT**2
        return np.asarray(np.linalg.solve(self.gram + np.diag(held), self.cross), np.float64)


def compressed(
    regressions: Doubles, moments: Doubles, rank: int
) -> tuple[NDArray[np.float16], Floats]:
    """Leaves as mixtures of ``rank`` regressions that serve them all (PCA, in what they predict).

    Args:
        regressions: ``(l, d + 1, 36)``.
        moments: ``(d + 1, d + 1)``, mean of the products of two features: how much each counts.
        rank: fewer where there are fewer leaves.

    Returns:
        ``codes (l, rank)`` and ``dictionary (rank + 1, (d + 1) * 36)``: first the mean.
    """
    leaves, size = regressions.shape[:2]
    root = np.linalg.cholesky(moments + 1e-9 * np.trace(moments) * np.eye(size) / size)
    predicted = (root.T @ regressions).reshape(leaves, -1)
    mean = predicted.mean(axis=0)
    gram = (predicted - mean).T @ (predicted - mean)
    axes = np.linalg.eigh(gram)[1][:, ::-1][:, : min(rank, leaves)]
    codes = (predicted - mean) @ axes
    scale = np.maximum(np.abs(codes).max(axis=0), 1e-12)  # into the range of half precision
    rows = np.concatenate([mean[None], (axes * scale).T]).reshape(-1, size, TARGETS)
    dictionary = np.linalg.solve(root.T, rows.transpose(1, 0, 2).reshape(size, -1))
    dictionary = dictionary.reshape(size, -1, TARGETS).transpose(1, 0, 2)
    return (codes / scale).astype(np.float16), dictionary.reshape(len(rows), -1).astype(np.float32)


def _arrays(
    projection: NDArray[np.int16],
    trees: list[Tree],
    codes: NDArray[np.float16],
    dictionary: Floats,
) -> ForestArrays:
    """All trees' nodes in one row, their leaves in another."""
    node_starts = np.cumsum([0] + [len(tree.first) for tree in trees])
    leaf_starts = np.cumsum([0] + [len(tree.leaves) for tree in trees])

    def moved(ways: list[int], number: int) -> list[int]:
        return [
            way + int(node_starts[number]) if way >= 0 else way - int(leaf_starts[number])
            for way in ways
        ]

    columns = {
        "projection": projection,
        "roots": np.array([moved([tree.root], n)[0] for n, tree in enumerate(trees)], np.int32),
        "first": np.concatenate([np.array(tree.first, np.uint8) for tree in trees]),
        "second": np.concatenate([np.array(tree.second, np.uint8) for tree in trees]),
        "threshold": np.concatenate([np.array(tree.threshold, np.int32) for tree in trees]),
        "left": np.array([w for n, t in enumerate(trees) for w in moved(t.left, n)], np.int32),
        "right": np.array([w for n, t in enumerate(trees) for w in moved(t.right, n)], np.int32),
        "codes": codes,
        "dictionary": dictionary,
    }
    shape = ForestStepParameters(
        features=projection.shape[1],
        trees=len(trees),
        nodes=int(node_starts[-1]),
        leaves=len(codes),
        rank=codes.shape[1],
        depth=max(tree.depth for tree in trees),
    )
    arrays = ForestArrays(shape)
    arrays.load_state_dict(
        {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in columns.items()}
    )
    return arrays
