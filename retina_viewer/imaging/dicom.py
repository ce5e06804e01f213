"""DICOM photographs: monochrome, colour or palette, up to 16 bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.colour import by_profile
from retina_viewer.imaging.decoded import (
    Decoded,
    Pixels,
    bands,
    check_memory,
    check_size,
    stretched,
)
from retina_viewer.imaging.dicom_file import DicomFile, element, numbers, read_file
from retina_viewer.imaging.dicom_frames import Frame, FrameLayout, read_frame

Integers = NDArray[np.integer[Any]]

_DARK = 8
"""A picture whose brightest value is below this part of the range is said to be dark."""


def read_dicom(data: bytes, name: str, page: int = 0) -> Decoded:
    """Decode one frame.

    Samples of fewer bits than their type are stretched over its full range: by BitsStored, and by
    the values that occur where these contradict it. Grey values pass through the file's modality
    table or rescaling, its first window or table of interest, and its inversion; colour becomes
    RGB, by what the compressed stream says of itself where the header says otherwise. What was
    applied stands in the notes.

    Raises:
        UserError: there is no picture in it or no such page, its size is out of bounds, or its
            compression is not known here.
        Other exceptions: the data is damaged.
    """
    file = read_file(data, name)
    layout = _layout(file, name)
    frame = read_frame(file, layout, page, name)
    size = layout.height * layout.width
    check_memory(file.size + size * (4 if frame.samples.itemsize == 1 else 8), name)
    pixels, notes = _pixels(file, layout, frame, name)
    top, brightest = int(np.iinfo(pixels.dtype).max), int(pixels.max())
    if 0 < brightest < top // _DARK:
        notes.append(f"It is very dark as stored: its brightest value is {brightest} of {top}.")
    space = "GRAY" if pixels.ndim == 2 else "RGB"
    pixels, profile, unfit = by_profile(pixels, _profile(file), space)
    return Decoded(
        pixels,
        "DICOM",
        icc_profile=profile,
        um_per_px=_um_per_px(file),
        pages=frame.pages,
        damage=frame.damage,
        notes=(*frame.notes, *notes, *unfit),
    )


_KNOWN = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422",
          "YBR_ICT", "YBR_RCT")  # fmt: skip


def _layout(file: DicomFile, name: str) -> FrameLayout:
    height, width = file.whole("Rows", 0), file.whole("Columns", 0)
    if file.pixels is None or not (height and width):
        raise UserError(f"{name} is a DICOM file without a picture.", "Choose the image itself.")
    check_size(width, height, name)
    channels = file.whole("SamplesPerPixel", 1)
    colour = str(file.value("PhotometricInterpretation") or "").strip(" \0").upper()
    colour = colour or ("RGB" if channels == 3 else "MONOCHROME2")
    if colour not in _KNOWN or channels != (3 if colour[:3] in ("RGB", "YBR") else 1):
        raise UserError(
            f"{name} stores its colours in a way that cannot be read here.", "Export it as RGB."
        )
    allocated = file.whole("BitsAllocated", 8)
    if allocated not in (1, 8, 16):
        raise UserError(f"{name} holds measurements, not a photograph.", "Choose another file.")
    stored = file.whole("BitsStored", allocated)
    stored = stored if 1 <= stored <= allocated else allocated
    high = file.whole("HighBit", stored - 1)
    return FrameLayout(
        height=height,
        width=width,
        channels=channels,
        colour=colour,
        planar=file.whole("PlanarConfiguration", 0) == 1,
        allocated=allocated,
        stored=stored,
        high=high if stored - 1 <= high < allocated else stored - 1,
        signed=file.whole("PixelRepresentation", 0) == 1,
        frames=max(1, file.whole("NumberOfFrames", 1)),
    )


def _pixels(
    file: DicomFile, layout: FrameLayout, frame: Frame, name: str
) -> tuple[Pixels, list[str]]:
    """From a frame's samples to what is seen, and what a person should know of it."""
    samples, bits = _significant(frame, layout)
    notes = []
    if bits > layout.stored:
        notes.append(f"Its values take {bits} bits, though its header says {layout.stored}.")
    if samples.ndim == 3:
        own, words = _own_depth(samples, bits)
        return _rgb(samples, own, frame.colour), notes + words
    if frame.colour == "PALETTE COLOR":
        return _mapped(_palette(file, bits), samples), notes
    grey = Grey.of(file, bits, int(samples.max()))
    if grey.negative and grey.interest is None:
        raise UserError(f"{name} holds measurements, not a photograph.", "Choose another file.")
    if grey.interest is None and grey.modality is None:
        bits, words = _own_depth(samples, bits - grey.signed)
        grey, notes = Grey.of(file, bits, 0), notes + words
    table, words = grey.table(frame.colour == "MONOCHROME1", samples)
    return _mapped(table, samples), notes + words


