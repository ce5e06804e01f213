from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, Sequence
from pydicom.dataset import FileDataset
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
from retina_viewer.imaging.fundus_image import FundusImage
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


Deep = NDArray[np.uint16]


@pytest.fixture
def grey(deep_crop: Deep) -> Deep:
    """12 bits, from 0 to 4095."""
    plane = deep_crop[..., 1].astype(float)
    return np.asarray(np.rint((plane - plane.min()) / np.ptp(plane) * 4095), np.uint16)


def shown(file: FileDataset, folder: Path) -> tuple[FundusImage, NDArray[np.float64]]:
    """The image, and its grey values from 0 to 1."""
    image = open_image(written(file, folder))
    assert image.is_grey
    return image, image.pixels[..., 0] / np.iinfo(image.pixels.dtype).max


def lut(entries: NDArray[np.integer], bits: int, first: int = 0) -> Sequence:
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = entries.astype("<u2").tobytes()
    item["LUTData"].VR = "OW"
    return Sequence([item])


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(("bits", "claimed"), [(12, 16), (14, 16), (10, 12), (8, 16), (8, 12)])
def test_fewer_bits_than_claimed_are_not_shown_in_the_dark(
    tmp_path: Path, deep_crop: Deep, bits: int, claimed: int, colour: bool
) -> None:
    values = (deep_crop if colour else deep_crop[..., 0].copy()) >> (16 - bits)
    image = open_image(written(dataset(values.astype(np.uint16), claimed), tmp_path))
    top = np.iinfo(image.pixels.dtype).max
    channel = values[..., 0] if colour else values
    np.testing.assert_allclose(image.pixels[..., 0] / top, channel / (2**bits - 1), atol=0.002)
    assert f"fill {bits} of {claimed} bits" in image.notes[0]


@pytest.mark.parametrize("bits", [9, 10, 12, 15])
def test_declared_bits_are_taken_without_a_word(tmp_path: Path, deep_crop: Deep, bits: int) -> None:
    values = (deep_crop[..., 0] >> (16 - bits)).astype(np.uint16)
    image, unit = shown(dataset(values, bits), tmp_path)
    np.testing.assert_allclose(unit, values / (2**bits - 1), atol=1e-4)
    assert image.notes == ()


def test_more_bits_than_declared_are_said(tmp_path: Path, grey: Deep) -> None:
    image, unit = shown(dataset(grey, 8), tmp_path)
    np.testing.assert_allclose(unit, grey / 4095, atol=1e-4)
    assert "take 12 bits" in image.notes[0]


