"""What every decoder hands over, and the few steps that all of them share."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
"""``(H, W, 3)``, full range of its type."""

MAX_PIXELS = 16384 * 16384
"""Larger images are refused before they are decoded: 268 million pixels, 0.8 GB at 8 bits."""
MAX_MEMORY = 2_200_000_000
"""Bytes that a file and its decoding may take at once; with the program itself at most 2.5 GB."""
BAND = 1 << 24
"""Values that are widened at a time."""
PART_WRONG = "a part of the picture data is missing or wrong"
END_MISSING = "the end of the picture data is missing"
MIN_SIDE = 16
"""Nothing smaller is a fundus photograph, and the methods' windows would not fit."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """One decoded image, not yet turned upright.

    Attributes:
        pixels: ``(H, W)``, ``(H, W, 1)``, ``(H, W, 3)`` or ``(H, W, 4)`` (straight alpha), uint8 or
            uint16, full range.
        format: the file's format as people call it: ``JPEG``, ``TIFF``, ``DICOM``.
        orientation: the EXIF orientation that is still to be applied, 1 to 8.
        icc_profile: an RGB profile that describes ``pixels``, or None.
        um_per_px: micrometres on the retina per pixel, where the file says.
        pages: how many pictures the file offers to choose from.
        damage: what is wrong with the file although it was decoded; empty where nothing is.
        notes: what a person should know of how it was read, one sentence each.
    """

    pixels: Pixels
    format: str
    orientation: int = 1
    icc_profile: bytes | None = None
    um_per_px: float | None = None
    pages: int = 1
    damage: str = ""
    notes: tuple[str, ...] = ()


def too_large(name: str) -> UserError:
    """What a person is told of an image of more than MAX_PIXELS pixels."""
    return UserError(
        f"{name} is too large.",
        f"At most {MAX_PIXELS // 1_000_000} million pixels can be opened; crop or shrink it.",
    )


def no_such_page(name: str, page: int, pages: int) -> UserError:
    """What a person is told who asks for a picture, from 0, that a file does not hold."""
    held = "one picture" if pages == 1 else f"{pages} pictures"
    return UserError(f"{name} holds {held}: there is no number {page + 1}.", "Choose another.")


def check_memory(needed: int, name: str) -> None:
    """Raise a UserError where ``needed`` bytes at the peak are more than a photograph may take."""
    if needed > MAX_MEMORY:
        raise UserError(
            f"{name} is too large.",
            f"Opening it would take {needed / 1e9:.1f} GB of memory; crop or shrink it.",
        )


def check_size(width: int, height: int, name: str) -> None:
    """Raise a UserError for more than MAX_PIXELS pixels, or a side below MIN_SIDE."""
    if width * height > MAX_PIXELS:
        raise too_large(name)
    if min(width, height) < MIN_SIDE:
        raise UserError(
            f"{name} is too small: {width} x {height} pixels.",
            f"A photograph needs at least {MIN_SIDE} pixels a side.",
        )


def oriented(pixels: Pixels, orientation: int) -> Pixels:
    """Turn and mirror ``(H, W, ...)`` as EXIF orientation 1 to 8 asks; other values mean 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    down = -1 if orientation in (3, 4, 7, 8) else 1
    return pixels[::down, :: -1 if orientation in (2, 3, 6, 7) else 1]


def over_black(rgba: Pixels) -> Pixels:
    """``(H, W, 4)`` with straight alpha laid on black, ``(H, W, 3)`` of the same type: black
    surrounds a fundus photograph, and what was made transparent stays unseen."""
    top = int(np.iinfo(rgba.dtype).max)
    colour, alpha = rgba[..., :3], rgba[..., 3:]
    if int(alpha.min()) == top:
        return cast(Pixels, np.ascontiguousarray(colour))
    laid = np.empty(colour.shape, rgba.dtype)
    for rows in bands(colour.shape):
        # 65535 * 65535 + 32767 still fits into 32 bits without sign.
        wide = colour[rows].astype(np.uint32)
        wide *= alpha[rows]
        wide += np.uint32(top // 2)
        laid[rows] = wide // np.uint32(top)
    return cast(Pixels, laid)


def bands(shape: tuple[int, ...]) -> Iterator[slice]:
    """Rows of an image, a few million values at a time: what is widened takes little memory so."""
    height = max(1, BAND // max(1, math.prod(shape[1:])))
    return (slice(top, top + height) for top in range(0, shape[0], height))


def stretched(values: NDArray[np.integer], bits: int) -> Pixels:
    """Stretch samples of ``bits`` significant bits over the full range of 8 bits or, above, of 16.

    Values outside the declared range are clipped.
    """
    return full_range(values, (1 << bits) - 1)


def full_range(
    values: NDArray[np.integer], source_top: int, kind: type[np.uint16] | None = None
) -> Pixels:
    """The same for samples whose highest value is ``source_top``; of ``kind`` where it is given."""
    target = kind or (np.uint8 if source_top < 256 else np.uint16)
    target_top = int(np.iinfo(target).max)
    if source_top == target_top and values.dtype == target:
        return cast(Pixels, values)
    result = np.empty(values.shape, target)
    for rows in bands(values.shape):
        # 32 bits without sign hold (2^16 - 1)^2 and half a step more.
        wide = np.clip(values[rows], 0, source_top).astype(np.uint32)
        wide *= np.uint32(target_top)
        wide += np.uint32(source_top // 2)
        result[rows] = wide // np.uint32(source_top)
    return cast(Pixels, result)


def brightened(pixels: Pixels) -> tuple[Pixels, tuple[str, ...]]:
    """Samples that use the lower 8 to 14 of their 16 bits alone, stretched; and a word of it.

    Cameras of 12 bits write such files without declaring them: they would be nearly black.
    """
    if pixels.dtype != np.uint16:
        return pixels, ()
    alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
    colours = pixels[..., :-1] if alpha else pixels
    highest = int(colours.max())
    bits = next((bits for bits in (8, 10, 12, 14) if highest < 1 << bits), 16)
    if bits == 16 or highest == 0:
        return pixels, ()
    bright = full_range(colours, (1 << bits) - 1, np.uint16)
    if alpha:
        bright = cast(Pixels, np.concatenate([bright, pixels[..., -1:]], axis=2))
    return bright, (f"Its values fill {bits} of 16 bits only: they were stretched to be seen.",)


def as_rgb(pixels: Pixels) -> tuple[Pixels, bool]:
    """Three contiguous channels, and whether the image is grey: one in the file, or equal ones."""
    if pixels.ndim == 3 and pixels.shape[2] == 2:  # grey with alpha
        pixels = pixels[..., [0, 0, 0, 1]]
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = over_black(pixels)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        plane = pixels.reshape(pixels.shape[:2])
        # np.repeat would hold Python's lock for a third of a second, and the window with it.
        equal = np.broadcast_to(plane[..., None], (*plane.shape, 3))
        return cast(Pixels, np.ascontiguousarray(equal)), True
    red, green, blue = (pixels[..., channel] for channel in range(3))
    grey = all(  # most are not, which a few rows tell
        np.array_equal(red[::step], green[::step]) and np.array_equal(green[::step], blue[::step])
        for step in (16, 1)
    )
    return cast(Pixels, np.ascontiguousarray(pixels)), grey
