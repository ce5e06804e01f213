"""JPEG, decoded so that torn data is noticed: the decoder itself fills the gap without a word.

Given the coded data of a scan short of its last bytes, a decoder cannot have finished the scan;
given all of them, it must have. Where bytes were lost or overwritten, the blocks after them end
too early or too late, and one of the two does not hold. The same is asked at each restart marker.

For streams inside DICOM: what the headers of JPEG, JPEG-LS and JPEG 2000 say.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from retina_viewer.imaging.decoded import END_MISSING, PART_WRONG

_MARKER = re.compile(rb"\xff+[^\x00\xff]")
_EOI, _SOS, _TEM = 0xD9, 0xDA, 0x01
_RESTARTS = range(0xD0, 0xD8)
_HUFFMAN = (0xC0, 0xC1, 0xC2)
"""Frames whose decoder can wait for more data anywhere: sequential, extended, progressive."""
_TABLES = (0xC4, 0xC8, 0xCC)
"""Between the codes of frames, these are none."""
_SPARE = 2
"""Some cameras write a byte too many; zeros are none."""
_ONES = b"\xff\x00" * 8
"""No code consists of ones: the decoder finishes what it holds, and two blocks more at most."""
_MOST_STRETCHES = 1 << 17
_MOST_SCANS = 200
"""Each is a pass over all pixels. Progressive photographs have about ten."""


@dataclass(frozen=True)
class _Stretch:
    """Coded data between two markers, ``data[start:end]``; 0 where no marker follows."""

    start: int
    end: int
    following: int


class _Decoder:
    """Pillow's JPEG decoder, fed piece by piece."""

    def __init__(self, image: JpegImageFile) -> None:
        name, extents, _, arguments = image.tile[0]
        self.picture = Image.new(image.mode, image.size)
        self.finished = self.broken = False
        self._rest = b""
        self._core = Image._getdecoder(image.mode, name, arguments, image.decoderconfig)
        self._core.setimage(self.picture.im, extents)

    def feed(self, piece: bytes | memoryview) -> None:
        if self.finished:
            return
        given = self._rest + piece if self._rest else bytes(piece)
        used, error = self._core.decode(given)
        self.finished, self.broken = used < 0, error < 0
        self._rest = given[used:] if used >= 0 else b""

    def has_all(self, byte: bytes | memoryview) -> bool:
        """Whether all blocks up to the next marker are there.

        Looking for a marker, the decoder takes any ``byte`` but 255. Short of data it leaves what
        it could not use, and a single byte never suffices it: it takes seven or eight at a time.
        """
        took_all = not self._rest
        self.feed(byte)
        return took_all and not self._rest

    def close(self) -> None:
        self._core.cleanup()


def load_jpeg(image: JpegImageFile, data: bytes) -> tuple[Image.Image, str]:
    """Decode the first picture of a JPEG file: ``image``, opened on ``data`` and not loaded.

    Returns:
        The pixels, in the mode and size of ``image`` (a draft is kept to), and what is wrong with
        them; "" for nothing.

    Raises:
        OSError: nothing could be decoded.
    """
    decoder = _Decoder(image)
    frame, stretches = _stretches(data)
    # Frames of other kinds have decoders that cannot wait for more data.
    damage = _fed(decoder, memoryview(data), stretches if frame in _HUFFMAN else [])
    # Some files lack their end alone: nothing that can be seen.
    decoder.feed(bytes([0xFF, _EOI]))
    decoder.close()
    if decoder.broken or not decoder.finished:
        damage = damage or PART_WRONG
    picture = decoder.picture
    # The first row of blocks may hold one that was never in the file; gaps are of one colour.
    below = picture.crop((0, min(16, picture.height - 1), picture.width, picture.height))
    if damage and below.getcolors(1) is not None:
        raise OSError("nothing of the picture is left")
    return picture, damage


def _fed(decoder: _Decoder, data: memoryview, stretches: list[_Stretch]) -> str:
    """Feed everything up to the end of the last scan; what is wrong with it."""
    at = restarts = 0
    for stretch in stretches:
        held = _held_back(data, stretch)
        decoder.feed(data[at:held])
        at = stretch.end
        early = held > stretch.start and decoder.has_all(data[held : held + 1])
        decoder.feed(data[held + (held > stretch.start) : at])
        decoder.feed(_ONES)
        if early or not decoder.has_all(b"\0"):
            cut = not early and not stretch.following
            decoder.feed(data[at:])
            return END_MISSING if cut else PART_WRONG
        if stretch.following not in _RESTARTS:
            restarts = 0
        elif stretch.following == _RESTARTS[restarts % len(_RESTARTS)]:
            restarts += 1
        else:
            decoder.feed(data[at:])
            return PART_WRONG
    decoder.feed(data[at:])
    return ""


