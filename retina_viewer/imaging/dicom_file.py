"""The elements of a DICOM file that a picture needs, and where its pixels are.

The file is walked without reading into what a picture does not need: damage there, sequences
without end and elements of any size cost nothing.
"""

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydicom import Dataset, uid
from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag
from pydicom.valuerep import VR

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.decoded import MAX_MEMORY

_KEYWORDS = [
    "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "NumberOfFrames",
    "PixelSpacing", "ICCProfile", "OpticalPathSequence", "RescaleSlope", "RescaleIntercept",
    "ModalityLUTSequence", "VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction",
    "PresentationLUTShape", "ExtendedOffsetTable",
    *(
        f"{segmented}{colour}PaletteColorLookupTable{part}"
        for colour in ("Red", "Green", "Blue")
        for segmented, part in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
    ),
]  # fmt: skip
_WANTED = frozenset(tag for keyword in _KEYWORDS if (tag := tag_for_keyword(keyword)) is not None)
_SEQUENCES = frozenset(tag for tag in _WANTED if dictionary_VR(tag) == "SQ")
_PIXELS = 0x7FE00010
_MEASUREMENTS = (0x7FE00008, 0x7FE00009)
_SYNTAX = 0x00020010
_KINDS = frozenset(kind.value.encode() for kind in VR)
_SEARCHED = 1 << 14
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_ENDLESS = 0xFFFFFFFF
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_MOST_ELEMENTS = 1_000_000
_MOST_OF_SEQUENCE, _MOST_OF_VALUE = 4 << 20, 32 << 20
"""Bytes of one element that are looked into; each item of a sequence may take a thousand."""
_STEP = 16 << 20


@dataclass(frozen=True)
class DicomFile:
    """Of one file.

    Attributes:
        header: the elements that a picture needs, as far as they are there.
        syntax: how the file says that it is encoded.
        pixels: the value of Pixel Data; None where there is none.
        little: whether the low byte of a number comes first.
        size: bytes held: the file's and, where it was deflated, what came out.
        words: whether the pixels are stored as numbers of 16 bits even where samples have 8.
    """

    header: Dataset
    syntax: uid.UID
    pixels: memoryview | None
    little: bool
    size: int
    words: bool

    def value(self, keyword: str) -> Any:
        """None where the element is missing, empty, or holds what cannot be read."""
        return element(self.header, keyword)

    def numbers(self, keyword: str) -> list[float]:
        """Empty where there is none."""
        return numbers(self.value(keyword))

    def whole(self, keyword: str, default: int) -> int:
        """The element's only or first number, without its fraction."""
        found = self.numbers(keyword)
        return int(found[0]) if found and math.isfinite(found[0]) else default


def element(dataset: Dataset, keyword: str) -> Any:
    """An element's value; None where it is missing, empty, or cannot be read."""
    try:
        value = dataset.get(keyword)
    except Exception:  # conversions raise anything on damaged values
        return None
    return None if value is None or value == "" else value


def numbers(value: Any) -> list[float]:
    """One number or several; empty where there is none."""
    try:
        return [float(one) for one in ([value] if isinstance(value, (str, int, float)) else value)]
    except (TypeError, ValueError):
        return []


class _Element(NamedTuple):
    tag: int
    kind: bytes
    start: int
    end: int


def read_file(data: bytes, name: str) -> DicomFile:
    """Find the elements and the pixels. Raises UserError: what it holds would take too much memory,
    or it has too many elements. ValueError: the file is damaged before its pixels."""
    view = memoryview(data)
    at, syntax = _after_meta(view, 132 if data[128:132] == b"DICM" else 4 * (data[:4] == b"DICM"))
    size = len(data)
    if syntax == uid.DeflatedExplicitVRLittleEndian:
        view, at = memoryview(_inflated(view[at:], name)), 0
        size += len(view)
    little = syntax != uid.ExplicitVRBigEndian and (
        syntax is not None or bytes(view[at : at + 2]) != b"\0\x08"
    )
    explicit = _has_kind(view, at)
    elements: dict[BaseTag, Any] = {}
    pixels, words = None, False
    for found in _Walker(view, little, explicit, name).elements(at):
        if found.tag == _PIXELS:
            pixels, words = view[found.start : found.end], found.kind == b"OW"
            break
        if found.tag in _MEASUREMENTS:
            raise UserError(f"{name} holds measurements, not a photograph.", "Choose another file.")
        most = _MOST_OF_SEQUENCE if found.tag in _SEQUENCES else _MOST_OF_VALUE
        if found.tag in _WANTED and found.end - found.start <= most:
            elements[BaseTag(found.tag)] = _raw(view, found, little, explicit)
    if syntax is None:
        plain = uid.ExplicitVRLittleEndian if explicit else uid.ImplicitVRLittleEndian
        syntax = plain if little else uid.ExplicitVRBigEndian
    header = Dataset(elements)
    header.set_original_encoding(not explicit, little)
    return DicomFile(header, syntax, pixels, little, size, words)


