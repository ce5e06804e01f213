import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image, ImageOps

from retina_viewer.core.errors import UserError
from retina_viewer.imaging import decoded
from retina_viewer.imaging.decoded import (
    MAX_MEMORY,
    MAX_PIXELS,
    as_rgb,
    brightened,
    check_memory,
    check_size,
    oriented,
    over_black,
    stretched,
)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations_are_those_of_exif(crop: NDArray[np.uint8], orientation: int) -> None:
    image = Image.fromarray(crop)
    image.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(oriented(crop, orientation), expected)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_unknown_orientations_change_nothing(crop: NDArray[np.uint8], orientation: int) -> None:
    np.testing.assert_array_equal(oriented(crop, orientation), crop)


@given(hnp.arrays(np.uint16, (3, 4, 4)))
def test_sixteen_bit_alpha_is_exact(rgba: NDArray[np.uint16]) -> None:
    exact = rgba[..., :3].astype(object) * rgba[..., 3:].astype(object)
    expected = (exact + 32767) // 65535
    np.testing.assert_array_equal(over_black(rgba), expected.astype(np.uint16))


@given(st.integers(1, 16), st.data())
def test_stretching_keeps_ends_and_order(bits: int, data: st.DataObject) -> None:
    top = (1 << bits) - 1
    inner = data.draw(st.lists(st.integers(0, top), max_size=20))
    values = np.array(sorted([0, top, *inner]), np.uint16)
    result = stretched(values, bits)
    full = 255 if bits <= 8 else 65535
    assert result.dtype == (np.uint8 if bits <= 8 else np.uint16)
    assert (result[0], result[-1]) == (0, full)
    assert (np.diff(result.astype(int)) >= 0).all()
    np.testing.assert_allclose(result / full, values / top, atol=0.5 / full + 1e-9)


def test_values_beyond_the_declared_bits_are_clipped() -> None:
    assert stretched(np.array([4095, 5000], np.uint16), 12).tolist() == [65535, 65535]


@pytest.mark.parametrize("channels", [0, 1, 2, 3, 4])
def test_grey_becomes_three_equal_channels(crop: NDArray[np.uint8], channels: int) -> None:
    plane = crop[..., 1]
    pixels = plane if channels == 0 else np.repeat(plane[..., None], channels, axis=2)
    if channels in (2, 4):
        pixels = pixels.copy()
        pixels[..., -1] = 255
    rgb, grey = as_rgb(pixels)
    assert grey
    np.testing.assert_array_equal(rgb, np.repeat(plane[..., None], 3, axis=2))


def test_one_coloured_pixel_is_colour() -> None:
    pixels = np.full((40, 40, 3), 90, np.uint8)
    assert as_rgb(pixels)[1]
    pixels[17, 3, 2] = 91
    assert not as_rgb(pixels)[1]


@pytest.mark.parametrize(("width", "height"), [(16384, 16385), (65536, 65536)])
def test_enormous_images_are_refused(width: int, height: int) -> None:
    with pytest.raises(UserError, match="too large") as caught:
        check_size(width, height, "eye.tif")
    assert str(MAX_PIXELS // 1_000_000) in caught.value.hint


def test_the_limits_themselves_are_allowed() -> None:
    check_size(16384, 16384, "eye.tif")
    check_size(16, 16, "eye.tif")
    with pytest.raises(UserError, match="too small"):
        check_size(15, 4000, "eye.tif")


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_large_pictures_are_widened_in_bands(
    kind: type[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Widened whole, alpha took twelve times the result's memory."""
    rgba = np.random.default_rng(0).integers(0, np.iinfo(kind).max + 1, (700, 600, 4), kind)
    whole = over_black(rgba)
    monkeypatch.setattr(decoded, "BAND", 1 << 14)
    tracemalloc.start()
    laid = over_black(rgba)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * laid.nbytes
    np.testing.assert_array_equal(laid, whole)


def test_what_would_take_too_much_memory_is_refused() -> None:
    check_memory(MAX_MEMORY, "eye.tif")
    with pytest.raises(UserError, match="too large") as caught:
        check_memory(3_000_000_000, "eye.tif")
    assert "3.0 GB" in caught.value.hint


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_dim_samples_are_stretched_and_said(bits: int, channels: int) -> None:
    top = (1 << bits) - 1
    pixels = np.linspace(0, top, 400).astype(np.uint16).reshape(20, 20, 1).repeat(channels, 2)
    if channels == 4:
        pixels[..., 3] = 65535
    bright, notes = brightened(pixels)
    np.testing.assert_allclose(bright[..., 0] / 65535, pixels[..., 0] / top, atol=1e-5)
    assert f"{bits} of 16 bits" in notes[0]
    if channels == 4:
        assert bright[..., 3].min() == 65535


@pytest.mark.parametrize("top", [0, 16384, 65535])
def test_bright_and_black_samples_stay(top: int) -> None:
    pixels = np.full((20, 20, 3), top, np.uint16)
    assert brightened(pixels)[1] == ()
    np.testing.assert_array_equal(brightened(pixels)[0], pixels)