def _held_back(data: memoryview, stretch: _Stretch) -> int:
    """Where to stop before the end: before the spare bytes and what only fills up."""
    last = bytes(data[max(stretch.start, stretch.end - 4096) : stretch.end])
    place = stretch.end - len(last) + len(last.rstrip(b"\0\xff")) - _SPARE
    while place > stretch.start and b"\xff" in bytes(data[place - 1 : place + 1]):
        place -= 1
    return max(place, stretch.start)


def _stretches(data: bytes) -> tuple[int, list[_Stretch]]:
    """The frame's code, and the coded data of its scans, as far as they can be followed. Raises
    OSError: there are so many that decoding would take minutes."""
    found: list[_Stretch] = []
    at, frame, scans = 2, 0, 0
    while marker := _MARKER.search(data, at):
        code, at = data[marker.end() - 1], marker.end()
        if code == _EOI:
            break
        if code in _RESTARTS or code == _TEM:
            continue
        at += int.from_bytes(data[at : at + 2], "big")
        if 0xC0 <= code <= 0xCF and code not in _TABLES:
            frame = code
        elif code == _SOS:
            scans += 1
            found.extend(_coded(data, at))
            at = found[-1].end
        if scans > _MOST_SCANS or len(found) > _MOST_STRETCHES:
            raise OSError("it consists of too many parts")
    return frame, found


def _coded(data: bytes, at: int) -> Iterator[_Stretch]:
    """The stretches of one scan, which begins at ``at``."""
    following = _RESTARTS[0]
    while following in _RESTARTS:
        marker = _MARKER.search(data, at)
        following = data[marker.end() - 1] if marker else 0
        yield _Stretch(at, marker.start() if marker else len(data), following)
        at = marker.end() if marker else len(data)


_TILE = 0x90
_FRAMES = frozenset(range(0xC0, 0xD0)) - {*_TABLES} | {0xF7}
_PROGRESSIVE, _LOSSLESS, _JPEG_LS = 0xC2, 0xC3, 0xF7


@dataclass(frozen=True)
class JpegHeader:
    """Of a JPEG or JPEG-LS stream.

    Attributes:
        kind: the frame's marker, 0xC0 to 0xCF, or 0xF7 for JPEG-LS.
        bits: of one sample.
        ids: each component's identifier.
        subsampled: whether a component has fewer samples than another.
        adobe: the transform of the Adobe marker: 0 none, 1 YCbCr; None without one.
    """

    kind: int
    bits: int
    width: int
    height: int
    ids: tuple[int, ...]
    subsampled: bool
    jfif: bool
    adobe: int | None

    @property
    def lossless(self) -> bool:
        return self.kind == _LOSSLESS

    @property
    def jpeg_ls(self) -> bool:
        return self.kind == _JPEG_LS

    @property
    def needed(self) -> int:
        """Bytes that checking and decoding take, a sample."""
        if self.bits == 8 and self.kind not in (_PROGRESSIVE, _LOSSLESS):
            return 2
        return 3 if self.bits <= 8 else 6

    @property
    def is_ycbcr(self) -> bool | None:
        """Whether three components are brightness and colour differences; None: nothing says so.

        Component names come first, then the markers, as libraries for DICOM hold it. Nobody stores
        fewer samples of red, green or blue, so these are colour differences.
        """
        if self.ids in ((82, 71, 66), (114, 103, 98)):
            return False
        if self.jfif:
            return True
        if self.adobe is not None:
            return self.adobe != 0
        return True if self.subsampled else None


@dataclass(frozen=True)
class Jpeg2000Header:
    """Of a JPEG 2000 codestream, which begins at ``start`` of a stream; ``bits`` of a sample of the
    first component; ``mixed``: a transform between the components, which decoding takes back."""

    start: int
    bits: int
    width: int
    height: int
    channels: int
    mixed: bool
    tiles: int


