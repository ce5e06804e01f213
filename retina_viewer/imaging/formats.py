"""The formats that can be opened, in one place. Quick to import: the decoders are not."""

import re
from dataclasses import dataclass
from importlib.util import find_spec

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.dicom_head import looks_like_dicom

HEAD = 132
"""So many of the first bytes tell a format."""


@dataclass(frozen=True)
class Format:
    """How a format is called, and how its files usually end.

    Attributes:
        plugin: Pillow's name of it.
    """

    title: str
    suffixes: tuple[str, ...]
    plugin: str


JPEG = Format("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG")
PNG = Format("PNG", (".png",), "PNG")
TIFF = Format("TIFF", (".tif", ".tiff"), "TIFF")
BMP = Format("BMP", (".bmp", ".dib"), "BMP")
WEBP = Format("WebP", (".webp",), "WEBP")
GIF = Format("GIF", (".gif",), "GIF")
PNM = Format("PNM", (".ppm", ".pgm", ".pnm", ".pbm"), "PPM")
JPEG_2000 = Format("JPEG 2000", (".jp2", ".j2k", ".j2c", ".jpx", ".jpf"), "JPEG2000")
AVIF = Format("AVIF", (".avif",), "AVIF")
DICOM = Format("DICOM", (".dcm", ".dicom"), "")
# Pillow may be built without it.
_AVIF = (AVIF,) if find_spec("PIL._avif") else ()

FORMATS = (JPEG, PNG, TIFF, BMP, WEBP, GIF, PNM, JPEG_2000, *_AVIF, DICOM)
SUFFIXES = tuple(suffix for one in FORMATS for suffix in one.suffixes)
TITLES = ", ".join(one.title for one in FORMATS[:-1]) + f" and {FORMATS[-1].title}"
SUPPORTED = f"{TITLES} photographs can be opened."


def format_of(head: bytes) -> Format | None:
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
