from __future__ import annotations

import subprocess
import sys

import pytest

from retina_viewer.core.names import IMAGE_SUFFIXES
from retina_viewer.imaging.formats import FORMATS, SUFFIXES, SUPPORTED, format_of, looks_like_dicom


def test_what_can_be_opened_is_said_by_the_list_of_the_decoders() -> None:
    assert all(one.title in SUPPORTED for one in FORMATS)
    assert {".ppm", ".jp2", ".avif", ".dcm", ".tif"} <= set(SUFFIXES)


def test_every_suffix_is_left_out_of_the_names_of_results() -> None:
    assert set(SUFFIXES) <= set(IMAGE_SUFFIXES)


def test_text_that_begins_like_a_picture_is_none() -> None:
    for head in (b"P", b"P6x", b"Patient 1", b"", b"RIFF0000WAVE", b"\0\0\0\x18ftypmp42"):
        assert format_of(head) is None


def test_brands_are_looked_for_among_the_compatible_ones_too() -> None:
    heif = b"\0\0\0\x1cftypmif1\0\0\0\0miafavif" + bytes(100)
    found = format_of(heif)
    assert found is not None
    assert found.title == "AVIF"


@pytest.mark.parametrize(
    "head",
    [
        bytes(128) + b"DICM",
        b"DICM\x02\0\0\0UL\x04\0",
        b"\x02\0\0\0UL\x04\0\x9c\0\0\0\x02\0\1\0OB\0\0\2\0\0\0\0\1" + bytes(100),
        b"\x08\0\x05\0CS\x0a\0ISO_IR 100\x08\0\x08\0CS\x04\0A\\B " + bytes(100),
        b"\x08\0\x08\0\x04\0\0\0A\\B \x08\0\x16\0\x04\0\0\x001.2\0" + bytes(100),
        b"\0\x08\0\x08CS\0\x04A\\B \0\x08\0\x16UI\0\x041.2\0" + bytes(100),
    ],
)
def test_dicom_with_and_without_its_preamble(head: bytes) -> None:
    assert looks_like_dicom(head[:132])


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"II*\0" + bytes(128),
        b"\x08\0",
        bytes(132),
        b"The quick brown fox jumps over the lazy dog. " * 3,
        b"\x08\0\x08\0\xff\xff\xff\xff" + bytes(124),
        b"\x02\0\0\0UL\x04\0\x9c\0\0\0this is no second element",
        b"\x08\0\x16\0UI\x04\x001.2\0\x01\0\x02\0UI\x04\x001.2\0" + bytes(100),
    ],
)
def test_other_files_are_not_taken_for_it(head: bytes) -> None:
    assert not looks_like_dicom(head)


def test_asking_imports_nothing_slow() -> None:
    """The window asks for every file of a folder."""
    code = "import sys, retina_viewer.imaging.readers; sys.exit('pydicom' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
