"""Paired comparison of two methods over the same photographs."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def wilcoxon_p(first: ArrayLike, second: ArrayLike) -> float:
    """Two-sided p of Wilcoxon's signed-rank test (1945), exact, also with ties.

    Zero differences are dropped, tied magnitudes share their mean rank, and the null distribution
    is counted over all signs. 1 where no difference is left.

    Args:
        first, second: paired values, shape ``(n,)``, n at most a few hundred.
    """
    ranks, positive = _signed_ranks(first, second)
    if ranks.size == 0:
        return 1.0
    # Twice the ranks are integers, so the distribution of the sum lies on integers.
    doubled = np.rint(2.0 * ranks).astype(np.int64)
    probability = np.zeros(int(doubled.sum()) + 1)
    probability[0] = 1.0
    reach = 0
    for rank in doubled:
        shifted = np.zeros_like(probability)
        shifted[rank : reach + rank + 1] = probability[: reach + 1]
        probability = 0.5 * (probability + shifted)
        reach += int(rank)
    observed = int(doubled[positive].sum())
    tail = min(probability[: observed + 1].sum(), probability[observed:].sum())
    return float(min(1.0, 2.0 * tail))


def rank_biserial(first: ArrayLike, second: ArrayLike) -> float:
    """Matched-pairs rank-biserial correlation (Kerby 2014), the effect size of the same test.

    1 where ``first`` is larger in every pair, -1 where ``second`` is, 0 without differences.
    """
    ranks, positive = _signed_ranks(first, second)
    if ranks.size == 0:
        return 0.0
    favourable, total = float(ranks[positive].sum()), float(ranks.sum())
    return (2.0 * favourable - total) / total


def _signed_ranks(
    first: ArrayLike, second: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Ranks of the magnitudes of the non-zero differences, and which differences are positive."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"expected two paired rows of values, got {a.shape} and {b.shape}")
    difference = a - b
    if not np.isfinite(difference).all():
        raise ValueError("a difference is not finite")
    difference = difference[difference != 0]
    magnitude = np.abs(difference)
    ordered = np.sort(magnitude)
    below = np.searchsorted(ordered, magnitude, side="left")
    through = np.searchsorted(ordered, magnitude, side="right")
    ranks: NDArray[np.float64] = (below + through + 1) / 2.0
    return ranks, difference > 0
