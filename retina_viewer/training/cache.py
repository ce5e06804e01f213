"""Photographs decoded once into a memory-mapped file, so that a folder larger than RAM trains."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.quality.datasets import Photograph, read_mask

logger = logging.getLogger(__name__)
Bytes = NDArray[np.uint8]


class _Entry(BaseModel, frozen=True, extra="forbid"):
    """One photograph in the index."""

    dataset: str
    patient: str
    shape: tuple[int, int, int]
    offset: int
    diameter: float = Field(gt=0, allow_inf_nan=False)


class _Index(BaseModel, frozen=True, extra="forbid"):
    """What lies in ``pixels.bin``, and of what it was made."""

    key: dict[str, Any]
    photographs: tuple[_Entry, ...]

    @property
    def size(self) -> int | None:
        """Of the pixels, bytes; None where the entries do not follow each other."""
        place = 0
        for entry in self.photographs:
            height, width, channels = entry.shape
            if entry.offset != place or min(height, width) < 1 or channels not in (4, 5):
                return None
            place += height * width * channels
        return place


def _read_index(folder: Path) -> _Index | None:
    """None where there is none, or where it is damaged or does not fit its pixels."""
    try:
        index = _Index.model_validate_json((folder / "index.json").read_bytes())
        if index.size == (folder / "pixels.bin").stat().st_size:
            return index
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        pass
    logger.warning("the decoded photographs are damaged: they are decoded anew")
    return None


@dataclass(frozen=True)
class CachedPhotograph:
    """One photograph, its field of view and (where known) its vessels, at the cached size."""

    dataset: str
    patient: str
    rgb: Bytes  # (H, W, 3)
    field: Bytes  # (H, W), 0 or 255
    vessels: Bytes | None  # (H, W), 0..255: the share of each pixel that is vessel
    diameter: float  # of the field of view, px


class PhotographCache:
    """A folder with ``pixels.bin`` and ``index.json``, read as arrays. ``shares`` says how much of
    what is drawn comes from each data set, relative; None draws all photographs alike."""

    def __init__(self, folder: Path, shares: Mapping[str, float] | None = None) -> None:
        index = _read_index(folder)
        if index is None:
            raise UserError(f"There are no decoded photographs in {folder}.")
        self._entries = index.photographs
        self._pixels = np.memmap(folder / "pixels.bin", dtype=np.uint8, mode="r")
        self.shares = shares
        self.members: dict[str, list[int]] = {}  # the photographs' numbers by data set
        for number, entry in enumerate(self._entries):
            self.members.setdefault(entry.dataset, []).append(number)

    def draw(self, rng: np.random.Generator) -> CachedPhotograph:
        """A random photograph; the data set first where there are shares."""
        if self.shares is None:
            return self[int(rng.integers(len(self)))]
        names = [name for name in self.members if self.shares.get(name, 0) > 0]
        weights = np.array([self.shares[name] for name in names])
        members = self.members[names[int(rng.choice(len(names), p=weights / weights.sum()))]]
        return self[members[int(rng.integers(len(members)))]]

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, number: int) -> CachedPhotograph:
        entry = self._entries[number]
        height, width, channels = entry.shape
        block = self._pixels[entry.offset : entry.offset + height * width * channels]
        planes = block.reshape(height, width, channels)
        vessels = planes[..., 4] if channels == 5 else None
        return CachedPhotograph(
            entry.dataset, entry.patient, planes[..., :3], planes[..., 3], vessels, entry.diameter
        )


def open_cache(
    photographs: Sequence[Photograph],
    folder: Path,
    *,
    diameter: float,
    with_vessels: bool,
    shares: Mapping[str, float] | None = None,
    progress: Progress = no_progress,
) -> PhotographCache:
    """The cache of these photographs in ``folder``, built unless it is there already and whole.

    Args:
        folder: made if missing; its content is replaced when it belongs to other photographs.
        diameter: the largest diameter of the field of view kept, px; larger ones are shrunk.
        with_vessels: whether every photograph must have a vessel mask.

    Raises:
        UserError: no photographs, an unreadable one, or no space.
    """
    if not photographs:
        raise UserError("There are no photographs to train on.", "Check the data folder.")
    files = [p.identity() for p in photographs]
    key = {"diameter": diameter, "with_vessels": with_vessels, "files": files}
    index_file = folder / "index.json"
    index = _read_index(folder)
    if index is not None and index.key == key:
        return PhotographCache(folder, shares)
    folder.mkdir(parents=True, exist_ok=True)
    index_file.unlink(missing_ok=True)  # an index is only ever beside the pixels it describes
    entries: list[_Entry] = []
    with atomic_write(folder / "pixels.bin", replace=True) as stream:
        offset = 0
        for number, photograph in enumerate(photographs):
            progress(number / len(photographs), "decoding photographs")
            planes, scaled_diameter = _decode(photograph, diameter, with_vessels)
            stream.write(planes.tobytes())
            height, width, channels = planes.shape
            entry = _Entry(
                dataset=photograph.dataset, patient=photograph.patient,
                shape=(height, width, channels), offset=offset, diameter=scaled_diameter,
            )  # fmt: skip
            entries.append(entry)
            offset += planes.size
    index = _Index(key=key, photographs=tuple(entries))
    with atomic_write(index_file, replace=True) as stream:
        stream.write(index.model_dump_json().encode())
    return PhotographCache(folder, shares)


def _decode(photograph: Photograph, diameter: float, with_vessels: bool) -> tuple[Bytes, float]:
    """The planes ``(H, W, 4 or 5)`` of one photograph, shrunk, and its field's diameter."""
    rgb = photograph.read_rgb()
    found = find_field_of_view(rgb)
    field = read_mask(photograph.fov) if photograph.fov else found.mask
    planes = [rgb, _as_bytes(field)]
    if with_vessels:
        planes.append(_as_bytes(photograph.read_vessels()))
    if len({plane.shape[:2] for plane in planes}) != 1:
        raise UserError(
            f"{photograph.name}: photograph and masks differ in size.",
            "Each mask must have exactly the size of its photograph.",
        )
    factor = min(1.0, diameter / found.diameter)
    if factor < 1:
        size = (round(rgb.shape[1] * factor), round(rgb.shape[0] * factor))
        planes = [
            np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
            for plane in planes
        ]
    stack = np.dstack(planes).astype(np.uint8)
    stack[..., 3] = np.where(stack[..., 3] > 127, 255, 0)
    return stack, found.diameter * factor


def as_unit(values: NDArray[Any]) -> NDArray[np.float32]:
    """0..255 of any type as float32 in [0, 1]."""
    return np.asarray(values, dtype=np.float32) / np.float32(255)


def _as_bytes(mask: NDArray[np.bool_]) -> Bytes:
    return np.where(mask, 255, 0).astype(np.uint8)
