"""The photograph, as everything else in the program sees it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.core.names import MAX_BYTES, fitting, stem_of
from retina_viewer.imaging.colour import to_srgb
from retina_viewer.imaging.decoded import Pixels, as_rgb
from retina_viewer.imaging.field_of_view import FieldOfView, find_field_of_view
from retina_viewer.imaging.provenance import Provenance

STEM_BYTES = MAX_BYTES - 105
"""What the longest ending of a result (scale, model, kind, suffix) and its number leave."""


@dataclass(frozen=True, eq=False)
class FundusImage:
    """One photograph, upright, in its own colour space. Treat ``pixels`` as read-only.

    Attributes:
        pixels: ``(H, W, 3)`` uint8 or uint16, full range, in the colour space of ``icc_profile``.
        name: the file's name, for titles and result names. It may name a patient: never log it.
        path: where it was read from; None for an image made in memory.
        sha256: of the file's bytes, 64 hexadecimal digits; empty for an image made in memory.
        format: ``JPEG``, ``PNG``, ``TIFF``, ``BMP``, ``WebP``, ``GIF``, ``DICOM`` or ``memory``.
        icc_profile: the RGB profile of the pixels; None means sRGB.
        is_grey: whether the file has one channel, or three equal ones.
        um_per_px, pages, damage, notes: as ``Decoded`` has them.
        page: which of the file's pictures this is, from 0.
        made_by: how this program made it, where it did: read from the file or from beside it.
    """

    pixels: Pixels
    name: str
    path: Path | None = None
    sha256: str = ""
    format: str = "memory"
    icc_profile: bytes | None = None
    is_grey: bool = False
    um_per_px: float | None = None
    pages: int = 1
    page: int = 0
    damage: str = ""
    notes: tuple[str, ...] = ()
    made_by: Provenance | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3:
            raise ValueError(f"pixels must be (H, W, 3), not {self.pixels.shape}")
        if self.pixels.dtype not in (np.uint8, np.uint16):
            raise ValueError(f"pixels must be uint8 or uint16, not {self.pixels.dtype}")

    @classmethod
    def from_array(cls, pixels: Pixels, name: str = "image") -> FundusImage:
        """An image made in memory, from ``(H, W)`` or ``(H, W, 3)`` uint8 or uint16, as sRGB."""
        rgb, grey = as_rgb(pixels)
        return cls(rgb, name, is_grey=grey)

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def bit_depth(self) -> int:
        """8 or 16, per channel."""
        return 8 * self.pixels.dtype.itemsize

    @property
    def stem(self) -> str:
        """The name without its suffix, for the names of results: short enough for theirs to fit."""
        which = f"_p{self.page + 1}" if self.page else ""
        return fitting(stem_of(self.name) + which, STEM_BYTES)

    @property
    def label(self) -> str:
        """What its pixels are called: ``ORIGINAL``, unless this program has made them."""
        return "ORIGINAL" if self.made_by is None else self.made_by.label

    @property
    def is_enlarged(self) -> bool:
        """Whether this program has enlarged it already: doing so again needs a yes."""
        return self.made_by is not None and self.made_by.is_enlargement

    def as_source(self) -> dict[str, Any]:
        """The fields of a :class:`Provenance` that say what a result was made from."""
        return {
            "source_name": self.name,
            "source_sha256": self.sha256,
            "source_width": self.width,
            "source_height": self.height,
            "source_page": self.page if self.pages > 1 else None,
            "source_damage": self.damage or None,
            "source_made_by": self.made_by,
        }

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know of the file, one sentence each, the gravest first."""
        damage = f"This file is damaged: {self.damage}." if self.damage else ""
        made, several = (
            self.made_by,
            f"This is picture {self.page + 1} of {self.pages} in the file.",
        )
        how = f"This is no photograph: {made.program} made it ({made.method})." if made else ""
        texts = (damage, how, several if self.pages > 1 else "", *self.notes)
        return tuple(filter(None, texts))

    @property
    def bounds(self) -> Rect:
        """The whole image."""
        return Rect(0, 0, self.width, self.height)

    def unit_rgb(self, region: Rect | None = None) -> NDArray[np.float32]:
        """What methods compute on: the pixels of ``region`` (all where None), still in the source's
        colour space: ``(h, w, 3)`` float32 in [0, 1], a copy. Raises ValueError: it is not inside.
        """
        area = self.bounds if region is None else region
        if area.intersected(self.bounds) != area:
            raise ValueError(f"{area} is not inside {self.bounds}")
        rows, columns = area.slices()
        top = np.float32(np.iinfo(self.pixels.dtype).max)
        return self.pixels[rows, columns].astype(np.float32) / top

    @cached_property
    def display_rgb(self) -> NDArray[np.uint8]:
        """``(H, W, 3)`` uint8 sRGB: what a screen shows."""
        return to_srgb(self.pixels, self.icc_profile)

    @cached_property
    def field_of_view(self) -> FieldOfView:
        """Where the retina is in the photograph; computed on first use."""
        return find_field_of_view(self.display_rgb)

    @property
    def known_field_of_view(self) -> FieldOfView | None:
        """The same where it has been computed already, without waiting."""
        return cast("FieldOfView | None", self.__dict__.get("field_of_view"))
