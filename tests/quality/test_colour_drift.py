"""Colour drift: the published test colours, and photographs of known tint and detail."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import deltaE_ciede2000

from retina_viewer.imaging.readers import open_image
from retina_viewer.quality.metrics import ciede2000, colour_drift

SHARMA = [  # Sharma, Wu and Dalal 2005, table 1: the pairs that catch wrong hues
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("first", "second", "expected"), SHARMA)
def test_published_pairs(
    first: tuple[float, ...], second: tuple[float, ...], expected: float
) -> None:
    found = ciede2000(np.array(first), np.array(second))
    assert float(found) == pytest.approx(expected, abs=5e-5)


@given(st.integers(0, 2**32 - 1))
def test_agrees_with_scikit_image(seed: int) -> None:
    random = np.random.default_rng(seed)
    lab = random.uniform((0, -80, -80), (100, 80, 80), (2, 50, 3))
    np.testing.assert_allclose(ciede2000(*lab), deltaE_ciede2000(*lab), atol=1e-6)


@pytest.fixture(scope="module")
def crop(sample_path: Callable[[str], Path]) -> np.ndarray:
    pixels = open_image(sample_path("chase_14L.jpg")).pixels
    return np.ascontiguousarray(pixels[380:572, 380:572])


def test_detail_is_no_drift_but_a_tint_is(crop: np.ndarray) -> None:
    mask = np.ones(crop.shape[:2], bool)
    assert colour_drift(crop, crop, 4, mask) == 0
    softer = np.asarray(cv2.GaussianBlur(crop, (0, 0), 1.5), np.uint8)
    tinted = crop.copy()
    tinted[..., 1] += 10  # red is at its limit here
    assert colour_drift(crop, softer, 4, mask) < 0.5
    assert colour_drift(crop, tinted, 4, mask) > 1.5


def test_only_the_masked_pixels_count(crop: np.ndarray) -> None:
    tinted = crop.copy()
    tinted[:, :60, 2] += 30
    far = np.zeros(crop.shape[:2], bool)
    far[:, 120:] = True
    assert colour_drift(crop, tinted, 2, far) == 0
    assert colour_drift(crop, tinted, 2, ~far) > 1
    one = np.zeros(crop.shape[:2], bool)
    one[3, 5] = True  # not on the grid that is looked at
    assert colour_drift(crop, tinted, 8, one) > 1