def test_a_dark_photograph_is_said_to_be_dark(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    image = open_image(written(dataset(crop // 16, 8), tmp_path))
    np.testing.assert_array_equal(image.pixels, crop // 16)
    assert "very dark" in image.notes[0]


def test_values_in_the_upper_bits(tmp_path: Path, grey: Deep) -> None:
    file = dataset((grey << 4).astype(np.uint16), 12)
    file.HighBit = 15
    image, unit = shown(file, tmp_path)
    np.testing.assert_allclose(unit, grey / 4095, atol=1e-4)
    assert image.notes == ()


def test_the_window_is_used_and_said(tmp_path: Path, grey: Deep) -> None:
    file = dataset(grey, 12)
    file.WindowCenter, file.WindowWidth = [1000, 2], [801, 3]  # the first of two counts
    image, unit = shown(file, tmp_path)
    np.testing.assert_allclose(unit, np.clip((grey - 599.5) / 800, 0, 1), atol=1e-4)
    assert "centre 1000, width 801" in image.notes[0]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("LINEAR_EXACT", lambda x: np.clip((x - 1000) / 800 + 0.5, 0, 1)),
        ("SIGMOID", lambda x: 1 / (1 + np.exp(-4 * (x - 1000) / 800))),
    ],
)
def test_other_windows(tmp_path: Path, grey: Deep, kind: str, expected: np.ufunc) -> None:
    file = dataset(grey, 12)
    file.WindowCenter, file.WindowWidth, file.VOILUTFunction = 1000, 800, kind
    _, unit = shown(file, tmp_path)
    np.testing.assert_allclose(unit, expected(grey.astype(float)), atol=1e-4)


def test_the_window_of_everything_changes_nothing(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop[..., 1], 8)
    file.WindowCenter, file.WindowWidth = 128, 256
    image, _ = shown(file, tmp_path)
    np.testing.assert_array_equal(image.pixels[..., 0], crop[..., 1])
    assert image.notes == ()


def test_a_window_that_hides_everything_is_not_used(tmp_path: Path, grey: Deep) -> None:
    file = dataset(grey, 12)
    file.WindowCenter, file.WindowWidth = 60000, 10
    image, unit = shown(file, tmp_path)
    np.testing.assert_allclose(unit, grey / 4095, atol=1e-4)
    assert "would hide all" in image.notes[0]


def test_a_window_means_rescaled_values(tmp_path: Path, grey: Deep) -> None:
    file = dataset(grey, 12)
    file.RescaleSlope, file.RescaleIntercept = 2, -1000
    file.WindowCenter, file.WindowWidth = 1000, 2001
    _, unit = shown(file, tmp_path)
    np.testing.assert_allclose(unit, np.clip((2.0 * grey - 1000 + 0.5) / 2000, 0, 1), atol=1e-4)


def test_a_falling_scale_is_a_negative(tmp_path: Path, grey: Deep) -> None:
    file = dataset(grey, 12)
    file.RescaleSlope, file.RescaleIntercept = -1, 4095
    _, unit = shown(file, tmp_path)
    np.testing.assert_allclose(unit, 1 - grey / 4095, atol=1e-4)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("sequence", ["VOILUTSequence", "ModalityLUTSequence"])
def test_tables_of_the_file(tmp_path: Path, grey: Deep, syntax: UID, sequence: str) -> None:
    curve = np.rint(1023 * np.sqrt(np.arange(3000) / 2999)).astype(np.uint16)
    file = dataset(grey, 12, syntax)
    setattr(file, sequence, lut(curve, 10, first=500))
    image, unit = shown(file, tmp_path)
    expected = curve[np.clip(grey.astype(int) - 500, 0, 2999)] / 1023
    np.testing.assert_allclose(unit, expected, atol=1e-4)
    assert "table that the file gives" in image.notes[0]


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME1", "", True),
    ],
)
def test_negatives(
    tmp_path: Path, grey: Deep, photometric: str, shape: str, inverted: bool
) -> None:
    file = dataset(grey, 12)
    file.PhotometricInterpretation, file.PresentationLUTShape = photometric, shape
    _, unit = shown(file, tmp_path)
    np.testing.assert_allclose(unit, 1 - grey / 4095 if inverted else grey / 4095, atol=1e-4)


def test_signed_values_need_a_window(tmp_path: Path, grey: Deep) -> None:
    signed = grey.astype(np.int16) - 2048
    file = dataset(signed.view(np.uint16), 12)
    file.PixelRepresentation = 1
    with pytest.raises(UserError, match="measurements"):
        open_image(written(file, tmp_path))
    file.WindowCenter, file.WindowWidth = 0, 2001
    image, unit = shown(file, tmp_path)
    np.testing.assert_allclose(unit, np.clip((signed + 1000.5) / 2000, 0, 1), atol=1e-4)
    assert "centre 0" in image.notes[0]


def test_signed_values_that_are_never_negative(tmp_path: Path, grey: Deep) -> None:
    file = dataset(grey, 13)
    file.PixelRepresentation = 1
    image, unit = shown(file, tmp_path)
    np.testing.assert_allclose(unit, grey / 4095, atol=1e-4)
    assert image.notes == ()


def palette_file(indices: Deep | NDArray[np.uint8], bits: int, depth: int) -> FileDataset:
    file = dataset(indices, bits)
    file.PhotometricInterpretation = "PALETTE COLOR"
    for colour in ("Red", "Green", "Blue"):
        setattr(file, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, depth])
        file[f"{colour}PaletteColorLookupTableDescriptor"].VR = "US"
    return file


COLOURS = np.stack([np.arange(256), np.arange(256)[::-1], np.arange(256) // 2], -1)


@pytest.mark.parametrize(
    ("depth", "kind", "factor", "expected"),
    [
        (16, "<u2", 257, 257),
        (16, "<u2", 1, 1),
        (8, "<u2", 1, 1),
        (8, "u1", 1, 1),
        (8, "<u2", 256, 1),
    ],
)
def test_palettes_of_every_depth(
    tmp_path: Path, crop: NDArray[np.uint8], depth: int, kind: str, factor: int, expected: int
) -> None:
    """16 bits; 8 bits in 16, with a true and a false depth; 8 bits; 8 bits in the upper byte."""
    file = palette_file(crop[..., 1], 8, depth)
    for number, colour in enumerate(("Red", "Green", "Blue")):
        entries = (COLOURS[:, number] * factor).astype(kind).tobytes()
        setattr(file, f"{colour}PaletteColorLookupTableData", entries)
    image = open_image(written(file, tmp_path))
    np.testing.assert_array_equal(image.pixels, COLOURS[crop[..., 1]] * expected)
    assert image.pixels.dtype == (np.uint16 if expected > 1 else np.uint8)


def test_a_palette_in_segments(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = palette_file(crop[..., 1], 8, 16)
    for colour, top in (("Red", 65535), ("Green", 32768), ("Blue", 256)):
        # One value as it is, then 255 more on a straight line.
        segments = np.array([0, 1, 0, 1, 255, top], "<u2").tobytes()
        setattr(file, f"Segmented{colour}PaletteColorLookupTableData", segments)
    image = open_image(written(file, tmp_path))
    expected = crop[..., 1, None] / 255 * (65535, 32768, 256)
    np.testing.assert_allclose(image.pixels, expected, atol=1)
