"""From samples to a super-resolution forest: PCA, trees, a ridge regression in every leaf."""

from dataclasses import dataclass

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
    projected,
)
from studies.fitted_recipe import ForestStage
from studies.forest_growth import Tree, grown_tree

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
UNIT = LEVELS * FINER
"""Whole numbers of features and targets a unit of luminance."""


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
    def of(cls, inputs: Floats, targets: Floats) -> "_Sums":
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