def _significant(frame: Frame, layout: FrameLayout) -> tuple[Integers, int]:
    """The samples without what lies below or, where they are signed, above them; their bits.

    The header's bits count, unless the samples need more, as some headers do not know; a compressed
    stream has no more than its own.
    """
    samples, bits = frame.samples, min(frame.bits, layout.stored)
    if frame.bits > layout.high >= layout.stored:
        samples = samples >> (layout.high + 1 - layout.stored)
    if layout.signed and samples.ndim == 2 and bits < 8 * samples.itemsize:
        samples = samples & np.array((1 << bits) - 1, samples.dtype)
    return samples, max(bits, int(samples.max()).bit_length())


def _own_depth(samples: Integers, bits: int) -> tuple[int, list[str]]:
    """Cameras of 8 to 14 bits whose files claim more would be seen in the dark."""
    highest = int(samples.max())
    used = max(8, highest.bit_length() + highest.bit_length() % 2)
    if bits <= 8 or highest == 0 or used > bits - 2:
        return bits, []
    return used, [f"Its values fill {used} of {bits} bits only: they were stretched to be seen."]


def _mapped(table: Pixels, samples: Integers) -> Pixels:
    """``table[samples]``; numpy alone would widen all indices to 64 bits at once."""
    mapped = np.empty((*samples.shape, *table.shape[1:]), table.dtype)
    for rows in bands(samples.shape):
        mapped[rows] = table[samples[rows]]
    return mapped


def _rgb(samples: Integers, bits: int, colour: str) -> Pixels:
    pixels = np.empty(samples.shape, np.uint8 if bits <= 8 else np.uint16)
    for rows in bands(samples.shape):
        strip = stretched(samples[rows], bits)
        if colour.startswith("YBR_FULL"):
            strip = cast(Pixels, cv2.cvtColor(strip[..., [0, 2, 1]], cv2.COLOR_YCrCb2RGB))
        pixels[rows] = strip
    return pixels


def _palette(file: DicomFile, bits: int) -> Pixels:
    """``(2^bits, 3)`` uint8 or uint16; 8-bit colours in 16-bit entries become 8 bits."""
    described = file.value("RedPaletteColorLookupTableDescriptor")
    count, first, depth = (int(number) for number in described[:3])
    count, indices = count or 1 << 16, np.arange(1 << bits)
    colours = ("Red", "Green", "Blue")
    columns = [file.value(f"{colour}PaletteColorLookupTableData") for colour in colours]
    if any(column is None for column in columns):
        table = np.asarray(apply_color_lut(indices, file.header))[..., :3]
    else:
        entries = [_entries(file, column, count) for column in columns]
        place = np.clip(indices - first, 0, min(len(entry) for entry in entries) - 1)
        table = np.stack([entry[place] for entry in entries], -1)
    if depth == 8 and int(table.max()) > 255:
        table = table // 256
    return cast(Pixels, table.astype(np.uint8 if int(table.max()) <= 255 else np.uint16))


