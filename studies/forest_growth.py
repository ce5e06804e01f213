"""How one tree of a super-resolution forest grows (Schulter et al. 2015, equations 8 to 10).

A split is good where what it parts is alike in what the patches lack, and in the patches
themselves: the sum of both variances is what it should reduce. Candidates are random: a feature,
or the difference of two, against its value at a random patch.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from retina_viewer.superres.forest import Whole
from studies.fitted_recipe import ForestStage

Floats = NDArray[np.float32]


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
