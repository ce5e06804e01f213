"""The mask is as large as the probabilities say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.training.vessel_threshold import area_matching


@given(st.integers(0, 2**32))
def test_as_many_pixels_reach_it_as_the_probabilities_sum_to(seed: int) -> None:
    values = np.random.default_rng(seed).beta(0.3, 1.5, 5000).astype(np.float32)
    count = int((values >= area_matching(values)).sum())
    assert count == pytest.approx(float(values.sum()), abs=2)


def test_certain_probabilities_keep_their_mask() -> None:
    values = np.array([0.001] * 90 + [0.999] * 10, dtype=np.float32)
    threshold = area_matching(values)
    np.testing.assert_array_equal(values >= threshold, values > 0.5)


def test_no_vessels_at_all() -> None:
    assert area_matching(np.zeros(10, dtype=np.float32)) == 0.5
