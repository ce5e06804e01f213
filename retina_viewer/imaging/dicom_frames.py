"""One frame of DICOM pixel data as samples: uncompressed, or through the decoder of its stream."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import uid

from retina_viewer.core.errors import UserError
from retina_viewer.imaging import jpeg
from retina_viewer.imaging.decoded import PART_WRONG, check_memory, no_such_page
from retina_viewer.imaging.dicom_file import DicomFile

_ITEM = b"\xfe\xff\x00\xe0"
_MOST_FRAGMENTS = 1_000_000
_FILLING = 256
_TILE = 12_000
"""Bytes that OpenJPEG needs to know of a tile."""
_BEGINNINGS = (b"\xff\xd8", b"\xff\x4f")
_OTHER_COLOURS = "Its colours were read as its picture stores them, not as its header says."
_FEWER = "it ends before the last of its {} pictures"


@dataclass(frozen=True)
class FrameLayout:
    """How the header says that a frame's samples lie.

    Attributes:
        channels: samples per pixel, 1 or 3.
        colour: Photometric Interpretation.
        planar: whether whole planes follow each other.
        allocated, stored, high: bits of memory a sample has, how many are used, the highest.
        signed: whether grey values may be negative, as two's complement.
        frames: how many the header promises, 1 or more.
    """

    height: int
    width: int
    channels: int
    colour: str
    planar: bool
    allocated: int
    stored: int
    high: int
    signed: bool
    frames: int


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded frame.

    Attributes:
        samples: ``(H, W)`` or ``(H, W, 3)`` uint8 or uint16, lowest bit first, not yet stretched.
        bits: significant ones of a sample.
        colour: what the samples are: a Photometric Interpretation, after what the stream says.
        pages, damage, notes: as :class:`~retina_viewer.imaging.decoded.Decoded` has them.
    """

    samples: NDArray[np.integer[Any]]
    bits: int
    colour: str
    pages: int = 1
    damage: str = ""
    notes: tuple[str, ...] = ()


def read_frame(file: DicomFile, layout: FrameLayout, page: int, name: str) -> Frame:
    """Decode one frame. Raises UserError: there is no such frame, its stream has another size than
    the header says, would take too much memory, or is of a kind for which no decoder is here. Other
    exceptions: the data is damaged."""
    assert file.pixels is not None
    if bytes(file.pixels[:4]) != _ITEM:
        return _uncompressed(file, file.pixels, layout, page, name)
    frames = _frames(file, _fragments(file.pixels, name), layout.frames)
    if not 0 <= page < len(frames):
        raise no_such_page(name, page, len(frames))
    frame = _decoded(b"".join(frames[page]), file, layout, name)
    damage = frame.damage or (_FEWER.format(layout.frames) if len(frames) < layout.frames else "")
    return replace(frame, pages=len(frames), damage=damage)


