from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.metrics import evaluation_mask, luminance_studio, psnr
from retina_viewer.quality.protocols import Condition, prepare, small_image
from retina_viewer.superres.classical import bicubic, cubic, interpolated, phase_weights
from retina_viewer.superres.linear import LinearFilter
from retina_viewer.superres.tiles import enhance_image
from studies.data_folders import find_photographs, split
from studies.linear_filter import NormalEquations, fit_linear_filters

CONDITIONS = [Condition("native", "gaussian", 2), Condition("native", "gaussian", 4)]


@pytest.fixture(scope="module")
def training(data: Path) -> list[Photograph]:
    return split(find_photographs(data / "CHASE_DB1"))["train"]


@pytest.fixture(scope="module")
def fitted(training: list[Photograph]) -> dict[Condition, LinearFilter]:
    return fit_linear_filters(training, CONDITIONS)


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_it_beats_bicubic_where_it_was_not_fitted(
    data: Path, fitted: dict[Condition, LinearFilter], condition: Condition
) -> None:
    photograph = find_photographs(data / "CHASE_DB1")[-1]
    truth = prepare(photograph, "native").cropped(condition.scale)
    small = small_image(truth, condition)
    mask = evaluation_mask(truth.mask, condition.scale)
    y = luminance_studio(truth.rgb8)
    scores = [
        psnr(y, luminance_studio(enhance_image(enhancer, small).astype(np.uint8)), mask)
        for enhancer in (fitted[condition], bicubic(condition.scale))
    ]
    assert scores[0] > scores[1] + 0.5


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_flat_areas_keep_their_brightness(
    fitted: dict[Condition, LinearFilter], condition: Condition
) -> None:
    enhancer = fitted[condition]
    np.testing.assert_allclose(enhancer.weights.sum(axis=0), 1.0, atol=1e-5)
    flat = np.full((12, 13, 3), 0.4, np.float32)
    result = enhancer.enhance_region(flat, Rect(2, 3, 6, 5))
    assert result.shape == (5 * condition.scale, 6 * condition.scale, 3)
    np.testing.assert_allclose(result, 0.4, atol=1e-5)


def test_a_turned_image_gives_the_turned_result(fitted: dict[Condition, LinearFilter]) -> None:
    image = np.random.default_rng(0).random((20, 20, 3), np.float32)
    whole = Rect(0, 0, 20, 20)
    for condition in CONDITIONS:
        straight = fitted[condition].enhance_region(image, whole)
        turned = fitted[condition].enhance_region(np.rot90(image).copy(), whole)
        np.testing.assert_allclose(turned, np.rot90(straight), atol=1e-4)
        flipped = fitted[condition].enhance_region(image[:, ::-1].copy(), whole)
        np.testing.assert_allclose(flipped, straight[:, ::-1], atol=1e-4)


@given(
    x=st.integers(0, 60), y=st.integers(0, 60), width=st.integers(1, 80), height=st.integers(1, 90)
)
@settings(max_examples=20, deadline=None)
def test_a_region_is_the_crop_of_the_whole(x: int, y: int, width: int, height: int) -> None:
    random = np.random.default_rng(0)
    weights: NDArray[np.float32] = random.normal(0.0, 0.05, (81, 4)).astype(np.float32)
    enhancer = LinearFilter(2, weights)
    image = random.random((75, 70, 3), np.float32)
    whole = Rect(0, 0, 70, 75)
    region = Rect(x, y, width, height).intersected(whole)
    expected = enhancer.enhance_region(image, whole)[region.scaled(2).slices()]
    np.testing.assert_allclose(enhancer.enhance_region(image, region), expected, atol=1e-5)


def test_fitting_is_deterministic(
    training: list[Photograph], fitted: dict[Condition, LinearFilter]
) -> None:
    again = fit_linear_filters(training, CONDITIONS[:1])[CONDITIONS[0]]
    np.testing.assert_allclose(again.weights, fitted[CONDITIONS[0]].weights, atol=2e-2)
    twice = fit_linear_filters(training, CONDITIONS)
    for condition in CONDITIONS:
        np.testing.assert_array_equal(twice[condition].weights, fitted[condition].weights)


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(UserError, match="linear filter"):
        fit_linear_filters([], CONDITIONS)


@pytest.fixture(scope="module")
def photograph(samples: Path) -> NDArray[np.uint8]:
    """48 x 64 pixels of a fundus photograph, around vessels: ``(48, 64, 3)`` uint8."""
    with Image.open(samples / "chase_14L.jpg") as image:
        pixels = np.asarray(image.convert("RGB"))
    return pixels[420:468, 380:444].copy()


def equations(photograph: NDArray[np.uint8], blur: float, samples: int = 4000) -> NormalEquations:
    """Of a truth that is the photograph doubled, and darkened towards its mean by ``blur``."""
    small = photograph[..., 1].astype(np.float32)
    weights = phase_weights(cubic, 2, 2)
    large = interpolated(np.pad(small, 2, mode="reflect"), weights)
    large = (1 - blur) * large + blur * small.repeat(2, axis=0).repeat(2, axis=1)
    made = NormalEquations(2)
    usable = np.ones(small.shape, bool)
    made.add(small, large, usable, samples, np.random.default_rng(0))
    return made


def test_the_filter_that_made_the_truth_is_found(photograph: NDArray[np.uint8]) -> None:
    found = equations(photograph, 0.0).solved().weights.reshape(9, 9, 2, 2)
    rows = phase_weights(cubic, 2, 2)
    expected = np.einsum("pi,qj->ijpq", rows, rows)
    np.testing.assert_allclose(found[2:-2, 2:-2], expected, atol=0.02)
    assert np.abs(found[:2]).max() < 0.02


def test_a_mixture_lies_between_its_parts(photograph: NDArray[np.uint8]) -> None:
    one, other = equations(photograph, 0.0), equations(photograph, 1.0, samples=500)
    assert other.samples == 500
    middles = [
        float(made.solved().weights[40, 0])
        for made in (one, one.plus(other, 0.1), one.plus(other, 0.6), other)
    ]
    assert middles == sorted(middles)
    np.testing.assert_array_equal(one.plus(other, 0.0).solved().weights, one.solved().weights)


def test_images_smaller_than_the_window_add_nothing() -> None:
    made = NormalEquations(2)
    small, large = np.zeros((8, 30), np.float32), np.zeros((16, 60), np.float32)
    made.add(small, large, np.ones((8, 30), bool), 100, np.random.default_rng(0))
    assert made.samples == 0
