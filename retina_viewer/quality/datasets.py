"""Photographs of data sets and their labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.core.errors import UserError

_LOSSY = ("JPEG", "WEBP")
_NOISE = 16  # most grey levels that a lossy file of one level strays


@dataclass(frozen=True)
class Photograph:
    """One photograph and where its labels lie; a label that does not exist is None or missing.

    ``id`` is unique in its data set; photographs of one ``patient`` never come apart in a split.
    ``part`` is the set's own division where it has one (``training`` or ``test`` in DRIVE).
    """

    dataset: str
    id: str
    patient: str
    image: Path
    fov: Path | None = None
    vessels: Path | None = None
    vessels_second: Path | None = None
    lesions: Mapping[str, Path] = field(default_factory=dict)
    part: str = ""

    @property
    def name(self) -> str:
        """``dataset/id``: unique over all sets."""
        return f"{self.dataset}/{self.id}"

    def identity(self) -> list[str | int]:
        """What tells whether something kept was made of this photograph; the file must be there."""
        return [self.dataset, self.id, self.image.stat().st_size]

    def read_rgb(self) -> NDArray[np.uint8]:
        """The pixels as stored, ``(H, W, 3)`` uint8, writable."""
        try:
            with Image.open(self.image) as picture:
                return np.array(picture.convert("RGB"), dtype=np.uint8)
        except Exception as error:  # decoders raise anything on damaged data
            raise UserError(f"{self.image.name} could not be read: {error}.") from error

    def read_vessels(self) -> NDArray[np.bool_]:
        """The drawn vessels, ``(H, W)`` bool; UserError where there are none."""
        if self.vessels is None:
            raise UserError(f"{self.name} has no vessel mask.")
        return read_mask(self.vessels)


def read_mask(path: Path) -> NDArray[np.bool_]:
    """A drawn mask as ``(H, W)`` bool: what is brighter than the middle of its levels.

    So it does not matter whether it is stored as one bit, as 0 and 1, 0 and 255, 0 and 65,535, or
    as the indices of a palette. Of one level only it is all true, but for 0: all false.
    """
    levels = read_levels(path)
    low, high = float(levels.min()), float(levels.max())
    return np.asarray(levels > (0 if low == high else (low + high) / 2))


def read_levels(path: Path) -> NDArray[np.float32]:
    """The levels ``(H, W)`` of a drawn mask as stored; of colours their brightest channel."""
    try:
        with Image.open(path) as picture:
            levels = _levels(picture)
            lossy = picture.format in _LOSSY
    except Exception as error:  # decoders raise anything on damaged data
        raise UserError(
            f"The mask {path.name} cannot be read: {error}.", "Save it as PNG."
        ) from error
    levels = np.asarray(np.nan_to_num(levels), dtype=np.float32)
    if lossy and levels.max() - levels.min() < _NOISE:
        levels = np.full_like(levels, 0 if levels.mean() < _NOISE else 255)
    return levels


def _levels(picture: Image.Image) -> NDArray[np.float32]:
    if picture.mode in ("1", "L", "F") or picture.mode.startswith("I"):
        return np.asarray(np.asarray(picture), dtype=np.float32)
    rgb = picture.convert("RGB")
    # Colours stand for kinds (arteries red, veins blue), grounds are dark. Where all are as
    # bright, as red is on white, luminance tells them apart, and after that the palette's index.
    ways = [np.asarray(rgb).max(axis=2), np.asarray(rgb.convert("L"))]
    if picture.mode == "P":
        ways.append(np.asarray(picture))
    told = next((one for one in ways if one.min() < one.max()), ways[0])
    return np.asarray(told, dtype=np.float32)
