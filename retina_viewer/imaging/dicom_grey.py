"""From stored grey values to brightness: what a DICOM file says of it, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from retina_viewer.imaging.decoded import Pixels
from retina_viewer.imaging.dicom_file import DicomFile, element, numbers

Values = NDArray[np.float64]


class _Table(NamedTuple):
    first: int
    entries: Values
    top: int

    def look_up(self, values: Values) -> Values:
        place = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1)
        return np.asarray(self.entries[place.astype(int)])


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


@dataclass(frozen=True)
class Grey:
    """How one file's grey values are shown.

    Attributes:
        bits: of a stored value.
        signed: whether stored values are two's complement.
        negative: whether a value below zero occurs.
        slope, intercept: the file's rescaling, 1 and 0 without one.
        modality: the table that stands in its place.
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
        """
        Args:
            highest: the largest stored value, read without sign.
        """
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

    @property
    def as_stored(self) -> bool:
        """Whether stored values are shown from none to the highest possible."""
        return self.interest is None and self.modality is None

    def table(
        self, monochrome1: bool, samples: NDArray[np.integer[Any]]
    ) -> tuple[Pixels, list[str]]:
        """The brightness of every stored value, and what a person should know of it.

        Args:
            monochrome1: whether high values are dark.
            samples: those that occur; a window that makes them all alike is not used.

        Returns:
            ``(2^bits,)`` uint8 or uint16.
        """
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
        unit = plain if self.interest is None else self._of_interest(values)
        occurring = np.unique(samples[:: max(1, len(samples) // 64)])
        if self.interest is not None and len(occurring) > 1 and np.ptp(unit[occurring]) == 0:
            unit = plain
            notes.append("The window that the file gives would hide all of it and was not used.")
        elif np.abs(unit - plain).max() > 0.01:
            notes.append(self._words())
        if monochrome1 or self.inverted:
            unit = 1 - unit
        if self.inverted and not monochrome1:
            notes.append("It is shown inverted, as the file asks.")
        kind: type[np.uint8] | type[np.uint16] = np.uint8 if self.bits <= 8 else np.uint16
        return cast(Pixels, np.rint(unit * np.iinfo(kind).max).astype(kind)), notes

    def _of_interest(self, values: Values) -> Values:
        if isinstance(self.interest, _Table):
            return self.interest.look_up(values) / self.interest.top
        assert self.interest is not None
        return self.interest.brightness(values)

    def _words(self) -> str:
        if isinstance(self.interest, _Window):
            window = self.interest
            return (
                "It is shown through the window that the file gives: "
                f"centre {window.centre:g}, width {window.width:g}."
            )
        return "It is shown through the table that the file gives."


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
    count, first, bits = described[0] or 1 << 16, described[1], described[2]
    if isinstance(data, bytes):
        wide = "<u2" if file.little else ">u2"
        entries = np.frombuffer(
            data[: len(data) // 2 * 2], wide if len(data) >= 2 * count else "u1"
        )
    else:
        entries = np.array(numbers(data))
    entries = entries[:count].astype(float)
    if not len(entries) or not 1 <= bits <= 16:
        return None
    # Some tables say 16 bits of entries that have fewer.
    return _Table(first, entries, max((1 << bits) - 1, int(entries.max())))
