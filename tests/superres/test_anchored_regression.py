"""Anchored regression: learns what one filter, and what several, take away."""

import numpy as np
from numpy.typing import NDArray

from retina_viewer.superres.self_superresolution import (
    COLUMNS,
    SIZE,
    AnchoredRegression,
    patches_of,
)


def plane_of(photograph: NDArray[np.uint8]) -> NDArray[np.float32]:
    return photograph[..., 1].astype(np.float32) / np.float32(255)


def test_patches_lie_around_their_pixel(photograph: NDArray[np.uint8]) -> None:
    plane = plane_of(photograph)
    patches = patches_of(plane, 2)
    assert patches.shape == (plane.shape[0] - 4, plane.shape[1] - 8, SIZE)
    expected = plane[3 : 3 + 5 : 2, 6 : 6 + COLUMNS].ravel()
    np.testing.assert_array_equal(patches[3, 6], expected)


def test_a_linear_lack_is_found_whatever_the_anchors(photograph: NDArray[np.uint8]) -> None:
    plane = plane_of(photograph)
    true = np.zeros((3, COLUMNS), np.float32)
    true[1, 3:6] = (-0.25, 0.5, -0.25)
    patches = patches_of(plane, 1).reshape(-1, SIZE)
    lacking = patches @ true.ravel()
    learned = AnchoredRegression.learned(patches, lacking, 8, 1e-6, np.random.default_rng(0))
    said = learned.applied(plane, 1)
    assert said.shape == (plane.shape[0] - 2, plane.shape[1] - 8)
    left = np.abs(said.ravel() - lacking).max()
    assert left < 0.02 * np.abs(lacking).max()


def test_brightness_does_not_matter(photograph: NDArray[np.uint8]) -> None:
    plane = plane_of(photograph)
    patches = patches_of(plane, 1).reshape(-1, SIZE)
    rng = np.random.default_rng(0)
    lacking = rng.normal(0, 0.01, len(patches)).astype(np.float32)
    learned = AnchoredRegression.learned(patches, lacking, 4, 1e-3, rng)
    brighter = learned.applied(plane + np.float32(0.25), 1)
    np.testing.assert_allclose(brighter, learned.applied(plane, 1), atol=1e-5)


def test_one_colour_lacks_nothing() -> None:
    flat = np.full((20, 30), 0.4, np.float32)
    patches = patches_of(flat, 1).reshape(-1, SIZE)
    lacking = np.zeros(len(patches), np.float32)
    learned = AnchoredRegression.learned(patches, lacking, 8, 1e-3, np.random.default_rng(0))
    assert not learned.applied(flat, 1).any()
