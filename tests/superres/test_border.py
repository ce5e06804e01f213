"""Reflection at the border is numpy's, for any image and any window."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retina_viewer.core.geometry import Rect
from retina_viewer.superres.classical import reflected, reflected_window


@given(size=st.integers(1, 9), start=st.integers(-40, 40), length=st.integers(1, 40))
def test_reflection_is_numpys(size: int, start: int, length: int) -> None:
    padded = np.pad(np.arange(size), 100, mode="reflect")
    expected = padded[100 + start : 100 + start + length]
    np.testing.assert_array_equal(reflected(start, start + length, size), expected)


def test_a_window_may_reach_beyond_every_side() -> None:
    rgb = np.random.default_rng(0).random((4, 6, 3), dtype=np.float32)
    window = reflected_window(rgb, Rect(-5, -7, 20, 18))
    padded = np.pad(rgb, ((7, 7), (5, 9), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(window, padded)
