"""Small DICOM files, made for one test each."""

import io
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    OphthalmicPhotography8BitImageStorage,
    generate_uid,
)

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


def dataset(pixels: Pixels, bits: int, syntax: UID = ExplicitVRLittleEndian) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = OphthalmicPhotography8BitImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = syntax
    file = FileDataset(
        "",
        {},
        preamble=b"\0" * 128,
        file_meta=meta,
        is_implicit_VR=syntax.is_implicit_VR,
        is_little_endian=syntax.is_little_endian,
    )
    file.SOPClassUID = meta.MediaStorageSOPClassUID
    file.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    file.PatientName = "Mustermann"
    file.Rows, file.Columns = pixels.shape[:2]
    file.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    file.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        file.PlanarConfiguration = 0
    file.BitsAllocated = 8 * pixels.dtype.itemsize
    file.BitsStored, file.HighBit, file.PixelRepresentation = bits, bits - 1, 0
    file.PixelData = pixels.tobytes()
    return file


def written(file: FileDataset | bytes, folder: Path) -> Path:
    path = folder / "eye"
    if isinstance(file, bytes):
        path.write_bytes(file)
    else:
        file.save_as(path, enforce_file_format=True)
    return path


def compressed(
    pixels: Pixels, bits: int, syntax: UID, colour: str, *frames: bytes, fragments: int = 1
) -> FileDataset:
    """A file that holds encoded frames."""
    file = dataset(pixels, bits, syntax)
    file.PhotometricInterpretation = colour
    if len(frames) > 1:
        file.NumberOfFrames = len(frames)
    file.PixelData = encapsulate(list(frames), fragments_per_frame=fragments)
    file["PixelData"].VR = "OB"
    return file


def with_raw(file: FileDataset, keyword: str, kind: str, value: bytes) -> bytes:
    """The bytes of a file of Explicit VR Little Endian, with an element that nobody would write."""
    tag = Tag(tag_for_keyword(keyword) or 0)
    file.pop(tag, None)
    stream = io.BytesIO()
    file.save_as(stream, enforce_file_format=True)
    data, at = stream.getvalue(), 132
    while struct.unpack_from("<HH", data, at) < (tag.group, tag.element):
        if data[at + 4 : at + 6] in LONG:
            at += 12 + int(struct.unpack_from("<I", data, at + 8)[0])
        else:
            at += 8 + int(struct.unpack_from("<H", data, at + 6)[0])
    length = struct.pack("<2xI" if kind.encode() in LONG else "<H", len(value))
    head = struct.pack("<HH", tag.group, tag.element) + kind.encode() + length
    return data[:at] + head + value + data[at:]


LONG = (b"OB", b"OW", b"SQ", b"UN")
