from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, wilcoxon

from retina_viewer.quality.statistics import rank_biserial, wilcoxon_p


@given(count=st.integers(1, 40), seed=st.integers(0, 10_000), shift=st.floats(-1.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_without_ties_the_p_is_scipys(count: int, seed: int, shift: float) -> None:
    random = np.random.default_rng(seed)
    first, second = random.normal(shift, 1.0, count), random.normal(0.0, 1.0, count)
    expected = wilcoxon(first, second, method="exact").pvalue
    assert wilcoxon_p(first, second) == pytest.approx(expected, rel=1e-9)


@given(differences=st.lists(st.integers(-3, 3), min_size=1, max_size=9))
@settings(max_examples=40, deadline=None)
def test_with_ties_the_p_counts_all_signs(differences: list[int]) -> None:
    left = [difference for difference in differences if difference != 0]
    ranks = rankdata(np.abs(left)) if left else np.zeros(0)
    observed = sum(rank for rank, value in zip(ranks, left, strict=True) if value > 0)
    sums = np.array([np.dot(signs, ranks) for signs in product((0, 1), repeat=len(left))])
    tail = min((sums <= observed + 1e-9).mean(), (sums >= observed - 1e-9).mean())
    result = wilcoxon_p(differences, np.zeros(len(differences)))
    assert result == pytest.approx(min(1.0, 2.0 * tail))


def test_twenty_improvements_of_twenty_are_significant() -> None:
    before = np.linspace(30.0, 40.0, 20)
    after = before + np.linspace(0.1, 0.3, 20)
    assert wilcoxon_p(after, before) == pytest.approx(2.0 / 2**20)
    assert rank_biserial(after, before) == 1.0
    assert rank_biserial(before, after) == -1.0


def test_equal_methods_do_not_differ() -> None:
    assert wilcoxon_p([1.0, 2.0], [1.0, 2.0]) == 1.0
    assert rank_biserial([1.0, 2.0], [1.0, 2.0]) == 0.0


def test_the_effect_is_the_difference_of_favourable_and_other_ranks() -> None:
    # Differences 1, 2, -3: ranks 1 and 2 against rank 3.
    assert rank_biserial([1.0, 2.0, -3.0], [0.0, 0.0, 0.0]) == pytest.approx(0.0)
    assert rank_biserial([4.0, 2.0, -3.0], [0.0, 0.0, 0.0]) == pytest.approx(2.0 / 6.0)


def test_what_is_not_paired_is_refused() -> None:
    with pytest.raises(ValueError, match="paired"):
        wilcoxon_p([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="finite"):
        wilcoxon_p([float("nan")], [1.0])
