"""Forests: exact to the bit in any region; better than bicubic; broken ones are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.model_store.store import find_model, verify_model
from retina_viewer.superres.forest import (
    CONSTANT,
    FINER,
    LEVELS,
    PROJECTION_UNIT,
    Forest,
    ForestEnhancer,
    derivatives,
    doubled,
    load_forest,
    luminance_of,
    overlapped,
    projected,
)
from studies.forest_run import residual_patches
from tests.superres.truths import Truths, gain_over_sharp_bicubic


@pytest.fixture(scope="module")
def shipped() -> ForestEnhancer:
    return load_forest("sr-forest", 16)


@pytest.mark.parametrize(("scale", "least"), [(2, 0.6), (4, 0.5)])
@pytest.mark.slow
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


def light_of(photograph: NDArray[np.uint8]) -> NDArray[np.float32]:
    return luminance_of(photograph.astype(np.float32) / np.float32(255))


def test_derivatives_are_those_of_the_doubled_level(photograph: NDArray[np.uint8]) -> None:
    small = light_of(photograph)[:24, :30]
    patches = derivatives(small)
    assert patches.shape == (24 - 10 + 2, 30 - 10 + 2, 144)
    level = np.rint(doubled(small) * LEVELS).astype(int)
    row, column = 3, 7  # of the patches; its first pixel on the doubled level, reflected rim apart:
    y, x = 2 * row + 2, 2 * column + 2
    for down in range(6):
        for right in range(6):
            at, one = down * 6 + right, (y + down, x + right)
            middle = level[one]
            expected = (
                level[one[0], one[1] + 1] - level[one[0], one[1] - 1],
                level[one[0] + 1, one[1]] - level[one[0] - 1, one[1]],
                level[one[0], one[1] + 2] - 2 * middle + level[one[0], one[1] - 2],
                level[one[0] + 2, one[1]] - 2 * middle + level[one[0] - 2, one[1]],
            )
            assert tuple(patches[row, column, at::36]) == expected


def test_overlapping_patches_of_a_plane_give_it_back_nine_times() -> None:
    plane = np.random.default_rng(0).random((2 * (5 + 4), 2 * (7 + 4)))
    windows = np.lib.stride_tricks.sliding_window_view(plane, (6, 6))[::2, ::2]
    patches = windows.reshape(7, 9, 36)
    np.testing.assert_allclose(overlapped(patches), 9 * plane[4:-4, 4:-4])


def test_bicubic_and_what_it_lacks_make_the_truth(photograph: NDArray[np.uint8]) -> None:
    large = light_of(photograph)
    small = large.reshape(24, 2, 32, 2).mean(axis=(1, 3))
    lacking = residual_patches(small, large[6:-6, 6:-6])
    mean = overlapped(lacking.astype(np.float64)) / (9 * LEVELS * FINER)
    made = doubled(small[3:-3, 3:-3]) + mean
    np.testing.assert_allclose(made, large[10:-10, 10:-10], atol=1e-6)


def test_features_do_not_depend_on_their_company(photograph: NDArray[np.uint8]) -> None:
    patches = derivatives(light_of(photograph)).reshape(-1, 144)
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(144, 20)))[0]
    projection = np.rint(axes * (PROJECTION_UNIT - 1)).astype(np.int16)
    together = projected(patches, projection)
    alone = np.concatenate([projected(patch[None], projection) for patch in patches[::97]])
    np.testing.assert_array_equal(alone, together[::97])
    assert (together[:, -2] == 0).all()
    assert (together[:, -1] == CONSTANT).all()