def _uncompressed(
    file: DicomFile, view: memoryview, layout: FrameLayout, page: int, name: str
) -> Frame:
    pixels = layout.height * layout.width
    whole = pixels * layout.allocated * layout.channels
    # Some programs unpack the shared colours and forget to say so.
    halved = layout.colour == "YBR_FULL_422" and 8 * len(view) < whole * layout.frames
    bits = 2 * whole // 3 if halved else whole
    # A file may promise any number of frames; what counts is what is there.
    pages = min(layout.frames, 8 * len(view) // bits)
    if pages == 0:
        raise ValueError("a part of its pixels is missing")
    if not 0 <= page < pages:
        raise no_such_page(name, page, pages)
    check_memory(file.size + 3 * pixels * max(1, layout.allocated // 8), name)
    damage = _FEWER.format(layout.frames) if pages < layout.frames else ""
    if layout.allocated == 1:
        first = page * bits
        octets = np.frombuffer(view[first // 8 : (first + bits + 7) // 8], np.uint8)
        flat = np.unpackbits(octets, bitorder="little")[first % 8 :][:bits]
    else:
        order = "<u" if file.little else ">u"
        if file.words and not file.little and layout.allocated == 8:  # two samples to a number
            swapped = np.frombuffer(view[: len(view) // 2 * 2], "<u2").byteswap()
            view = memoryview(swapped.tobytes())
        flat = np.frombuffer(view, order + str(layout.allocated // 8), bits // layout.allocated,
                             page * bits // 8)  # fmt: skip
    if halved:
        samples = _widened(flat, layout)
    elif layout.planar or layout.channels == 1:
        samples = _of_planes(flat, layout)
    else:
        samples = flat.reshape(layout.height, layout.width, layout.channels)
    return Frame(samples, layout.allocated, layout.colour, pages, damage)


def _of_planes(flat: NDArray[np.integer[Any]], layout: FrameLayout) -> NDArray[np.integer[Any]]:
    planes = flat.reshape(layout.channels, layout.height, layout.width)
    return planes[0] if layout.channels == 1 else np.moveaxis(planes, 0, -1)


def _widened(flat: NDArray[np.integer[Any]], layout: FrameLayout) -> NDArray[np.integer[Any]]:
    """Two pixels share their colour: brightness, brightness, blue, red difference."""
    if layout.width % 2:
        raise ValueError("an odd width cannot be halved")
    fours = flat.reshape(layout.height, layout.width // 2, 4)
    samples = np.empty((layout.height, layout.width, 3), flat.dtype)
    samples[:, 0::2, 0], samples[:, 1::2, 0] = fours[..., 0], fours[..., 1]
    samples[:, 0::2, 1:] = samples[:, 1::2, 1:] = fours[..., 2:]
    return samples


def _fragments(view: memoryview, name: str) -> list[memoryview]:
    """The items of encapsulated pixel data, the first of which holds the offsets of the frames."""
    at, found = 0, []
    while bytes(view[at : at + 4]) == _ITEM and at + 8 <= len(view):
        (length,) = struct.unpack_from("<I", view, at + 4)
        found.append(view[at + 8 : at + 8 + length])
        at += 8 + length
        if len(found) > _MOST_FRAGMENTS:
            raise UserError(f"{name} has too many pictures.", "Export one picture to a file.")
    return found


def _frames(file: DicomFile, found: list[memoryview], promised: int) -> list[list[memoryview]]:
    """The fragments of each frame that is there. Raises ValueError: there is none."""
    fragments = found[1:]
    if not fragments:
        raise ValueError("no picture is in it")
    if promised == 1:
        return [fragments]
    if len(fragments) <= promised:
        return [[fragment] for fragment in fragments]
    at, starts = 0, {}
    for number, fragment in enumerate(fragments):
        starts[at] = number
        at += 8 + len(fragment)
    offsets = _offsets(file, found[0], promised)
    if offsets and all(offset in starts for offset in offsets):
        firsts = sorted({starts[offset] for offset in offsets})
    else:
        firsts = [k for k, one in enumerate(fragments) if bytes(one[:2]) in _BEGINNINGS]
    ends = [*firsts[1:], len(fragments)]
    return [fragments[a:b] for a, b in zip(firsts, ends, strict=True)][:promised]


def _offsets(file: DicomFile, table: memoryview, promised: int) -> list[int]:
    """Where each frame begins, counted from the first item after the offsets; empty if unknown."""
    extended = file.value("ExtendedOffsetTable")
    data, kind = (extended, "<u8") if isinstance(extended, bytes) else (table, "<u4")
    whole = len(data) == promised * int(kind[2:])
    return [int(offset) for offset in np.frombuffer(data, kind)] if whole else []


def _decoded(stream: bytes, file: DicomFile, layout: FrameLayout, name: str) -> Frame:
    """What decodes a stream, its own first bytes say; run lengths alone have none."""
    plain, later = jpeg.jpeg_header(stream), jpeg.jpeg2000_header(stream)
    size, channels = (layout.width, layout.height), layout.channels
    # Checking a stream and completing it takes copies.
    aside = 4 * len(stream)
    decode: Callable[[], Frame]
    codec = ""
    if plain is not None:
        codec = "JPEGLS" if plain.jpeg_ls else "JPEG8"
        size, channels, each = (plain.width, plain.height), len(plain.ids), plain.needed
        decode = partial(_jpeg_ls if plain.jpeg_ls else _jpeg, stream, plain, layout.colour)
    elif later is not None:
        codec, size, channels = "JPEG2K", (later.width, later.height), later.channels
        each, aside = 8, aside + _TILE * later.tiles
        decode = partial(_jpeg_2000, stream, later, layout.colour)
    elif file.syntax == uid.RLELossless:
        codec, each = "DICOMRLE", layout.allocated // 8
        decode = partial(_run_lengths, stream, layout)
    elif file.syntax in _KNOWN:
        raise ValueError("the header of its picture is damaged")
    if not _available(codec):
        kinds = ["uncompressed", *(title for title, codec in _CODECS.items() if _available(codec))]
        raise UserError(
            f"{name} is compressed in a way that cannot be read here ({file.syntax.name}).",
            f"Export it again as {', '.join(kinds[:-1])} or {kinds[-1]}.",
        )
    if size != (layout.width, layout.height):
        raise UserError(
            f"{name} contradicts itself: {layout.width} x {layout.height} pixels by its header, "
            f"{size[0]} x {size[1]} by its picture.",
            "Export it again.",
        )
    if channels not in (1, 3):
        raise UserError(f"{name} has {channels} channels.", "Export it again as RGB.")
    check_memory(file.size + size[0] * size[1] * channels * each + aside, name)
    return decode()


_KNOWN = (*uid.UncompressedTransferSyntaxes, *uid.JPEGTransferSyntaxes,
          *uid.JPEGLSTransferSyntaxes, *uid.JPEG2000TransferSyntaxes)  # fmt: skip
_CODECS = {
    "RLE": "DICOMRLE",
    "JPEG": "JPEG8",
    "JPEG Lossless": "JPEG8",
    "JPEG-LS": "JPEGLS",
    "JPEG 2000": "JPEG2K",
    "HTJ2K": "JPEG2K",
}
"""What each kind of compression is called, and the decoder that it needs."""


def _available(codec: str) -> bool:
    return bool(getattr(getattr(imagecodecs, codec, None), "available", False))


def _jpeg(stream: bytes, header: jpeg.JpegHeader, colour: str) -> Frame:
    stream = jpeg.with_end(stream)
    damage = jpeg.jpeg_damage(stream, header)
    if len(header.ids) == 1:
        return Frame(imagecodecs.jpeg8_decode(stream), header.bits, colour, damage=damage)
    ycbcr = colour != "RGB" if header.is_ycbcr is None else header.is_ycbcr
    # What was stored without loss is not converted by the decoder.
    space = "YCBCR" if ycbcr and not header.lossless else "RGB"
    samples = imagecodecs.jpeg8_decode(stream, colorspace=space, outcolorspace="RGB")
    left = "YBR_FULL" if ycbcr and header.lossless else "RGB"
    notes = (_OTHER_COLOURS,) if ycbcr != (colour != "RGB") else ()
    return Frame(samples, header.bits, left, damage=damage, notes=notes)


def _jpeg_ls(stream: bytes, header: jpeg.JpegHeader, colour: str) -> Frame:
    return Frame(imagecodecs.jpegls_decode(jpeg.with_end(stream)), header.bits, colour)


def _jpeg_2000(stream: bytes, header: jpeg.Jpeg2000Header, colour: str) -> Frame:
    """JPEG 2000 and its high-throughput variant, HTJ2K."""
    codes = jpeg.with_end(stream[header.start :])
    damage = "" if jpeg.jpeg2000_has_all(codes, header) else PART_WRONG
    decoded = np.asarray(imagecodecs.jpeg2k_decode(codes))
    # What is signed, the data set says.
    unsigned = decoded.view(f"u{decoded.dtype.itemsize}")
    samples = unsigned & np.array((1 << header.bits) - 1, unsigned.dtype)
    mixed = header.mixed or colour in ("YBR_RCT", "YBR_ICT")
    return Frame(samples, header.bits, "RGB" if mixed else colour, damage=damage)


def _run_lengths(stream: bytes, layout: FrameLayout) -> Frame:
    """Segments of bytes: of each channel, the bytes of the highest weight first."""
    kind = np.dtype(f"<u{layout.allocated // 8}")
    values = layout.channels * layout.height * layout.width
    segments = int.from_bytes(stream[:4], "little")
    if segments != layout.channels * kind.itemsize:
        raise ValueError(f"it has {segments} segments")
    # The last segment may be filled up.
    unpacked = imagecodecs.dicomrle_decode(stream, kind, out=values * kind.itemsize + _FILLING)
    if len(unpacked) < values * kind.itemsize:
        raise ValueError("a part of its pixels is missing")
    samples = _of_planes(np.frombuffer(unpacked, kind, values), layout)
    return Frame(samples, layout.allocated, layout.colour)
