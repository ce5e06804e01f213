import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.imaging.png import encode_png


def test_another_decoder_sees_the_same(crop: NDArray[np.uint8], wide_gamut_profile: bytes) -> None:
    data = encode_png(crop, {"Description": "Auge 眼", "Two": "x"}, wide_gamut_profile)
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        np.testing.assert_array_equal(np.asarray(image), crop)
        assert image.info["icc_profile"] == wide_gamut_profile
        assert image.info["Description"] == "Auge 眼"
        assert image.info["Two"] == "x"
    with Image.open(io.BytesIO(data)) as image:
        image.verify()  # every checksum


def test_grey_stays_one_channel(deep_crop: NDArray[np.uint16]) -> None:
    with Image.open(io.BytesIO(encode_png(deep_crop[..., 1], {}))) as image:
        assert image.mode == "I;16"
        np.testing.assert_array_equal(np.asarray(image), deep_crop[..., 1])


def test_the_same_input_gives_the_same_bytes(
    crop: NDArray[np.uint8], wide_gamut_profile: bytes
) -> None:
    first = encode_png(crop, {"a": "b"}, wide_gamut_profile)
    assert encode_png(crop.copy(), {"a": "b"}, wide_gamut_profile) == first


def test_two_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="PNG cannot hold"):
        encode_png(np.zeros((20, 20, 2), np.uint8), {})
