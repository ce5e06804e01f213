import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.raster import read_pnm


def test_eight_bits(crop: NDArray[np.uint8]) -> None:
    stream = io.BytesIO()
    Image.fromarray(crop).save(stream, "PPM")
    decoded = read_pnm(stream.getvalue(), "im0001.ppm")
    np.testing.assert_array_equal(decoded.pixels, crop)
    assert (decoded.format, decoded.damage, decoded.notes) == ("PNM", "", ())


@pytest.mark.parametrize("colour", [True, False])
def test_sixteen_bits_with_the_high_byte_first(deep_crop: NDArray[np.uint16], colour: bool) -> None:
    pixels = deep_crop if colour else deep_crop[..., 1]
    head = b"P6" if colour else b"P5"
    data = head + b"\n# a camera\n80 60\n65535\n" + pixels.astype(">u2").tobytes()
    np.testing.assert_array_equal(read_pnm(data, "eye.ppm").pixels, pixels)


def test_the_highest_value_is_white(deep_crop: NDArray[np.uint16]) -> None:
    values = (deep_crop >> 4).astype(np.uint16)
    data = b"P6 80 60 4095\n" + values.astype(">u2").tobytes()
    pixels = read_pnm(data, "eye.ppm").pixels
    np.testing.assert_allclose(pixels / 65535, values / 4095, atol=1e-5)
    data = b"P5 80 60 100\n" + np.full((60, 80), 50, np.uint8).tobytes()
    assert set(read_pnm(data, "eye.pgm").pixels.reshape(-1)) == {128}


def test_missing_rows_are_black_and_said(crop: NDArray[np.uint8]) -> None:
    data = b"P6 80 60 255\n" + crop.tobytes()[: 80 * 3 * 40 + 7]
    decoded = read_pnm(data, "eye.ppm")
    np.testing.assert_array_equal(decoded.pixels[:40], crop[:40])
    assert decoded.pixels[40:].max() == 0
    assert decoded.damage


@pytest.mark.parametrize("head", [b"P6 80 60\n", b"P6 80 60 0\n", b"P6 80 60 70000\n"])
def test_broken_headers_are_errors(head: bytes) -> None:
    with pytest.raises(ValueError, match=r"header|highest"):
        read_pnm(head + bytes(80 * 60 * 6), "eye.ppm")


def test_the_size_is_checked_before_anything_is_made() -> None:
    with pytest.raises(UserError, match="too large"):
        read_pnm(b"P6 99999 99999 255\n", "eye.ppm")
