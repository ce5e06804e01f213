"""What the headers of JPEG, JPEG-LS and JPEG 2000 streams say, and whether a stream is whole."""

import io
import struct
from dataclasses import dataclass

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from retina_viewer.imaging.decoded import PART_WRONG
from retina_viewer.imaging.jpeg import load_jpeg

_END, _SCAN, _TILE = 0xD9, 0xDA, 0x90
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_PROGRESSIVE, _LOSSLESS, _JPEG_LS = 0xC2, 0xC3, 0xF7


@dataclass(frozen=True)
class JpegHeader:
    """Of a JPEG or JPEG-LS stream.

    Attributes:
        kind: the frame's marker, 0xC0 to 0xCF, or 0xF7 for JPEG-LS.
        bits: of one sample.
        ids: each component's identifier.
        subsampled: whether a component has fewer samples than another.
        jfif: whether a JFIF marker is there.
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
    def progressive(self) -> bool:
        return self.kind == _PROGRESSIVE

    @property
    def needed(self) -> int:
        """Bytes that checking and decoding take, a sample."""
        if self.bits == 8 and not self.lossless:
            return 3 if self.progressive else 2
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
    """Of a JPEG 2000 codestream.

    Attributes:
        start: where the codestream begins in the stream.
        bits: of one sample of the first component.
        channels: how many.
        mixed: whether a transform between the components was applied, which decoding takes back.
        tiles: how many it is cut into.
    """

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
        if marker == _END:
            return None
        length = int.from_bytes(stream[at + 2 : at + 4], "big")
        body = stream[at + 4 : at + 2 + length]
        jfif |= marker == 0xE0 and body[:4] == b"JFIF"
        if marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            adobe = body[11]
        if marker in _FRAMES:
            frame = marker, body
        if marker == _SCAN:
            break
        at += 2 + length
    if frame is None or len(frame[1]) < 6:
        return None
    kind, body = frame
    bits, height, width, count = struct.unpack_from(">BHHB", body)
    components = [body[6 + 3 * k : 9 + 3 * k] for k in range(count)]
    if not count or any(len(component) < 3 for component in components):
        return None
    return JpegHeader(
        kind,
        bits,
        width,
        height,
        ids=tuple(component[0] for component in components),
        subsampled=len({component[1] for component in components}) > 1,
        jfif=jfif,
        adobe=adobe,
    )


def jpeg2000_header(stream: bytes) -> Jpeg2000Header | None:
    """None where no JPEG 2000 codestream is in it, bare or in the boxes of JP2."""
    start = 0 if stream[:4] == b"\xff\x4f\xff\x51" else stream.find(b"\xff\x4f\xff\x51", 0, 65536)
    if start < 0 or (start and stream[4:8] != b"jP  ") or len(stream) < start + 46:
        return None
    right, below, left, above, *tile = struct.unpack_from(">8I", stream, start + 8)
    if not tile[0] or not tile[1]:
        return None
    across, down = -(-(right - tile[2]) // tile[0]), -(-(below - tile[3]) // tile[1])
    (channels,) = struct.unpack_from(">H", stream, start + 40)
    default = stream.find(b"\xff\x52", start + 42, start + 65536)
    return Jpeg2000Header(
        start,
        bits=(stream[start + 42] & 0x7F) + 1,
        width=right - left,
        height=below - above,
        channels=channels,
        mixed=default >= 0 and stream[default + 8 : default + 9] == b"\1",
        tiles=across * down,
    )


def jpeg2000_has_all(stream: bytes, header: Jpeg2000Header) -> bool:
    """Whether a part of every tile is there; the decoder leaves out others without a word.

    Args:
        stream: the codestream alone.
    """
    at, found = 2, set()
    while at + 12 <= len(stream) and stream[at] == 0xFF and stream[at + 1] != _END:
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
    """What is wrong with the codes of a JPEG stream; empty where nothing is found.

    Args:
        stream: with its end marker; not JPEG-LS.

    Raises:
        OSError: nothing can be decoded, or only in minutes.
    """
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
    raw = "RGB" if len(header.ids) == 3 else None
    return np.asarray(imagecodecs.jpeg8_decode(stream, colorspace=raw, outcolorspace=raw))
