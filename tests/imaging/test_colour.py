import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image, ImageCms

from retina_viewer.imaging import decoded
from retina_viewer.imaging.colour import luminance, profile_space, red_free, to_8bit_depth, to_srgb
from tests.imaging.profiles import icc_profile


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


def linear_profile(name: str) -> bytes:
    """Primaries of sRGB, in linear light."""
    words = name.encode() + b"\0"
    tags = {
        b"desc": struct.pack(">4s4xI", b"desc", len(words)) + words + bytes(78),
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061),
    }
    primaries = ((28578, 14582, 912), (25241, 46981, 6360), (9371, 3973, 46788))
    for letter, primary in zip((b"r", b"g", b"b"), primaries, strict=True):
        tags[letter + b"XYZ"] = b"XYZ \0\0\0\0" + struct.pack(">3i", *primary)
        tags[letter + b"TRC"] = struct.pack(">4s4xI", b"curv", 0)
    return icc_profile(b"RGB ", tags)


def test_the_curves_decide_what_is_srgb_not_the_name() -> None:
    pixels = np.full((20, 20, 3), 55, np.uint8)
    shown = to_srgb(pixels, linear_profile("sRGB linear"))
    assert abs(int(shown[0, 0, 1]) - 128) <= 2


def test_srgb_by_another_name_changes_nothing(crop: NDArray[np.uint8]) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    named = srgb.replace("sRGB".encode("utf-16-be"), "Mine".encode("utf-16-be"))
    assert named != srgb
    np.testing.assert_array_equal(to_srgb(crop, named), crop)


def test_large_pictures_are_converted_in_bands(
    wide_gamut_profile: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Widened whole, they would take several times their own memory."""
    monkeypatch.setattr(decoded, "BAND", 1 << 14)
    pixels = np.random.default_rng(0).integers(0, 65536, (700, 600, 3), np.uint16)
    to_srgb(pixels[:9], wide_gamut_profile)
    tracemalloc.start()
    shown = to_srgb(pixels, wide_gamut_profile)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.5 * shown.nbytes
    np.testing.assert_array_equal(shown[:9], to_srgb(pixels[:9], wide_gamut_profile))
    np.testing.assert_array_equal(shown[-9:], to_srgb(pixels[-9:], wide_gamut_profile))


def test_red_free_is_green_as_grey(crop: NDArray[np.uint8]) -> None:
    shown = red_free(crop)
    assert shown.shape == crop.shape
    for channel in range(3):
        np.testing.assert_array_equal(shown[..., channel], crop[..., 1])
