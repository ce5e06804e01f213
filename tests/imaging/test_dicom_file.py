"""What a picture does not need is not read: its damage and its size do not matter."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from retina_viewer.core.errors import UserError
from retina_viewer.imaging import dicom_file
from retina_viewer.imaging.dicom_file import read_file
from retina_viewer.imaging.readers import is_supported, open_image
from tests.imaging.dicom_objects import dataset, with_raw, written

ITEM, ITEM_END = b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0\0\0\0\0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
NESTED = struct.pack("<HH2s2xI", 0x0008, 0x1140, b"SQ", 0xFFFFFFFF)


def endless(crop: NDArray[np.uint8], inside: bytes) -> bytes:
    """A file with a sequence of unknown length before its picture."""
    placed = with_raw(dataset(crop, 8), "ReferencedImageSequence", "SQ", inside)
    length = struct.pack("<I", len(inside))
    head = NESTED[:8]
    assert placed.count(head + length) == 1
    return placed.replace(head + length, NESTED)


def test_pixels_without_preamble(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    data = written(dataset(crop, 8), tmp_path).read_bytes()
    for start in (132, 128):  # the second: "DICM", but nothing before it
        path = written(data[start:], tmp_path)
        assert is_supported(path)
        np.testing.assert_array_equal(open_image(path).pixels, crop)


def test_a_file_that_is_tiff_as_well_is_dicom(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    """Scanners and archives write the beginning of a TIFF into the preamble."""
    data = written(dataset(crop, 8), tmp_path).read_bytes()
    both = b"II*\0" + struct.pack("<I", len(data)) + bytes(120) + data[128:] + bytes(6)
    image = open_image(written(both, tmp_path))
    assert image.format == "DICOM"
    np.testing.assert_array_equal(image.pixels, crop)


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_pixels_without_file_meta(tmp_path: Path, crop: NDArray[np.uint8], syntax: UID) -> None:
    file = dataset(crop, 8, syntax)
    bare = Dataset({element.tag: element for element in file})
    stream = io.BytesIO()
    little = syntax.is_little_endian
    pydicom.dcmwrite(stream, bare, implicit_vr=syntax.is_implicit_VR, little_endian=little)
    path = written(stream.getvalue(), tmp_path)
    assert is_supported(path)
    np.testing.assert_array_equal(open_image(path).pixels, crop)


@pytest.mark.parametrize("deep", [1, 50, 5000])
def test_what_is_nested_is_stepped_over(crop: NDArray[np.uint8], deep: int) -> None:
    nest = (ITEM + NESTED) * deep + SEQUENCE_END + (ITEM_END + SEQUENCE_END) * deep
    file = read_file(endless(crop, nest), "eye")
    assert bytes(file.pixels or b"") == crop.tobytes()
    assert file.whole("Rows", 0) == 60


def test_what_is_nested_without_end_is_refused(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    data = endless(crop, (ITEM + NESTED) * 5000)
    with pytest.raises(UserError, match="damaged"):
        open_image(written(data, tmp_path))


def test_too_many_elements_are_refused(
    tmp_path: Path, crop: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicom_file, "_MOST_ELEMENTS", 1000)
    items = b"\xfe\xff\x00\xe0\0\0\0\0" * 1001
    path = written(endless(crop, items + SEQUENCE_END), tmp_path)
    with pytest.raises(UserError, match="elements"):
        open_image(path)


def test_a_huge_element_costs_nothing(crop: NDArray[np.uint8]) -> None:
    data = with_raw(dataset(crop, 8), "EncapsulatedDocument", "OB", bytes(8 << 20))
    empty_items = b"\xfe\xff\x00\xe0\0\0\0\0" * (1 << 20)
    paths = with_raw(dataset(crop, 8), "OpticalPathSequence", "SQ", empty_items)
    for one in (data, paths):
        tracemalloc.start()
        assert read_file(one, "eye").value("OpticalPathSequence") is None
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 1 << 20


@pytest.mark.parametrize(
    ("sound", "damaged"),
    [
        (b"LO\x06\0Nobody", b"LO\x07\0Nobody"),
        (b"LO\x06\0Nobody", b"LO\x40\x9cNobody"),
        (b"LO\x06\0Nobody", b"LO\x02\0Nobody"),
        (b"LO\x06\0Nobody", b"\0\0\x06\0Nobody"),
        (b"LO\x06\0Nobody", b"OB\x06\0Nobody"),
    ],
)
def test_a_damaged_element_is_left_behind(
    tmp_path: Path, crop: NDArray[np.uint8], sound: bytes, damaged: bytes
) -> None:
    data = with_raw(dataset(crop, 8), "Manufacturer", "LO", b"Nobody")
    assert data.count(sound) == 1
    path = written(data.replace(sound, damaged), tmp_path)
    np.testing.assert_array_equal(open_image(path).pixels, crop)


def test_an_element_that_reaches_beyond_the_end_is_damage(
    tmp_path: Path, crop: NDArray[np.uint8]
) -> None:
    data = with_raw(dataset(crop, 8), "ICCProfile", "OB", bytes(64))
    at = data.index(b"\x28\0\0\x20OB") + 8
    with pytest.raises(UserError, match="ends too early"):
        open_image(written(data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 : at + 40], tmp_path))


def deflated(crop: NDArray[np.uint8], pixels: bytes) -> bytes:
    file = dataset(crop, 8, DeflatedExplicitVRLittleEndian)
    file.PixelData = pixels
    stream = io.BytesIO()
    file.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def test_a_deflated_file(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    data = deflated(crop, crop.tobytes())
    np.testing.assert_array_equal(open_image(written(data, tmp_path)).pixels, crop)
    with pytest.raises(UserError, match="damaged"):
        open_image(written(data[:-300], tmp_path))


def test_unpacking_is_bounded(
    tmp_path: Path, crop: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """24 MB of zeros in 24 kB: unpacking stops at the limit."""
    monkeypatch.setattr(dicom_file, "MAX_MEMORY", 8 << 20)
    monkeypatch.setattr(dicom_file, "_STEP", 1 << 20)
    path = written(deflated(crop, bytes(24 << 20)), tmp_path)
    tracemalloc.start()
    with pytest.raises(UserError, match="too large: unpacked"):
        open_image(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 16 << 20


def test_deflated_rubbish_is_damage(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    data = deflated(crop, crop.tobytes())
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    start = data.index(b"1.2.840.10008.1.2.1.99")
    rubbish = data[: start + 400] + packer.compress(b"x" * 1000) + packer.flush()
    with pytest.raises(UserError, match="damaged"):
        open_image(written(rubbish, tmp_path))


@pytest.mark.parametrize(("rows", "columns"), [(65535, 65535), (16385, 16384), (15, 80), (0, 80)])
def test_sizes_out_of_bounds_are_refused(
    tmp_path: Path, crop: NDArray[np.uint8], rows: int, columns: int
) -> None:
    file = dataset(crop, 8)
    file.Rows, file.Columns = rows, columns
    with pytest.raises(UserError, match=r"too large|too small|without a picture"):
        open_image(written(file, tmp_path))


def test_measurements_are_no_photograph(tmp_path: Path, crop: NDArray[np.uint8]) -> None:
    file = dataset(crop[..., 0], 8)
    del file.PixelData
    file.FloatPixelData = crop[..., 0].astype("<f4").tobytes()
    with pytest.raises(UserError, match="measurements"):
        open_image(written(file, tmp_path))


def test_a_sequence_is_read_where_it_is_wanted(
    tmp_path: Path, crop: NDArray[np.uint8], wide_gamut_profile: bytes
) -> None:
    for length in (True, False):
        file = dataset(crop, 8, JPEG2000Lossless if length else ExplicitVRLittleEndian)
        file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        item = Dataset()
        item.ICCProfile = wide_gamut_profile
        item.is_undefined_length_sequence_item = length
        file.OpticalPathSequence = Sequence([item])
        file["OpticalPathSequence"].is_undefined_length = length
        assert open_image(written(file, tmp_path)).icc_profile == wide_gamut_profile
