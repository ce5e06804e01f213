"""Each feature against a slow, plain implementation of its formula."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from retina_viewer.saliency.local import (
    curvature,
    hard_entropy,
    smooth_absolute,
    soft_entropy,
    uniqueness,
    uniqueness_maps,
)


def _as_tensor(plane: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(plane))[None, None]


@given(height=st.integers(7, 14), width=st.integers(7, 14), seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_uniqueness_is_equation_2(height: int, width: int, seed: int) -> None:
    plane = np.random.default_rng(seed).random((height, width))
    expected = np.zeros((height - 6, width - 6))
    for y, x in np.ndindex(*expected.shape):
        for dy in range(-3, 4):
            for dx in range(-3, 4):
                difference = abs(plane[y + 3, x + 3] - plane[y + 3 + dy, x + 3 + dx])
                expected[y, x] += math.exp(-math.hypot(dx, dy)) * difference
    result = uniqueness(_as_tensor(plane), torch.abs)
    np.testing.assert_allclose(result[0, 0].numpy(), expected, rtol=1e-12)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_the_exact_entropy_counts_eight_bins(seed: int) -> None:
    plane = np.random.default_rng(seed).random((9, 12)) * 1.2 - 0.1  # also beyond [0, 1]
    expected = np.zeros((3, 6))
    for y, x in np.ndindex(*expected.shape):
        window = np.clip(plane[y : y + 7, x : x + 7], 0.0, 1.0)
        counts, _ = np.histogram(window, bins=8, range=(0.0, 1.0))
        p = counts[counts > 0] / 49.0
        expected[y, x] = -(p * np.log(p)).sum() / math.log(8.0)
    result = hard_entropy(_as_tensor(plane))
    np.testing.assert_allclose(result[0, 0].numpy(), expected, atol=1e-12)


def test_entropy_is_one_for_equal_bins_and_zero_for_one_bin() -> None:
    # Eight values in turn: 49 pixels spread over the bins as evenly as they can.
    stripes = (np.arange(49).reshape(7, 7) % 8 + 0.5) / 8.0
    spread = _as_tensor(stripes)
    flat = torch.full((1, 1, 7, 7), 0.3, dtype=torch.float64)
    for entropy in (hard_entropy, soft_entropy):
        assert entropy(spread).item() == pytest.approx(0.9995, abs=1e-3)
    assert hard_entropy(flat).item() == pytest.approx(0.0, abs=1e-12)
    # 0.3 lies 0.0125 from its bin's centre: the soft form leaks little into the next bin.
    assert 0.0 <= soft_entropy(flat).item() < 0.01


@pytest.mark.parametrize("radius", [6.0, 10.0, 15.0])
def test_isophotes_of_a_cone_have_the_curvature_of_their_circles(radius: float) -> None:
    y, x = np.mgrid[-24:25, -24:25].astype(np.float64)
    cone = np.hypot(x, y)  # so steep that EPSILON does not matter
    result = curvature(_as_tensor(cone))[0, 0].numpy()
    ring = np.abs(np.hypot(x, y)[4:-4, 4:-4] - radius) < 0.5
    # Smoothing by one pixel makes the cone a little rounder than it is.
    assert np.median(result[ring]) == pytest.approx(1.0 / radius, rel=0.03)


@pytest.mark.parametrize("angle", [0.0, 0.4, math.pi / 2, 2.2])
def test_straight_isophotes_have_no_curvature(angle: float) -> None:
    y, x = np.mgrid[0:30, 0:30].astype(np.float64)
    edge = 1.0 / (1.0 + np.exp(-(x - 15) * math.cos(angle) - (y - 15) * math.sin(angle)))
    assert curvature(_as_tensor(edge)).abs().max() < 2e-3


def test_the_smooth_absolute_is_zero_at_zero_and_close_elsewhere() -> None:
    x = torch.tensor([0.0, 0.5, -2.0], dtype=torch.float64, requires_grad=True)
    smooth_absolute(x).sum().backward()
    np.testing.assert_allclose(smooth_absolute(x).detach().numpy(), [0.0, 0.5, 2.0], atol=1e-3)
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), [0.0, 1.0, -1.0], atol=1e-5)


@pytest.mark.parametrize("exact", [True, False])
def test_a_feature_without_weight_is_not_computed(exact: bool, crop: Tensor) -> None:
    part = crop[..., :40, :40]
    curved, compact = uniqueness_maps(part, (0.4, 0.6), exact=exact)
    assert curved.shape == compact.shape == (1, 1, 26, 26)
    only_curved, nothing = uniqueness_maps(part, (1.0, 0.0), exact=exact)
    torch.testing.assert_close(only_curved, curved)
    assert not nothing.any()
