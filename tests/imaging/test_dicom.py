import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.colour import WRONG_PROFILE
from retina_viewer.imaging.readers import is_supported, open_image
from tests.imaging.dicom_objects import dataset, with_raw, written


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian], ids=lambda uid: str(uid.name)
)
def test_colour(tmp_path: Path, crop: NDArray[np.uint8], syntax: UID) -> None:
    path = written(dataset(crop, 8, syntax), tmp_path)
    assert is_supported(path)
    image = open_image(path)
    np.testing.assert_array_equal(image.pixels, crop)
    assert (image.format, image.is_grey, image.um_per_px) == ("DICOM", False, None)


def test_big_endian(tmp_path: Path, deep_crop: NDArray[np.uint16]) -> None:
    file = dataset(deep_crop[..., 1], 16, ExplicitVRBigEndian)
    file.PixelData = deep_crop[..., 1].astype(">u2").tobytes()
    file["PixelData"].VR = "OW"
    image = open_image(written(file, tmp_path))
    np.testing.assert_array_equal(image.pixels[..., 0], deep_crop[..., 1])


def test_big_endian_of_8_bits(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop, 8, ExplicitVRBigEndian)
    file.PixelData = np.frombuffer(crop.tobytes(), "<u2").byteswap().tobytes()
    file["PixelData"].VR = "OW"
    np.testing.assert_array_equal(open_image(written(file, tmp_path)).pixels, crop)


@pytest.mark.parametrize("bits", [12, 16])
def test_stored_bits_fill_the_range(
    tmp_path: Path, deep_crop: NDArray[np.uint16], bits: int
) -> None:
    values = (deep_crop[..., 1] >> (16 - bits)).astype(np.uint16)
    image = open_image(written(dataset(values, bits), tmp_path))
    assert image.pixels.dtype == np.uint16
    assert image.is_grey
    expected = values * (65535 / ((1 << bits) - 1))
    np.testing.assert_allclose(image.pixels[..., 0], expected, atol=0.51)


def test_monochrome1_is_inverted(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop[..., 1], 8)
    file.PhotometricInterpretation = "MONOCHROME1"
    image = open_image(written(file, tmp_path))
    np.testing.assert_array_equal(image.pixels[..., 0], 255 - crop[..., 1])


def test_planes_one_after_the_other(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop, 8)
    file.PlanarConfiguration = 1
    file.PixelData = np.moveaxis(crop, -1, 0).tobytes()
    np.testing.assert_array_equal(open_image(written(file, tmp_path)).pixels, crop)


def test_brightness_and_colour_difference(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop, 8)
    file.PhotometricInterpretation = "YBR_FULL"
    file.PixelData = np.asarray(Image.fromarray(crop).convert("YCbCr")).tobytes()
    image = open_image(written(file, tmp_path))
    assert np.abs(image.pixels.astype(int) - crop).max() <= 3


