"""The saliency layer is the exact map at one size of the retina."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.readers import open_image
from retina_viewer.saliency.layer import saliency_layer
from retina_viewer.saliency.local import saliency_map


@pytest.fixture(scope="module")
def photograph(samples: Path) -> FundusImage:
    return open_image(samples / "chase_14L.jpg")


def test_a_narrower_field_is_taken_as_it_is(photograph: FundusImage) -> None:
    mask = photograph.field_of_view.mask
    expected = saliency_map(photograph.unit_rgb(), mask)
    np.testing.assert_array_equal(saliency_layer(photograph), expected)
    np.testing.assert_array_equal(saliency_layer(photograph, field=None), expected)


@pytest.mark.slow
def test_it_means_the_same_for_a_camera_with_more_pixels(photograph: FundusImage) -> None:
    size = (2 * photograph.width, 2 * photograph.height)
    large = FundusImage.from_array(
        np.asarray(cv2.resize(photograph.pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    )
    mask = photograph.field_of_view.mask
    first = saliency_layer(photograph, field=400)
    second = saliency_layer(large, field=400)
    assert second.shape == (large.height, large.width)
    assert second.dtype == np.float32
    native = saliency_map(large.unit_rgb(), large.field_of_view.mask)
    size = (photograph.width, photograph.height)
    now, before = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (second, native))
    assert np.corrcoef(first[mask], now[mask])[0, 1] > 0.9
    assert np.corrcoef(first[mask], before[mask])[0, 1] < 0.7  # without averaging


def test_it_ends_at_the_rim_and_does_not_fade_there(photograph: FundusImage) -> None:
    found = saliency_layer(photograph, field=300)
    field = photograph.field_of_view
    assert found.min() >= 0
    assert found.max() <= 1
    assert not found[~field.mask].any()
    rows, columns = np.mgrid[: photograph.height, : photograph.width] + 0.5
    away = np.hypot(columns - field.centre_x, rows - field.centre_y) / (field.diameter / 2)
    rim = found[field.mask & (away > 0.995)]
    within = found[field.mask & (away > 0.97) & (away < 0.98)]
    assert np.median(rim) > 0.7 * np.median(within)


@pytest.mark.parametrize("size", [(16, 12_000), (9, 1100), (23, 30), (16, 16)])
@pytest.mark.parametrize("lit", [True, False])
def test_strips_and_tiny_pictures_have_one(size: tuple[int, int], lit: bool) -> None:
    picture = np.zeros((*size, 3), np.uint8)
    if lit:
        picture[:, size[1] // 3 :] = (200, 95, 40)
        picture[::3, size[1] // 2 :] = (120, 50, 20)
    for pixels in (picture, np.ascontiguousarray(picture.swapaxes(0, 1))):
        found = saliency_layer(FundusImage.from_array(pixels))
        assert found.shape == pixels.shape[:2]
        assert np.isfinite(found).all()
        assert found.any() == lit


def test_noise_on_one_colour_is_not_salient() -> None:
    noise = np.random.default_rng(0).integers(-1, 2, (60, 80, 3))
    flat = (np.array([120, 60, 30]) + noise).astype(np.uint8)
    assert not saliency_layer(FundusImage.from_array(flat)).any()
