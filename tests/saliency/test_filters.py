"""Saliency Filters: what stands out of an image is found, and like the paper's own formulas."""

import numpy as np
import pytest
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.readers import open_image
from retina_viewer.saliency.filters import _distribution, _uniqueness, saliency_filters
from tests.conftest import SAMPLES


def spotted() -> NDArray[np.float32]:
    """A green square on a field of red and orange stripes, 60 x 80."""
    rgb = np.empty((60, 80, 3), np.float32)
    rgb[:] = (0.8, 0.3, 0.1)
    rgb[::6] = (0.9, 0.4, 0.1)
    rgb[20:36, 40:56] = (0.1, 0.7, 0.2)
    return rgb


def test_the_odd_one_is_salient_to_its_edge_and_the_rest_is_not() -> None:
    found = saliency_filters(spotted(), 80)
    assert found.shape == (60, 80)
    assert found.dtype == np.float32
    inside = np.zeros_like(found, dtype=bool)
    inside[22:34, 42:54] = True
    outside = np.ones_like(inside)
    outside[18:38, 38:58] = False
    assert found[inside].min() > 0.8
    assert found[outside].max() < 0.2


def test_it_is_the_same_each_time_and_turned_with_the_image() -> None:
    rgb = open_image(SAMPLES / "chase_14L.jpg").unit_rgb()[400:464, 500:564]
    found = saliency_filters(rgb, 64)
    np.testing.assert_array_equal(found, saliency_filters(rgb, 64))
    turned = saliency_filters(np.ascontiguousarray(rgb[::-1, ::-1]), 64)[::-1, ::-1]
    assert np.corrcoef(found.ravel(), turned.ravel())[0, 1] > 0.95
    assert found.min() == 0
    assert found.max() == 1


def test_equations_1_and_3_by_loops() -> None:
    rng = np.random.default_rng(1)
    colours = rng.uniform(0, 60, (12, 3)).astype(np.float32)
    places = rng.uniform(0, 1, (12, 2)).astype(np.float32)
    unique, spread = [], []
    for i in range(12):
        near = [np.exp(-np.sum((places[i] - p) ** 2) / (2 * 0.25**2)) for p in places]
        unlike = [np.sum((colours[i] - c) ** 2) for c in colours]
        unique.append(sum(n * u for n, u in zip(near, unlike, strict=True)) / sum(near))
        alike = [np.exp(-u / (2 * 20.0**2)) for u in unlike]
        middle = sum(a * p for a, p in zip(alike, places, strict=True)) / sum(alike)
        squares = [np.sum((p - middle) ** 2) for p in places]
        spread.append(sum(a * s for a, s in zip(alike, squares, strict=True)) / sum(alike))
    np.testing.assert_allclose(_uniqueness(colours, places), unique, rtol=1e-4)
    np.testing.assert_allclose(_distribution(colours, places), spread, rtol=1e-4)


def test_one_colour_has_nothing_salient_and_too_small_is_said() -> None:
    assert not saliency_filters(np.full((20, 30, 3), 0.4, np.float32)).any()
    with pytest.raises(UserError, match="too small"):
        saliency_filters(np.zeros((7, 30, 3), np.float32))