def test_palette(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    paletted = Image.fromarray(crop).quantize(64)
    table = np.array(paletted.getpalette(), np.uint16).reshape(-1, 3)
    file = dataset(np.asarray(paletted), 8)
    file.PhotometricInterpretation = "PALETTE COLOR"
    for number, colour in enumerate(("Red", "Green", "Blue")):
        setattr(file, f"{colour}PaletteColorLookupTableDescriptor", [len(table), 0, 16])
        entries = (table[:, number] * 257).astype("<u2").tobytes()
        setattr(file, f"{colour}PaletteColorLookupTableData", entries)
    image = open_image(written(file, tmp_path))
    np.testing.assert_array_equal(image.pixels // 257, np.asarray(paletted.convert("RGB")))


def test_jpeg_inside(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    stream = io.BytesIO()
    Image.fromarray(crop).save(stream, "JPEG", quality=95)
    file = dataset(crop, 8, JPEGBaseline8Bit)
    file.PhotometricInterpretation = "YBR_FULL_422"
    file.PixelData = encapsulate([stream.getvalue()])
    file["PixelData"].VR = "OB"
    image = open_image(written(file, tmp_path))
    assert np.abs(image.pixels.astype(int) - crop).mean() < 3


def test_jpeg_2000_inside(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    stream = io.BytesIO()
    Image.fromarray(crop).save(stream, "JPEG2000", irreversible=False, no_jp2=True, mct=1)
    file = dataset(crop, 8, JPEG2000Lossless)
    file.PhotometricInterpretation = "YBR_RCT"
    file.PixelData = encapsulate([stream.getvalue()])
    file["PixelData"].VR = "OB"
    np.testing.assert_array_equal(open_image(written(file, tmp_path)).pixels, crop)


def test_run_lengths_inside(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop, 8)
    file.compress(RLELossless)
    np.testing.assert_array_equal(open_image(written(file, tmp_path)).pixels, crop)


def test_the_first_frame_of_several(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop, 8)
    file.NumberOfFrames = 2
    file.PixelData = crop.tobytes() + (255 - crop).tobytes()
    np.testing.assert_array_equal(open_image(written(file, tmp_path)).pixels, crop)


@pytest.mark.parametrize(
    ("spacing", "expected"),
    [
        (b"0.0062\\0.0062", 6.2),
        (b"0.006\\0.009 ", None),
        (b"0\\0 ", None),
        (b"wide\\wide ", None),
        (b"0.0062", None),
        (b"", None),
        (b"1e999\\1e999 ", None),
    ],
)
def test_spacing_of_square_pixels(
    tmp_path: Path, crop: NDArray[np.uint8], spacing: bytes, expected: float | None
) -> None:
    path = written(with_raw(dataset(crop, 8), "PixelSpacing", "DS", spacing), tmp_path)
    found = open_image(path).um_per_px
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("keyword", "kind", "value"),
    [
        ("NumberOfFrames", "IS", b""),
        ("NumberOfFrames", "IS", b"many"),
        ("ICCProfile", "OB", b"no profile"),
        ("WindowCenter", "DS", b"dark"),
        ("PlanarConfiguration", "US", b""),
        ("Manufacturer", "Q9", b"Nobody"),
        ("StudyDate", "DA", b"yesterday "),
        ("OpticalPathSequence", "SQ", b"\xfe\xff\x00\xe0\x40\x00\x00\x00"),
    ],
)
def test_a_damaged_value_does_not_stop_whole_pixels(
    tmp_path: Path, crop: NDArray[np.uint8], keyword: str, kind: str, value: bytes
) -> None:
    path = written(with_raw(dataset(crop, 8), keyword, kind, value), tmp_path)
    np.testing.assert_array_equal(open_image(path).pixels, crop)


def test_the_profile_is_kept(
    tmp_path: Path, crop: NDArray[np.uint8], wide_gamut_profile: bytes
) -> None:
    file = dataset(crop, 8)
    file.ICCProfile = wide_gamut_profile
    assert open_image(written(file, tmp_path)).icc_profile == wide_gamut_profile


def test_a_profile_that_cannot_be_used_is_said(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop, 8)
    file.ICCProfile = b"no profile"
    image = open_image(written(file, tmp_path))
    assert image.icc_profile is None
    assert image.notes == (WRONG_PROFILE,)


def test_an_unknown_compression_is_named(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop, 8, MPEG2MPML)
    file.PixelData = encapsulate([b"\0\0\1\xb3" + bytes(60)])
    file["PixelData"].VR = "OB"
    with pytest.raises(UserError, match="MPEG2") as caught:
        open_image(written(file, tmp_path))
    # What is named is what the decoders can do.
    assert (
        "uncompressed, RLE, JPEG, JPEG Lossless, JPEG-LS, JPEG 2000 or HTJ2K" in caught.value.hint
    )


def test_a_file_without_a_picture_is_said(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop, 8)
    del file.PixelData
    with pytest.raises(UserError, match="without a picture"):
        open_image(written(file, tmp_path))


def test_signed_numbers_are_no_photograph(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop[..., 1], 8)
    file.PixelRepresentation = 1
    with pytest.raises(UserError, match="measurements"):
        open_image(written(file, tmp_path))


def test_cut_files_are_said_to_be_incomplete(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    path = written(dataset(crop, 8), tmp_path)
    data = path.read_bytes()
    for part in (0.1, 0.5, 0.99):
        path.write_bytes(data[: int(part * len(data))])
        with pytest.raises(UserError) as caught:
            open_image(path)
        assert caught.value.hint


def test_no_message_names_the_patient(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop, 8)
    file.PhotometricInterpretation = "SOMETHING"
    with pytest.raises(UserError) as caught:
        open_image(written(file, tmp_path))
    assert "Mustermann" not in str(caught.value)
