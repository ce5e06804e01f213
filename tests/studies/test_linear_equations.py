"""The least squares: they find the filter that made the truth, and mixtures lie between."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.superres.classical import cubic, interpolated, phase_weights
from studies.linear_filter import NormalEquations


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
