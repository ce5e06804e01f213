"""Trees part what differs, and keep enough in every leaf."""

import numpy as np

from retina_viewer.superres.forest import Whole
from studies.fitted_recipe import ForestStage
from studies.forest_fit import Tree, grown_tree

STAGE = ForestStage(patch=24, samples=1, smallest_leaf=20, depth=6)


def scattered(count: int) -> Whole:
    """Five features, the zero and the constant."""
    rng = np.random.default_rng(0)
    features = rng.integers(-1000, 1000, (count, 7)).astype(np.int32)
    features[:, 5:] = (0, 1024)
    return features


def grown(features: Whole, judged: np.ndarray, stage: ForestStage = STAGE) -> Tree:
    return grown_tree(features, judged.astype(np.float32), np.arange(len(features)), stage, seed=3)


def test_every_sample_lies_in_one_leaf_that_is_large_enough() -> None:
    features = scattered(3000)
    tree = grown(features, features[:, :5])
    reached = np.concatenate(tree.leaves)
    np.testing.assert_array_equal(np.sort(reached), np.arange(3000))
    assert min(len(leaf) for leaf in tree.leaves) >= STAGE.smallest_leaf
    assert tree.depth <= STAGE.depth
    assert len(tree.leaves) == len(tree.first) + 1 > 16


def test_the_nodes_lead_to_the_leaves_that_were_kept() -> None:
    features = scattered(2000)
    tree = grown(features, features[:, :5])
    for leaf, members in enumerate(tree.leaves):
        for sample in members[:3]:
            node = tree.root
            while node >= 0:
                value = features[sample, tree.first[node]] - features[sample, tree.second[node]]
                node = (tree.right if value > tree.threshold[node] else tree.left)[node]
            assert -1 - node == leaf


def test_it_finds_the_difference_that_decides() -> None:
    features = scattered(4000)
    decides = features[:, 1] - features[:, 3] > 100
    stage = STAGE.model_copy(update={"depth": 1, "candidates": 2000})
    tree = grown(features, np.where(decides, 1.0, -1.0)[:, None], stage)
    assert {tree.first[0], tree.second[0]} == {1, 3}
    sides = [decides[leaf].mean() for leaf in tree.leaves]
    assert min(sides) < 0.05
    assert max(sides) > 0.95


def test_what_does_not_differ_is_one_leaf() -> None:
    features = scattered(500)
    tree = grown(features, np.zeros((500, 1)))
    assert (tree.root, len(tree.leaves)) == (-1, 1)
