"""Fourier burst accumulation: every frequency from the image in which it is strongest."""

import numpy as np
import pytest
from numpy.typing import NDArray

from retina_viewer.superres.self_superresolution import accumulated


def plane_of(photograph: NDArray[np.uint8]) -> NDArray[np.float32]:
    return photograph[..., 1].astype(np.float32) / np.float32(255)


def test_one_image_stays_itself(photograph: NDArray[np.uint8]) -> None:
    for cut in (0, 1):  # even and odd sizes
        plane = plane_of(photograph)[: 48 - cut, : 64 - cut]
        np.testing.assert_allclose(accumulated([plane]), plane, atol=1e-6)
        np.testing.assert_allclose(accumulated([plane] * 3), plane, atol=1e-6)


def test_each_frequency_comes_from_where_it_is_strongest() -> None:
    """One image keeps what changes along its rows, the other what changes along its columns."""
    phase = np.arange(128) * 2 * np.pi / 8
    along, across = np.sin(phase)[None, :], np.sin(phase)[:, None]
    images = [along + 0.3 * across, 0.3 * along + across]
    made = accumulated([image.astype(np.float32) for image in images])
    np.testing.assert_allclose(made, along + across, atol=0.02)


def test_flat_images_stay_flat() -> None:
    flat = np.full((40, 50), 0.4, np.float32)
    np.testing.assert_allclose(accumulated([flat, flat]), flat, atol=1e-6)
    np.testing.assert_array_equal(accumulated([np.zeros((40, 50), np.float32)]), 0)


def test_a_burst_needs_an_image() -> None:
    with pytest.raises(ValueError, match="burst"):
        accumulated([])
