"""Forests: exact to the bit in any region; better than bicubic; broken ones are refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.model_store.store import find_model, verify_model
from retina_viewer.superres.forest import Forest, ForestEnhancer, load_forest
from tests.superres.truths import Truths, gain_over_sharp_bicubic


@pytest.fixture(scope="module")
def shipped() -> ForestEnhancer:
    return load_forest("sr-forest", 16)


@pytest.mark.parametrize(("scale", "least"), [(2, 0.6), (4, 0.5)])
def test_it_is_better_than_bicubic_on_blurred_photographs(
    truths: Truths, shipped: ForestEnhancer, scale: int, least: float
) -> None:
    enhancer = replace(shipped, steps=shipped.steps[: scale.bit_length() - 1])
    for truth in truths:
        assert gain_over_sharp_bicubic(enhancer, truth) > least


@given(
    steps=st.integers(1, 3),
    x=st.integers(0, 16), y=st.integers(0, 10), width=st.integers(1, 20), height=st.integers(1, 14),
)  # fmt: skip
@settings(max_examples=8)
def test_a_region_is_the_crop_of_the_whole_to_the_bit(
    photograph: NDArray[np.uint8],
    shipped: ForestEnhancer,
    steps: int,
    x: int,
    y: int,
    width: int,
    height: int,
) -> None:
    rgb = photograph[:12, :18].astype(np.float32) / np.float32(255)
    whole = Rect(0, 0, 18, 12)
    region = Rect(x, y, width, height).intersected(whole)
    enhancer = replace(shipped, steps=shipped.steps[:steps])
    if not region.area:
        return
    expected = enhancer.enhance_region(rgb, whole)[region.scaled(1 << steps).slices()]
    np.testing.assert_array_equal(enhancer.enhance_region(rgb, region), expected)


def test_the_margin_is_all_that_matters(
    photograph: NDArray[np.uint8], shipped: ForestEnhancer
) -> None:
    enhancer = replace(shipped, steps=shipped.steps[:2])
    rgb, region = photograph.astype(np.float32) / np.float32(255), Rect(20, 18, 3, 4)
    other = 1 - rgb
    window = region.expanded(enhancer.margin).slices()
    other[window] = rgb[window]
    np.testing.assert_array_equal(
        enhancer.enhance_region(rgb, region), enhancer.enhance_region(other, region)
    )


def test_strips_change_nothing(
    photograph: NDArray[np.uint8], shipped: ForestEnhancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane = photograph[..., 1].astype(np.float32) / np.float32(255)
    forest = shipped.steps[0]
    at_once = forest.double(plane)
    monkeypatch.setattr("retina_viewer.superres.forest._PATCHES_AT_ONCE", 500)
    np.testing.assert_array_equal(forest.double(plane), at_once)


def test_flat_colour_stays(shipped: ForestEnhancer) -> None:
    flat = np.full((5, 7, 3), (0.5, 0.3, 0.1), np.float32)
    result = shipped.enhance_region(flat, Rect(0, 0, 7, 5))
    np.testing.assert_allclose(result, np.broadcast_to(flat[0, 0], result.shape), atol=1e-3)


def test_the_shipped_forests_are_sound(shipped: ForestEnhancer) -> None:
    card = find_model("sr-forest")
    verify_model(card)
    assert card.enhancer_method == shipped.method == "sr-forest"
    assert card.scales == (2, 4, 8, 16)
    assert card.weights_file.stat().st_size <= 20_000_000
    assert all(step.is_sound for step in shipped.steps)


def broken(forest: Forest) -> list[Forest]:
    """One node leads to nowhere, one asks for a feature that is not there, a leaf is endless."""
    left, first = forest.left.copy(), forest.first.copy()
    left[3], first[5] = len(left), forest.projection.shape[1] + 1
    endless = forest.leaves.copy()
    endless[0, 0, 0] = np.inf
    return [
        replace(forest, left=left),
        replace(forest, first=first),
        replace(forest, leaves=endless),
    ]


def test_broken_trees_are_no_forest(
    shipped: ForestEnhancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in broken(shipped.steps[0]):
        assert not one.is_sound
    one = broken(shipped.steps[0])[0]
    monkeypatch.setattr("retina_viewer.superres.forest.expanded", lambda arrays: one)
    with pytest.raises(UserError, match="broken"):
        load_forest("sr-forest", 2)


def test_what_is_no_forest_is_refused() -> None:
    with pytest.raises(UserError, match="no forest"):
        load_forest("linear", 2)
    with pytest.raises(UserError, match=r"cannot enlarge by x6"):
        load_forest("sr-forest", 6)
