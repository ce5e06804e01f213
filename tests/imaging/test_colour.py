import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image, ImageCms

from retina_viewer.imaging.colour import luminance, profile_space, to_8bit_depth, to_srgb


def test_without_a_profile_pixels_are_srgb(crop: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(to_srgb(crop, None), crop)


def test_the_srgb_profile_changes_nothing(crop: NDArray[np.uint8]) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    np.testing.assert_array_equal(to_srgb(crop, srgb), crop)


def test_a_profile_is_converted(crop: NDArray[np.uint8], wide_gamut_profile: bytes) -> None:
    shown = to_srgb(crop, wide_gamut_profile)
    difference = shown.astype(int) - crop[..., ::-1]
    assert np.abs(difference).max() <= 2
    assert np.abs(shown.astype(int) - crop).max() > 50


def test_sixteen_bits_are_shown_like_eight(
    deep_crop: NDArray[np.uint16], wide_gamut_profile: bytes
) -> None:
    eight = to_8bit_depth(deep_crop)
    shown = to_srgb(deep_crop, wide_gamut_profile)
    assert shown.dtype == np.uint8
    np.testing.assert_array_equal(shown, to_srgb(eight, wide_gamut_profile))


def test_the_input_is_left_alone(crop: NDArray[np.uint8], wide_gamut_profile: bytes) -> None:
    before = crop.copy()
    to_srgb(crop, wide_gamut_profile)
    np.testing.assert_array_equal(crop, before)


@pytest.mark.parametrize("profile", [b"", b"no profile", b"\0" * 200])
def test_a_broken_profile_means_srgb(crop: NDArray[np.uint8], profile: bytes) -> None:
    np.testing.assert_array_equal(to_srgb(crop, profile), crop)
    assert profile_space(profile) is None


def test_a_profile_of_another_space_means_srgb(crop: NDArray[np.uint8]) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert profile_space(lab) == "Lab"
    np.testing.assert_array_equal(to_srgb(crop, lab), crop)


@given(hnp.arrays(np.uint16, (2, 5, 3)))
def test_sixteen_bits_round_to_the_nearest_of_eight(pixels: NDArray[np.uint16]) -> None:
    np.testing.assert_array_equal(to_8bit_depth(pixels), np.rint(pixels / 257).astype(np.uint8))


def test_luminance_is_that_of_bt601(crop: NDArray[np.uint8]) -> None:
    expected = np.asarray(Image.fromarray(crop).convert("L"), np.float32)
    found = luminance(crop)
    assert found.dtype == np.float32
    assert found.shape == crop.shape[:2]
    np.testing.assert_allclose(found, expected, atol=1.0)


def test_luminance_keeps_the_units_and_white_is_one() -> None:
    assert luminance(np.ones((1, 1, 3), np.float32))[0, 0] == pytest.approx(1.0, abs=1e-6)
    assert luminance(np.full((1, 1, 3), 65535, np.uint16))[0, 0] == pytest.approx(65535, abs=0.1)