def jpeg_header(stream: bytes) -> JpegHeader | None:
    """None where this is no JPEG or JPEG-LS stream, or its header is damaged."""
    if stream[:2] != b"\xff\xd8":
        return None
    jfif, adobe = False, None
    frame: tuple[int, bytes] | None = None
    at = 2
    while at + 4 <= len(stream):
        if stream[at] != 0xFF:
            return None
        marker = stream[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker == _EOI:
            return None
        length = int.from_bytes(stream[at + 2 : at + 4], "big")
        body = stream[at + 4 : at + 2 + length]
        jfif |= marker == 0xE0 and body[:4] == b"JFIF"
        if marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            adobe = body[11]
        if marker in _FRAMES:
            frame = marker, body
        if marker == _SOS:
            break
        at += 2 + length
    if frame is None or len(frame[1]) < 6:
        return None
    kind, body = frame
    bits, height, width, count = struct.unpack_from(">BHHB", body)
    components = [body[6 + 3 * k : 9 + 3 * k] for k in range(count)]
    if not count or any(len(component) < 3 for component in components):
        return None
    ids = tuple(component[0] for component in components)
    subsampled = len({component[1] for component in components}) > 1
    return JpegHeader(kind, bits, width, height, ids, subsampled, jfif, adobe)


def jpeg2000_header(stream: bytes) -> Jpeg2000Header | None:
    """None where no JPEG 2000 codestream is in it, bare or in the boxes of JP2."""
    start = 0 if stream[:4] == b"\xff\x4f\xff\x51" else stream.find(b"\xff\x4f\xff\x51", 0, 65536)
    if start < 0 or (start and stream[4:8] != b"jP  ") or len(stream) < start + 46:
        return None
    right, below, left, above, *tile, channels = struct.unpack_from(">8IH", stream, start + 8)
    if not tile[0] or not tile[1]:
        return None
    tiles = -(-(right - tile[2]) // tile[0]) * -(-(below - tile[3]) // tile[1])
    default = stream.find(b"\xff\x52", start + 42, start + 65536)
    mixed = default >= 0 and stream[default + 8 : default + 9] == b"\1"
    bits = (stream[start + 42] & 0x7F) + 1
    return Jpeg2000Header(start, bits, right - left, below - above, channels, mixed, tiles)


def jpeg2000_has_all(stream: bytes, header: Jpeg2000Header) -> bool:
    """Whether the codestream holds a part of every tile: the decoder leaves others out silently."""
    at, found = 2, set()
    while at + 12 <= len(stream) and stream[at] == 0xFF and stream[at + 1] != _EOI:
        if stream[at + 1] == _TILE:
            tile, length = struct.unpack_from(">HI", stream, at + 4)
            found.add(tile)
            at += length if length >= 12 else len(stream)  # 0: up to the end
        else:
            at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    return len(found) >= header.tiles


def with_end(stream: bytes) -> bytes:
    """The stream with its end marker, where only that (and what fills up after it) is missing."""
    return stream if b"\xff\xd9" in stream[-64:] else stream + b"\xff\xd9"


def jpeg_damage(stream: bytes, header: JpegHeader) -> str:
    """What is wrong with the codes of a JPEG stream (with its end marker, not JPEG-LS); empty where
    nothing is found. Raises OSError: nothing can be decoded, or only in minutes."""
    if header.bits == 8 and not header.lossless:
        with JpegImageFile(io.BytesIO(stream)) as image:
            return load_jpeg(image, stream)[1]
    return "" if _uses_its_end(stream, header) else PART_WRONG


def _uses_its_end(stream: bytes, header: JpegHeader) -> bool:
    """Whether the last codes matter, and none is wanted after them.

    A decoder that has lost its way asks for more than there is, or leaves something over. What
    still makes sense after damage cannot be found: a changed code that is as long as it was.
    """
    end = stream.rfind(b"\xff\xd9")
    longer = stream[:end] + b"\x55" * 64 + stream[end:]
    whole = _samples(stream, header)
    if not np.array_equal(whole, _samples(longer, header)):
        return False
    if not header.lossless:  # the last codes may well say nothing: "as before"
        return True
    # One change may by chance say the same.
    return any(
        not np.array_equal(whole, _samples(_other_end(stream, end, mask), header))
        for mask in (0xFF, 0x55)
    )


def _other_end(stream: bytes, end: int, mask: int) -> bytes:
    """The stream with other last codes, and no marker more or less."""
    other = bytearray(stream)
    for at in range(max(2, end - 6), end):
        if 0xFF not in stream[at - 1 : at + 1]:
            other[at] = min(other[at] ^ mask, 0xFE)
    return bytes(other)


def _samples(stream: bytes, header: JpegHeader) -> NDArray[np.integer]:
    import imagecodecs  # slow to import, and seldom needed

    raw = "RGB" if len(header.ids) == 3 else None
    return np.asarray(imagecodecs.jpeg8_decode(stream, colorspace=raw, outcolorspace=raw))
