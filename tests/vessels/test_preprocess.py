"""The vessel network's input does not depend on illumination or camera gain."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from retina_viewer.imaging.readers import open_image
from retina_viewer.vessels.preprocess import has_contrast, local_contrast


@pytest.fixture(scope="module")
def photograph(sample_path: Callable[[str], Path]) -> tuple[np.ndarray, np.ndarray, float]:
    image = open_image(sample_path("chase_14L.jpg"))
    small = image.unit_rgb()[::3, ::3]
    return small, image.field_of_view.mask[::3, ::3], image.field_of_view.diameter / 3


def test_outside_the_field_is_zero_and_inside_is_bounded(
    photograph: tuple[np.ndarray, np.ndarray, float],
) -> None:
    contrast = local_contrast(*photograph)
    assert contrast.dtype == np.float32
    assert not contrast[~photograph[1]].any()
    assert np.abs(contrast).max() <= 4
    assert abs(float(contrast[photograph[1]].mean())) < 0.1


def test_a_dimmer_photograph_looks_alike(
    photograph: tuple[np.ndarray, np.ndarray, float],
) -> None:
    rgb, mask, diameter = photograph
    ramp = np.linspace(0.7, 1.0, rgb.shape[1], dtype=np.float32)[None, :, None]
    first = local_contrast(rgb, mask, diameter)[mask]
    second = local_contrast(rgb * ramp, mask, diameter)[mask]
    assert np.corrcoef(first[:, 1], second[:, 1])[0, 1] > 0.98


def test_flat_images_give_zeros() -> None:
    flat = np.full((40, 50, 3), 0.5, dtype=np.float32)
    contrast = local_contrast(flat, np.ones((40, 50), dtype=bool), 40)
    np.testing.assert_allclose(contrast, 0, atol=0.02)


def test_contrast_is_seen_on_a_retina_and_not_on_an_even_disk(
    photograph: tuple[np.ndarray, np.ndarray, float],
) -> None:
    rgb, mask, diameter = photograph
    assert has_contrast(local_contrast(rgb, mask, diameter), mask)[mask].mean() > 0.999
    even = mask[..., None] * np.array([0.7, 0.4, 0.2], np.float32)
    assert not has_contrast(local_contrast(even, mask, diameter), mask).any()
