"""The formats that can be opened, in one place. Quick to import: the decoders are not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec

from retina_viewer.core.errors import UserError

HEAD = 132
"""So many of the first bytes tell a format."""


@dataclass(frozen=True)
class ImageFormat:
    """How a format is called, how its files usually end, and Pillow's name of it."""

    title: str
    suffixes: tuple[str, ...]
    plugin: str


JPEG = ImageFormat("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG")
PNG = ImageFormat("PNG", (".png",), "PNG")
TIFF = ImageFormat("TIFF", (".tif", ".tiff"), "TIFF")
BMP = ImageFormat("BMP", (".bmp", ".dib"), "BMP")
WEBP = ImageFormat("WebP", (".webp",), "WEBP")
GIF = ImageFormat("GIF", (".gif",), "GIF")
PNM = ImageFormat("PNM", (".ppm", ".pgm", ".pnm", ".pbm"), "PPM")
JPEG_2000 = ImageFormat("JPEG 2000", (".jp2", ".j2k", ".j2c", ".jpx", ".jpf"), "JPEG2000")
AVIF = ImageFormat("AVIF", (".avif",), "AVIF")
DICOM = ImageFormat("DICOM", (".dcm", ".dicom"), "")
# Pillow may be built without it.
_AVIF = (AVIF,) if find_spec("PIL._avif") else ()

FORMATS = (JPEG, PNG, TIFF, BMP, WEBP, GIF, PNM, JPEG_2000, *_AVIF, DICOM)
SUFFIXES = tuple(suffix for one in FORMATS for suffix in one.suffixes)
TITLES = ", ".join(one.title for one in FORMATS[:-1]) + f" and {FORMATS[-1].title}"
SUPPORTED = f"{TITLES} photographs can be opened."


def format_of(head: bytes) -> ImageFormat | None:
    """What a file is by its first :data:`HEAD` bytes; None for what cannot be opened."""
    if head[128:132] == b"DICM":  # whatever stands before it: some files are TIFF as well
        return DICOM
    for one, starts in _STARTS:
        if head.startswith(starts):
            return one
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if _PNM.match(head):
        return PNM
    if _AVIF and {b"avif", b"avis"} & _brands(head):
        return AVIF
    return DICOM if looks_like_dicom(head) else None


def not_readable(head: bytes, name: str) -> UserError:
    """What a person is told of a file whose format is none of these."""
    if b"avif" in _brands(head):
        return UserError(f"{name} is an AVIF picture, which cannot be read here.", _CONVERT)
    if _HEIC & _brands(head):
        return UserError(f"{name} is a HEIC picture, which cannot be read here.", _CONVERT)
    return UserError(f"{name} is not an image that can be read.", SUPPORTED)


_STARTS = (
    (JPEG, (b"\xff\xd8\xff",)),
    (PNG, (b"\x89PNG\r\n\x1a\n",)),
    (TIFF, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (BMP, (b"BM",)),
    (GIF, (b"GIF87a", b"GIF89a")),
    (JPEG_2000, (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")),
)
_PNM = re.compile(rb"P[1-6][\s#]")
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_CONVERT = (
    "Convert it to JPEG or PNG: most picture programs do, and telephones can be told to send JPEG."
)


def _brands(head: bytes) -> set[bytes]:
    """Of an ISO media file: its own brand and those it is compatible with."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}


_TEXT_OR_NUMBER = frozenset(b"AE AS CS DA DT IS LO LT PN SH ST TM UI UL US".split())


def looks_like_dicom(head: bytes) -> bool:
    """Whether these first bytes (132 of them tell most) begin a DICOM file.

    The preamble and ``DICM`` may be missing, and so may the file meta group: then the first
    elements must be what a data set begins with.
    """
    if head[128:132] == b"DICM" or head[:4] == b"DICM":
        return True
    return any(
        _two_elements(head, order, explicit)
        for order, explicit in (("little", True), ("little", False), ("big", True))
    )


def _two_elements(head: bytes, order: str, explicit: bool) -> bool:
    first = _element(head, 0, order, explicit)
    if first is None or first[0] not in (0x0002, 0x0008):
        return False
    group, number, end = first
    if end > len(head) - 8:
        return number in (0x0000, 0x0001, 0x0005, 0x0008, 0x0016)
    second = _element(head, end, order, explicit)
    return second is not None and (group, number) < second[:2] <= (0x0010, 0xFFFF)


def _element(head: bytes, at: int, order: str, explicit: bool) -> tuple[int, int, int] | None:
    """Group, number and end of the short element at ``at``; None where none can be there."""
    if at + 12 > len(head):
        return None

    def number(start: int, size: int) -> int:
        return int.from_bytes(head[start : start + size], "little" if order == "little" else "big")

    group, element = number(at, 2), number(at + 2, 2)
    kind = head[at + 4 : at + 6]
    if not explicit:
        length, start = number(at + 4, 4), at + 8
    elif kind in _TEXT_OR_NUMBER:
        length, start = number(at + 6, 2), at + 8
    elif kind == b"OB" and (group, element) == (0x0002, 0x0001):
        length, start = number(at + 8, 4), at + 12
    else:
        return None
    return (group, element, start + length) if length % 2 == 0 and length <= 1024 else None