def _after_meta(view: memoryview, at: int) -> tuple[int, uid.UID | None]:
    """Where the data set begins, and the transfer syntax where the file meta group names one."""
    syntax = None
    while bytes(view[at : at + 2]) == b"\2\0":
        element = _Walker(view, True, _has_kind(view, at), "").header(at)
        if element.tag == _SYNTAX:
            text = bytes(view[element.start : min(element.end, element.start + 64)])
            syntax = uid.UID(text.decode("ascii", "replace").strip(" \0"))
        at = element.end
    return at, syntax


def _has_kind(view: memoryview, at: int) -> bool:
    return bytes(view[at + 4 : at + 6]).isalpha() and bytes(view[at + 4 : at + 6]).isupper()


def _inflated(view: memoryview, name: str) -> bytearray:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    # Growing costs an eighth more, and the picture comes on top.
    most = (MAX_MEMORY - len(view)) // 2
    inflated, at, rest = bytearray(), 0, b""
    while not stream.eof and (rest or at < len(view)):
        if not rest:
            rest, at = bytes(view[at : at + _STEP]), at + _STEP
        inflated += stream.decompress(rest, _STEP)
        rest = stream.unconsumed_tail
        if len(inflated) > most:
            raise UserError(
                f"{name} is too large: unpacked it takes over {most >> 20} MB.",
                "Export it again with one picture only.",
            )
    return inflated


def _raw(view: memoryview, element: _Element, little: bool, explicit: bool) -> RawDataElement:
    """As pydicom converts it on use; the kind is the dictionary's, where that knows only one."""
    kind = dictionary_VR(element.tag)
    if " or " in kind:
        kind = element.kind.decode() if explicit and element.kind in (b"US", b"SS", b"OW") else kind
    value = bytes(view[element.start : element.end])
    return RawDataElement(
        BaseTag(element.tag), kind, len(value), value, element.start, not explicit, little
    )


@dataclass(frozen=True)
class _Walker:
    view: memoryview
    little: bool
    explicit: bool
    name: str

    def elements(self, at: int) -> Iterator[_Element]:
        """The outermost elements, until the view ends. Raises ValueError: one but the pixels
        reaches beyond the end. UserError: there are too many."""
        count = 0
        while at + 8 <= len(self.view):
            element = self.header(at)
            count += 1
            self._count(count)
            if element.tag == _PIXELS:
                yield element
                return
            if element.end - element.start == _ENDLESS:
                end, inside = self._end_of_sequence(element)
                count += inside
                element, at = element._replace(end=end - 8), end
            else:
                at = self._after(element)
            if at > len(self.view):
                raise ValueError("it ends too early")
            yield element

    def _after(self, element: _Element) -> int:
        """Where the next element begins, found again where this one's length is damaged."""
        if not self.explicit or element.kind == b"SQ" or self._goes_on(element.end):
            return element.end
        last = min(element.start + _SEARCHED, len(self.view) - 12)
        for at in range(element.start, last):
            found = self.header(at)
            kinds = dictionary_VR(found.tag) if dictionary_has_tag(found.tag) else ""
            right = found.tag > element.tag and found.kind in kinds.encode().split(b" or ")
            if right and (found.tag == _PIXELS or self._goes_on(found.end)):
                return at
        return element.end

    def _goes_on(self, at: int) -> bool:
        return at == len(self.view) or bytes(self.view[at + 4 : at + 6]) in _KINDS

    def header(self, at: int, explicit: bool | None = None) -> _Element:
        order = "<" if self.little else ">"
        explicit = self.explicit if explicit is None else explicit
        try:
            group, number, kind = struct.unpack_from(order + "HH2s2x", self.view, at)
            if group == 0xFFFE or not explicit or not kind.isalnum():
                (length,), start = struct.unpack_from(order + "I", self.view, at + 4), at + 8
            elif kind in _LONG:
                (length,), start = struct.unpack_from(order + "I", self.view, at + 8), at + 12
            else:
                (length,), start = struct.unpack_from(order + "H", self.view, at + 6), at + 8
        except struct.error as error:
            raise ValueError("it ends too early") from error
        return _Element(group << 16 | number, kind, start, start + length)

    def _end_of_sequence(self, element: _Element) -> tuple[int, int]:
        """After an element of unknown length, whatever is nested in it; how many were passed."""
        at, count = element.start, 0
        # Inside UN of unknown length the elements name no kind, at every depth.
        plain_from = 1 if element.kind == b"UN" else None
        depth = 1
        while depth:
            inner = self.header(at, False if plain_from is not None else None)
            count += 1
            self._count(count)
            endless = inner.end - inner.start == _ENDLESS
            at = inner.start
            if inner.tag in (_ITEM_END, _SEQUENCE_END):
                depth -= 1
            elif endless:
                depth += 1
                if plain_from is None and inner.kind == b"UN":
                    plain_from = depth
            else:
                at = inner.end
            if plain_from is not None and depth < plain_from:
                plain_from = None
        return at, count

    def _count(self, count: int) -> None:
        if count > _MOST_ELEMENTS:
            raise UserError(
                f"{self.name} has more than a million elements: this is no photograph.",
                "Choose the image itself.",
            )
