"""PNG chunks. Writing: OpenCV encodes 8- and 16-bit pixels alike, but knows no profiles or text.

Reading: decoders stop at a long text or a large profile, and pass over torn data.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import PngImagePlugin

from retina_viewer.imaging.decoded import END_MISSING, PART_WRONG

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COMPRESSION = 4
"""Of 9: higher levels take three times as long for one percent."""
_HEADER_END = len(SIGNATURE) + 25
"""The IHDR chunk comes first and holds 13 bytes of data."""


def encode_png(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    texts: dict[str, str],
    icc_profile: bytes | None = None,
) -> bytes:
    """A PNG file; the same input gives the same bytes. Raises ValueError: another shape or type.

    Args:
        pixels: ``(H, W)`` or ``(H, W, 3)`` RGB, uint8 or uint16.
        texts: by keyword (1 to 79 Latin-1 characters), stored as UTF-8 (iTXt).
        icc_profile: stored as iCCP; it must fit the pixels (an RGB profile for RGB).
    """
    if pixels.ndim != 2 and pixels.shape[2:] != (3,):
        raise ValueError(f"PNG cannot hold {pixels.shape} here")
    bgr = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    options = [cv2.IMWRITE_PNG_COMPRESSION, _COMPRESSION]
    done, buffer = cv2.imencode(".png", np.ascontiguousarray(bgr), options)
    if not done:
        raise ValueError(f"PNG cannot hold {pixels.shape} {pixels.dtype}")
    encoded, between = buffer.tobytes(), b""
    if icc_profile is not None:
        between += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile, 9))
    for keyword, text in texts.items():
        # Keyword, not compressed, no language, no translated keyword.
        between += _chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode())
    return encoded[:_HEADER_END] + between + encoded[_HEADER_END:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@dataclass(frozen=True)
class ReadablePng:
    """A PNG file for decoders, or what is left of one; its profile where that was too large to be
    left inside; what is wrong with the pixels, empty where nothing is."""

    data: bytes
    icc_profile: bytes | None = None
    damage: str = ""


_MOST_UNPACKED = 64 << 20
"""Bytes of text, or of a profile."""
# Pillow refuses a picture for longer ones than it allows: this program itself writes such files.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = _MOST_UNPACKED
_MOST_ASIDE = 60_000
"""Bytes of all that is no picture, as stored: unpacked they fit into _MOST_UNPACKED."""
_MOST_REPAIRED = 400_000_000
_STEP = 256
"""Bytes unpacked at a time: what a torn stream still gives comes to light."""
_INTERLACED = (
    (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)
)  # fmt: skip
"""Of interlaced pixels: first row, first column, step down, step across."""
_LAST_FILTER = 4
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_IHDR = struct.Struct(">IIBB2xB")


def chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, bool]]:
    """Kind, content and whether it is whole and its checksum right, up to the end or to a tear."""
    view, at, kind = memoryview(data), len(SIGNATURE), b""
    while at + 8 <= len(data) and kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        if not kind.isalpha():
            return
        body, checksum = view[at + 8 : at + 8 + length], view[at + 8 + length : at + 12 + length]
        sound = len(checksum) == 4 and zlib.crc32(body, zlib.crc32(kind)) == int.from_bytes(
            checksum
        )
        yield kind, body, sound
        at += 12 + length


def readable_png(data: bytes) -> ReadablePng:
    """What decoders can read of a PNG file: no long text or large profile, no torn data.

    Pixels that are missing are filled up with zeros: black rows from there on. Raises ValueError:
    nothing of them is left, or they are too many to be filled up.
    """
    kept: list[tuple[bytes, memoryview]] = []
    room, whole, wrong, ended, profile = _MOST_ASIDE, True, False, False, None
    for kind, body, sound in chunks(data):
        ended = kind == b"IEND"
        optional = bool(kind[0] & 0x20)  # no part of the picture
        if optional and (not sound or len(body) > room):
            whole = False
            if kind == b"iCCP" and sound:
                profile = _profile(body)
            continue
        room -= len(body) * optional
        wrong = wrong or (kind == b"IDAT" and not sound)
        kept.append((kind, body))
    if wrong or not ended:
        return _repaired(kept, profile, PART_WRONG if wrong else "")
    return ReadablePng(data if whole else _joined(kept), profile)


def _joined(parts: list[tuple[bytes, memoryview]]) -> bytes:
    return SIGNATURE + b"".join(_chunk(kind, bytes(body)) for kind, body in parts)


def _profile(body: memoryview) -> bytes | None:
    """Name, zero, method; then the profile, compressed."""
    packed = bytes(body).partition(b"\0")[2][1:]
    try:
        return zlib.decompressobj().decompress(packed, _MOST_UNPACKED)
    except zlib.error:
        return None


def _repaired(
    parts: list[tuple[bytes, memoryview]], profile: bytes | None, wrong: str
) -> ReadablePng:
    if not parts or parts[0][0] != b"IHDR" or len(parts[0][1]) != _IHDR.size:
        raise ValueError("its header is missing")
    passes = list(_passes(*_IHDR.unpack(parts[0][1])))
    size = sum(rows * length for rows, length in passes)
    if size > _MOST_REPAIRED:
        raise ValueError("too large to be repaired")
    found = _unpacked(b"".join(body for kind, body in parts if kind == b"IDAT"), size)
    pixels = found[: _sound(found, passes)]
    if not any(pixels):
        raise ValueError("nothing of the picture is left")
    damage = END_MISSING if len(pixels) < size else wrong
    packed = zlib.compress(pixels.ljust(size, b"\0"), 1)
    others = [part for part in parts if part[0] not in (b"IDAT", b"IEND")]
    end = [(b"IDAT", memoryview(packed)), (b"IEND", memoryview(b""))]
    return ReadablePng(_joined(others + end), profile, damage)


def _unpacked(packed: bytes, most: int) -> bytes:
    """What can be decompressed, up to where it is torn."""
    inflate, found = zlib.decompressobj(), bytearray()
    with suppress(zlib.error):
        for at in range(0, len(packed), _STEP):
            found += inflate.decompress(packed[at : at + _STEP], most - len(found) + 1)
            if len(found) > most:
                break
    del found[most:]
    return bytes(found)


def _passes(
    width: int, height: int, bits: int, colour: int, interlaced: int
) -> Iterator[tuple[int, int]]:
    """Of each pass: its rows, and the bytes of one with the number of its filter before it."""
    for top, left, down, across in _INTERLACED if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            yield rows, 1 + -(-columns * bits * _CHANNELS.get(colour, 1) // 8)


def _sound(pixels: bytes, passes: list[tuple[int, int]]) -> int:
    """How many bytes there are before the first row that cannot be one: of a filter unknown."""
    start = 0
    for rows, length in passes:
        for row, number in enumerate(pixels[start : start + rows * length : length]):
            if number > _LAST_FILTER:
                return start + row * length
        start += rows * length
    return len(pixels)
