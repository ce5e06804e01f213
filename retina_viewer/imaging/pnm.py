"""PPM and PGM, 8 and 16 bits: raw samples behind a few words of text."""

import math
import re
from typing import cast

import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.decoded import (
    END_MISSING,
    Decoded,
    Pixels,
    brightened,
    check_memory,
    check_size,
    full_range,
)

_SPACE = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(
    rb"P([56])" + _SPACE + rb"(\d{1,9})" + _SPACE + rb"(\d{1,9})" + _SPACE + rb"(\d{1,5})\s"
)


def is_raw_pnm(data: bytes) -> bool:
    """Whether it is grey or colour in bytes; plain text and bitmaps are Pillow's."""
    return data[:2] in (b"P5", b"P6")


def read_pnm(data: bytes, name: str) -> Decoded:
    """Decode the first picture; its highest value becomes full white.

    Raises:
        UserError: the size is out of bounds.
        ValueError: the header is broken, or no row is left.
    """
    header = _HEADER.match(data[:4096])
    if header is None:
        raise ValueError("its header is broken")
    kind, width, height, highest = (int(word) for word in header.groups())
    check_size(width, height, name)
    if not 0 < highest < 1 << 16:
        raise ValueError(f"its highest value is {highest}")
    shape = (height, width, 3) if kind == 6 else (height, width)
    sample = np.dtype(np.uint8 if highest < 256 else ">u2")
    copies = 1 if highest == 255 else 2
    check_memory(len(data) + copies * math.prod(shape) * sample.itemsize, name)
    row = width * sample.itemsize * (3 if kind == 6 else 1)
    rows = min(height, (len(data) - header.end()) // row)
    if rows == 0:
        raise ValueError("nothing of the picture is left")
    values: NDArray[np.integer] = np.frombuffer(
        data, sample, rows * row // sample.itemsize, header.end()
    )
    whole = np.zeros(shape, np.uint8 if highest < 256 else np.uint16)
    whole[:rows] = full_range(values.reshape(rows, *shape[1:]), highest)
    pixels, notes = brightened(cast(Pixels, whole))
    return Decoded(pixels, "PNM", damage="" if rows == height else END_MISSING, notes=notes)
