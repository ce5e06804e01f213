"""JPEG, decoded so that torn data is noticed: the decoder itself fills the gap without a word.

Given the coded data of a scan short of its last bytes, a decoder cannot have finished the scan;
given all of them, it must have. Where bytes were lost or overwritten, the blocks after them end
too early or too late, and one of the two does not hold. The same is asked at each restart marker.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, JpegImagePlugin

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

    def __init__(self, image: JpegImagePlugin.JpegImageFile) -> None:
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


def load_jpeg(image: JpegImagePlugin.JpegImageFile, data: bytes) -> tuple[Image.Image, str]:
    """Decode the first picture of a JPEG file.

    Args:
        image: opened on ``data`` and not loaded; a draft of it is kept to.

    Returns:
        The pixels, in the mode and size of ``image``, and what is wrong with them; "" for nothing.

    Raises:
        OSError: nothing could be decoded.
    """
    decoder = _Decoder(image)
    frame, stretches = _stretches(data)
    try:
        damage = ""
        if frame in _HUFFMAN:
            damage = _fed(decoder, memoryview(data), stretches)
        else:
            decoder.feed(data)
        # Some files lack their end alone: nothing that can be seen.
        decoder.feed(bytes([0xFF, _EOI]))
    finally:
        decoder.close()
    if decoder.broken or not decoder.finished:
        damage = damage or PART_WRONG
    if damage and _is_empty(decoder.picture):
        raise OSError("nothing of the picture is left")
    return decoder.picture, damage


def _is_empty(picture: Image.Image) -> bool:
    """Whether all below the first row of blocks is of one colour: that with which gaps are filled.

    The first row may hold a block of what was never in the file.
    """
    top = min(16, picture.height - 1)
    below = picture.crop((0, top, picture.width, picture.height))
    return below.getcolors(1) is not None


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
        if stretch.following in _RESTARTS:
            if stretch.following != _RESTARTS[restarts % len(_RESTARTS)]:
                decoder.feed(data[at:])
                return PART_WRONG
            restarts += 1
        else:
            restarts = 0
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
    """The frame's code, and the coded data of its scans, as far as they can be followed.

    Raises:
        OSError: there are so many that decoding would take minutes.
    """
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