def _entries(file: DicomFile, data: bytes, count: int) -> Integers:
    """Of a table, 16 bits each; 8 where that fills it."""
    kind = "u1" if len(data) < 2 * count else "<u2" if file.little else ">u2"
    return np.frombuffer(data, kind, min(count, len(data) // int(kind[-1])))


def _profile(file: DicomFile) -> bytes | None:
    profile, path = file.value("ICCProfile"), file.value("OpticalPathSequence")
    if profile is None and path:
        profile = element(path[0], "ICCProfile")
    return profile if isinstance(profile, bytes) else None


def _um_per_px(file: DicomFile) -> float | None:
    """PixelSpacing is in millimetres, row spacing first; only square pixels make one number."""
    spacing = file.numbers("PixelSpacing")
    if len(spacing) != 2:
        return None
    down, across = spacing
    if not 0 < down < np.inf or not abs(down - across) <= 0.01 * down:
        return None
    return 500.0 * (down + across)


Values = NDArray[np.float64]


class _Table(NamedTuple):
    first: int
    entries: Values
    top: int

    def look_up(self, values: Values) -> Values:
        place = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1)
        return np.asarray(self.entries[place.astype(int)])

    def brightness(self, values: Values) -> Values:
        return self.look_up(values) / self.top

    @property
    def words(self) -> str:
        return "table that the file gives"


class _Window(NamedTuple):
    centre: float
    width: float
    kind: str

    def brightness(self, values: Values) -> Values:
        """0 to 1, as DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3 define it."""
        if self.kind == "SIGMOID":
            exponent = np.clip(-4 * (values - self.centre) / self.width, -700, 700)
            return 1 / (1 + np.exp(exponent))
        if self.kind == "LINEAR_EXACT":
            return np.clip((values - self.centre) / self.width + 0.5, 0, 1)
        if self.width == 1:
            return (values > self.centre - 0.5).astype(float)
        return np.clip((values - (self.centre - 0.5)) / (self.width - 1) + 0.5, 0, 1)

    @property
    def words(self) -> str:
        return f"window that the file gives: centre {self.centre:g}, width {self.width:g}"


@dataclass(frozen=True)
class Grey:
    """How one file's grey values are shown.

    Attributes:
        bits: of a stored value.
        signed: whether stored values are two's complement; ``negative``: one below zero occurs.
        slope, intercept: the file's rescaling; ``modality``: the table that stands in its place.
        interest: the window or table that says what is black and what is white.
        inverted: whether the file asks for the negative.
    """

    bits: int
    signed: bool
    negative: bool
    slope: float
    intercept: float
    modality: _Table | None
    interest: _Window | _Table | None
    inverted: bool

    @classmethod
    def of(cls, file: DicomFile, bits: int, highest: int) -> Grey:
        """``highest``: the largest stored value, read without sign."""
        signed = file.whole("PixelRepresentation", 0) == 1
        slope, intercept = file.numbers("RescaleSlope"), file.numbers("RescaleIntercept")
        return cls(
            bits,
            signed,
            negative=signed and highest >> (bits - 1) > 0,
            slope=slope[0] if slope and np.isfinite(slope[0]) and slope[0] else 1.0,
            intercept=intercept[0] if intercept and np.isfinite(intercept[0]) else 0.0,
            modality=_table(file, "ModalityLUTSequence"),
            interest=_table(file, "VOILUTSequence") or _window(file),
            inverted=str(file.value("PresentationLUTShape")).strip() == "INVERSE",
        )

    def table(self, monochrome1: bool, samples: Integers) -> tuple[Pixels, list[str]]:
        """The brightness of every stored value, ``(2^bits,)`` uint8 or uint16, and what a person
        should know of it. A window that makes the samples that occur all alike is not used."""
        stored = np.arange(1 << self.bits, dtype=float)
        if self.negative:
            stored[len(stored) // 2 :] -= len(stored)
        if self.modality is not None:
            values, low, high = self.modality.look_up(stored), 0.0, float(self.modality.top)
        else:
            values = stored * self.slope + self.intercept
            low, high = float(values.min()), float(values.max())
        plain = (values - low) / (high - low)
        notes = ["Its values were mapped by the table that the file gives."] * bool(self.modality)
        unit = plain if self.interest is None else self.interest.brightness(values)
        occurring = np.unique(samples[:: max(1, len(samples) // 64)])
        if self.interest is not None and len(occurring) > 1 and np.ptp(unit[occurring]) == 0:
            unit = plain
            notes.append("The window that the file gives would hide all of it and was not used.")
        elif self.interest is not None and np.abs(unit - plain).max() > 0.01:
            notes.append(f"It is shown through the {self.interest.words}.")
        if monochrome1 or self.inverted:
            unit = 1 - unit
        if self.inverted and not monochrome1:
            notes.append("It is shown inverted, as the file asks.")
        kind: type[np.uint8] | type[np.uint16] = np.uint8 if self.bits <= 8 else np.uint16
        return cast(Pixels, np.rint(unit * np.iinfo(kind).max).astype(kind)), notes


def _window(file: DicomFile) -> _Window | None:
    centre, width = file.numbers("WindowCenter"), file.numbers("WindowWidth")
    kind = str(file.value("VOILUTFunction") or "LINEAR").strip()
    if not centre or not width or not np.isfinite([centre[0], width[0]]).all():
        return None
    if width[0] <= 0 or (width[0] < 1 and kind == "LINEAR"):
        return None
    return _Window(centre[0], width[0], kind)


def _table(file: DicomFile, sequence: str) -> _Table | None:
    items = file.value(sequence)
    if not items or not isinstance(items[0], Dataset):
        return None
    described = [int(number) for number in numbers(element(items[0], "LUTDescriptor"))]
    data = element(items[0], "LUTData")
    if len(described) != 3 or data is None:
        return None
    count, first, bits = described[0] or 1 << 16, *described[1:]
    if isinstance(data, bytes):
        data = _entries(file, data, count)
    entries = np.array(numbers(data))[:count]
    if not len(entries) or not 1 <= bits <= 16:
        return None
    # Some tables say 16 bits of entries that have fewer.
    return _Table(first, entries, max((1 << bits) - 1, int(entries.max())))
