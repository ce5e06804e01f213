from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.readers import open_image


def test_regions_are_cut_from_the_whole(crop: NDArray[np.uint8]) -> None:
    image = FundusImage.from_array(crop, "eye.png")
    whole = image.unit_rgb()
    assert whole.dtype == np.float32
    assert whole.max() <= 1
    np.testing.assert_allclose(whole * 255, crop, atol=1e-4)
    region = Rect(7, 11, 20, 13)
    np.testing.assert_array_equal(image.unit_rgb(region), whole[11:24, 7:27])


def test_sixteen_bits_fill_the_unit_range() -> None:
    ends = np.zeros((16, 16, 3), np.uint16)
    ends[0] = 65535
    unit = FundusImage.from_array(ends).unit_rgb()
    assert (unit.min(), unit.max()) == (0, 1)


@pytest.mark.parametrize(
    "region", [Rect(-1, 0, 5, 5), Rect(78, 0, 5, 5), Rect(0, 58, 5, 5), Rect(0, 0, 81, 2)]
)
def test_regions_outside_are_refused(crop: NDArray[np.uint8], region: Rect) -> None:
    with pytest.raises(ValueError, match="is not inside"):
        FundusImage.from_array(crop).unit_rgb(region)


def test_facts(crop: NDArray[np.uint8], deep_crop: NDArray[np.uint16]) -> None:
    image = FundusImage.from_array(crop, "eye.left.png")
    assert (image.width, image.height, image.bit_depth) == (80, 60, 8)
    assert image.bounds == Rect(0, 0, 80, 60)
    assert image.stem == "eye.left"
    assert not image.is_grey
    assert FundusImage.from_array(deep_crop).bit_depth == 16
    assert FundusImage.from_array(crop[..., 1]).is_grey


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((20, 20), np.uint8),
        np.zeros((20, 20, 4), np.uint8),
        np.zeros((20, 20, 3), np.float32),
    ],
)
def test_other_arrays_are_refused(pixels: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="pixels must be"):
        FundusImage(pixels, "eye")


def test_field_of_view_and_display_are_computed_once(samples: Path) -> None:
    image = open_image(samples / "chase_14L.jpg")
    assert image.field_of_view is image.field_of_view
    assert image.display_rgb is image.display_rgb
    assert image.field_of_view.mask.shape == (image.height, image.width)
