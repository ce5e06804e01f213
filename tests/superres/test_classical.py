"""Interpolation: exact on any region, at any scale, for images of any size."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.core.geometry import Rect
from retina_viewer.superres.classical import (
    Interpolation,
    bicubic,
    lanczos,
    phase_weights,
    reflected,
    reflected_window,
)
from retina_viewer.superres.enhance_settings import SCALES

ENHANCERS = [make(scale) for make in (bicubic, lanczos) for scale in SCALES]


def noise(width: int, height: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((height, width, 3), dtype=np.float32)


@given(
    enhancer=st.sampled_from(ENHANCERS),
    width=st.integers(1, 24),
    height=st.integers(1, 24),
    data=st.data(),
)
@settings(max_examples=150, deadline=None)
def test_a_region_equals_the_crop_of_the_whole(
    enhancer: Interpolation, width: int, height: int, data: st.DataObject
) -> None:
    rgb = noise(width, height, seed=width * 31 + height)
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    region = Rect(x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y)))
    whole = enhancer.enhance_region(rgb, Rect(0, 0, width, height))
    part = enhancer.enhance_region(rgb, region)
    assert part.dtype == np.float32
    np.testing.assert_array_equal(part, whole[region.scaled(enhancer.scale).slices()])


@pytest.mark.parametrize("scale", SCALES)
def test_bicubic_agrees_with_pillow_on_a_photograph(
    scale: int, photograph: NDArray[np.uint8]
) -> None:
    grey = photograph[..., 1].astype(np.float32) / 255
    height, width = grey.shape
    ours = bicubic(scale).enhance_region(np.dstack([grey] * 3), Rect(0, 0, width, height))
    size = (width * scale, height * scale)
    theirs = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC))
    # Pillow cuts the kernel at the border where we reflect; and it does not clamp floats.
    inner = np.s_[2 * scale : -2 * scale, 2 * scale : -2 * scale]
    np.testing.assert_allclose(ours[..., 0][inner], theirs.clip(0, 1)[inner], atol=2e-6)


@pytest.mark.parametrize("enhancer", ENHANCERS, ids=lambda one: f"{one.method}-x{one.scale}")
def test_a_ramp_stays_a_ramp_at_half_pixel_centres(enhancer: Interpolation) -> None:
    width, scale = 20, enhancer.scale
    ramp = np.linspace(0.2, 0.8, width, dtype=np.float32)
    rgb = np.broadcast_to(ramp[None, :, None], (8, width, 3)).copy()
    row = enhancer.enhance_region(rgb, Rect(0, 0, width, 8))[3, :, 0]
    centres = (np.arange(width * scale) + 0.5) / scale - 0.5
    expected = 0.2 + centres * 0.6 / (width - 1)
    inner = slice(3 * scale, -3 * scale)  # the reflection bends the ends
    tolerance = 1e-6 if enhancer.method == "bicubic" else 2e-3  # Lanczos keeps ramps only nearly
    np.testing.assert_allclose(row[inner], expected[inner], atol=tolerance)


@pytest.mark.parametrize("enhancer", ENHANCERS, ids=lambda one: f"{one.method}-x{one.scale}")
def test_results_stay_in_range_and_keep_flat_colour(enhancer: Interpolation) -> None:
    edge = np.zeros((9, 9, 3), np.float32)
    edge[:, 4:] = 1
    result = enhancer.enhance_region(edge, Rect(0, 0, 9, 9))
    assert result.min() == 0
    assert result.max() == 1
    flat = np.full((5, 7, 3), 0.37, np.float32)
    np.testing.assert_allclose(enhancer.enhance_region(flat, Rect(0, 0, 7, 5)), 0.37, atol=1e-6)


def test_the_margin_is_all_that_matters() -> None:
    rgb, region = noise(30, 30), Rect(10, 12, 5, 4)
    for enhancer in ENHANCERS:
        other = noise(30, 30, seed=1)
        window = region.expanded(enhancer.margin).slices()
        other[window] = rgb[window]
        np.testing.assert_array_equal(
            enhancer.enhance_region(rgb, region), enhancer.enhance_region(other, region)
        )


def test_the_kernel_is_sharper_than_a_linear_one_and_calmer_than_opencvs(
    photograph: NDArray[np.uint8],
) -> None:
    """a = -0.5 lies between bilinear (no overshoot) and OpenCV's a = -0.75."""
    rgb = photograph.astype(np.float32) / 255
    height, width = rgb.shape[:2]
    reduced = cv2.resize(rgb, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    small = reduced.astype(np.float32)
    ours = bicubic(2).enhance_region(small, Rect(0, 0, width // 2, height // 2))
    shape = (ours.shape[1], ours.shape[0])
    linear = cv2.resize(small, shape, interpolation=cv2.INTER_LINEAR)
    keen = cv2.resize(small, shape, interpolation=cv2.INTER_CUBIC)

    def sharpness(image: NDArray[Any]) -> float:
        return float(cv2.Laplacian(image[..., 1], cv2.CV_32F).var())

    assert sharpness(linear) < sharpness(ours) < sharpness(keen)


def test_each_phase_sums_to_one() -> None:
    weights = phase_weights(lambda d: np.maximum(0, 1 - np.abs(d)), 1, 4)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(weights[0], [0.375, 0.625, 0])


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
