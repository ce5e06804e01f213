"""What lies in the folders a person offers: every file looked at, nothing left out silently."""

from __future__ import annotations

import logging
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.finetuning.masks import looks_like_a_mask
from retina_viewer.finetuning.patients import details_of
from retina_viewer.imaging.field_of_view import FieldOfView, find_field_of_view
from retina_viewer.imaging.formats import SUFFIXES
from retina_viewer.imaging.readers import is_supported, open_image, thumbnail

logger = logging.getLogger(__name__)
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

LOOKED_AT = 900  # longer side, px, of the small picture that is looked at
LEAST_FIELD = 300
"""Diameter of the field of view, px: less does not hold the patches of the larger scales."""
BLURRED_BELOW = 1.85
"""Sharpness below which leaving out is proposed; see docs/decisions/fine-tuning.md."""
_MEASURED_AT = 640  # px across the field: what blurs at this size hides vessels
_FINE, _COARSE = 1.0, 4.0  # px at that size
_BLOCK = 40  # px
_EDGES = 95.0  # percentile within a block: a vessel covers a few hundredths of it
_STRUCTURED = 60.0  # percentile of blocks, below which there is more noise than structure
_RIM = 31  # px: the rim of the field is an edge of its own


def sharpness(rgb8: Bytes, field: FieldOfView) -> float | None:
    """How crisp the edges inside the field of view are, whatever their contrast.

    In blocks of 40 px, of the green channel at 640 px across the field: the 95th percentile of the
    gradient's size after Gaussian smoothing of 1 px over that after 4 px; then the median of the
    blocks with the most structure. A sharp line loses most of its gradient to the wide smoothing,
    a blurred one has little to lose: the ratio falls with blur, and not with contrast, since both
    percentiles scale alike. Blocks keep a few bright lesions from speaking for the whole.
    Of ``(H, W, 3)`` uint8.

    Returns:
        1.2 to 1.8 for blurred photographs, 1.9 to 4.5 for sharp ones; None where the field of
        view is too small to tell, or flat.
    """
    factor = _MEASURED_AT / field.diameter
    green = rgb8[..., 1].astype(np.float32)
    inside = field.mask.astype(np.uint8)
    if factor < 1:
        green = np.asarray(
            cv2.resize(green, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.float32
        )
        size = (green.shape[1], green.shape[0])
        inside = np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    core = cv2.erode(inside, np.ones((_RIM, _RIM), np.uint8)) > 0
    blocks = _blocks(core).mean(axis=1) > 0.9
    if not blocks.any():
        return None
    fine, coarse = (
        np.percentile(_blocks(_gradient(green, sigma))[blocks], _EDGES, axis=1)
        for sigma in (_FINE, _COARSE)
    )
    chosen = (coarse >= np.percentile(coarse, _STRUCTURED)) & (coarse > 0)
    return float(np.median(fine[chosen] / coarse[chosen])) if chosen.any() else None


def _blocks(plane: NDArray[Any]) -> NDArray[Any]:
    """The whole blocks of a plane, one a row: ``(blocks, 40 * 40)``."""
    down, across = (length // _BLOCK for length in plane.shape)
    whole = plane[: down * _BLOCK, : across * _BLOCK]
    return whole.reshape(down, _BLOCK, across, _BLOCK).swapaxes(1, 2).reshape(-1, _BLOCK * _BLOCK)


def _gradient(plane: Floats, sigma: float) -> Floats:
    smooth = cv2.GaussianBlur(plane, (0, 0), sigma)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(cv2.magnitude(across, down), dtype=np.float32)


def is_fundus_coloured(rgb8: Bytes, field: FieldOfView) -> bool:
    """Whether the field of view is reddish, as blood and pigment make every fundus: red above
    green above (or near) blue, in the medians.

    Grey pictures (angiographies, red-free ones) are not: a model for colour photographs would
    learn from them that fundi have no colour. The doubt of
    :mod:`retina_viewer.imaging.field_of_view` lets these pass on purpose: it cannot judge here.
    """
    red, green, blue = (float(np.median(rgb8[..., k][field.mask])) for k in range(3))
    return red > 1.1 * green and red > 1.15 * blue and green > 0.8 * blue and red > 20


FileKind = Literal[
    "good", "unreadable", "damaged", "duplicate", "nearly the same", "blurred", "not fundus",
    "too small", "mask",
]  # fmt: skip


@dataclass(frozen=True)
class Examined:
    """One file, and what is proposed to be done with it; an unreadable one has no more than kind
    and reason."""

    path: Path
    kind: FileKind  # the first thing found of it that matters
    reason: str = ""  # why it is proposed to leave it out; empty for good ones
    width: int = 0  # px
    height: int = 0
    camera: str = ""  # maker and model as the file says; empty where it does not
    sha256: str = ""
    fingerprint: int | None = None
    sharpness: float | None = None  # None where not measured
    field_diameter: float = 0.0  # of the field of view, source px
    like: Path | None = None  # the file that it is a copy of, or nearly the same as

    @property
    def proposed(self) -> Literal["keep", "exclude"]:
        """The person decides; what cannot be read cannot be kept."""
        return "keep" if self.kind == "good" else "exclude"


@dataclass(frozen=True)
class Intake:
    """The report of a look at some folders."""

    files: tuple[Examined, ...]  # all that are, or by their names should be, pictures
    others: int  # how many files are something else (texts, tables)
    alike: tuple[tuple[Path, Path], ...]  # nearly the same picture: of one patient in any case
    missing: tuple[str, ...]  # named but not there, or not to be read

    @property
    def _pictures(self) -> list[Examined]:
        return [file for file in self.photographs if file.kind != "unreadable"]

    @property
    def photographs(self) -> tuple[Examined, ...]:
        """All but the drawn masks."""
        return tuple(file for file in self.files if file.kind != "mask")

    @property
    def masks(self) -> tuple[Path, ...]:
        return tuple(file.path for file in self.files if file.kind == "mask")

    @property
    def kept(self) -> tuple[Examined, ...]:
        """Those that are proposed to be kept."""
        return tuple(file for file in self.files if file.proposed == "keep")

    @property
    def cameras(self) -> Counter[str]:
        """How many photographs come from each camera; "" counts those that do not say."""
        return Counter(file.camera for file in self._pictures)

    @property
    def sizes(self) -> Counter[tuple[int, int]]:
        """How many photographs there are of each width and height."""
        return Counter((file.width, file.height) for file in self._pictures)


def examine(places: Sequence[Path], *, progress: Progress = no_progress) -> Intake:
    """Look at every file of some folders, and below them, and at single files.

    Links to files are followed, links to folders are not (they may lead in circles). Hidden files
    are no photographs of anybody.
    """
    missing: list[str] = []
    candidates = list(dict.fromkeys(_files(places, missing)))
    found: list[Examined] = []
    others = 0
    for number, path in enumerate(candidates):
        progress(number / len(candidates), f"looking at {path.name}")
        # What a person would expect to be read; other files are told by their first bytes.
        if path.suffix.lower() in SUFFIXES or is_supported(path):
            found.append(_examined(path))
        else:
            others += 1
    with_copies = _mark_copies(found)
    alike = near_pairs(
        {f.path: f.fingerprint for f in with_copies if f.fingerprint is not None and not f.like}
    )
    progress(1.0, "done")
    return Intake(tuple(_mark_alike(with_copies, alike)), others, tuple(alike), tuple(missing))


def _files(places: Sequence[Path], missing: list[str]) -> Iterator[Path]:
    """All files, folders entered, by name; what cannot be entered goes to ``missing``."""

    def unreadable(error: OSError) -> None:
        missing.append(f"{error.filename}: {error.strerror}")

    for place in places:
        mode = _mode(place)
        if mode is None:
            missing.append(f"{place}: it is not there")
        elif stat.S_ISDIR(mode):
            for folder, below, names in os.walk(place, onerror=unreadable):
                below[:] = sorted(name for name in below if not name.startswith("."))
                for name in sorted(names):
                    if not name.startswith("."):
                        yield from _file(Path(folder) / name, missing)
        else:
            yield from _file(place, missing)


def _file(path: Path, missing: list[str]) -> Iterator[Path]:
    """The path, where a file is; a pipe or a device could be read without end."""
    mode = _mode(path)
    if mode is None or stat.S_ISREG(mode):  # a broken link is said to be one later
        yield path
    else:
        missing.append(f"{path}: it is not a file")


def _mode(path: Path) -> int | None:
    """What kind of thing it is; None where there is nothing, or nothing that may be looked at."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return None


def _examined(path: Path) -> Examined:
    """One file; whatever is wrong with it is said of it, and does not stop the look at the rest."""
    try:
        return _looked_at(path)
    except UserError as error:
        return Examined(path, "unreadable", error.message)
    except OSError as error:
        return Examined(path, "unreadable", f"{path.name} vanished: {error.strerror}.")
    except Exception:  # of data that are damaged in a way that no reader foresees
        logger.warning("a file could not be looked at", exc_info=True)
        return Examined(path, "unreadable", f"{path.name} is damaged: it cannot be read.")


def _looked_at(path: Path) -> Examined:
    small, image, details = thumbnail(path, LOOKED_AT), open_image(path), details_of(path)
    base = Examined(
        path, "good", width=image.width, height=image.height, sha256=image.sha256,
        camera=details.camera,
    )  # fmt: skip
    if not image.damage and looks_like_a_mask(path):
        return replace(base, kind="mask", reason="A drawn mask, not a photograph.")
    judged = _judged(base, small)
    damage = image.damage or details.damage
    return replace(judged, kind="damaged", reason=damage) if damage else judged


def _judged(base: Examined, small: Bytes) -> Examined:
    """The rest, from a small picture ``(h, w, 3)`` uint8 of at most LOOKED_AT pixels a side."""
    field = find_field_of_view(small)
    shrunk = max(base.width, base.height) / max(small.shape[:2])
    found = replace(
        base, fingerprint=fingerprint(small, field), field_diameter=field.diameter * shrunk
    )
    not_fundus = ""
    if field.is_whole_image:
        not_fundus = "No round field of view was found: this may be no fundus photograph."
    elif not is_fundus_coloured(small, field):
        not_fundus = "Its colours are not those of a fundus photograph."
    if not_fundus:
        return replace(found, kind="not fundus", reason=not_fundus)
    if found.field_diameter < LEAST_FIELD:
        reason = (
            f"The field of view is only {found.field_diameter:.0f} pixels across; "
            f"at least {LEAST_FIELD} are needed."
        )
        return replace(found, kind="too small", reason=reason)
    found = replace(found, sharpness=sharpness(small, field))
    if found.sharpness is not None and found.sharpness < BLURRED_BELOW:
        return replace(found, kind="blurred", reason="It is blurred: a model would learn the blur.")
    return found


def _mark_copies(files: Sequence[Examined]) -> list[Examined]:
    first: dict[str, Path] = {}
    marked = []
    for file in files:
        original = first.setdefault(file.sha256, file.path) if file.sha256 else file.path
        if original != file.path:
            reason = f"The same file as {original.name}."
            file = replace(file, kind="duplicate", reason=reason, like=original)
        marked.append(file)
    return marked


def _mark_alike(
    files: Sequence[Examined], alike: Sequence[tuple[Path, Path]]
) -> Iterator[Examined]:
    """Of two that are nearly the same, the one with fewer pixels is proposed to be left out."""
    by_path = {file.path: file for file in files}
    worse: dict[Path, Path] = {}
    for one, two in alike:
        first, second = by_path[one], by_path[two]
        if first.kind != "good" or second.kind != "good" or {one, two} & worse.keys():
            continue
        smaller = min((second, first), key=lambda file: file.width * file.height)
        worse[smaller.path] = one if smaller is second else two
    for file in files:
        if file.path in worse:
            like = worse[file.path]
            reason = f"Nearly the same picture as {like.name}."
            file = replace(file, kind="nearly the same", reason=reason, like=like)
        yield file


NEAR = 4  # most bits of 64 in which near-duplicates differ
_SIDE = 32  # px: the hashed frequencies are those of up to four periods across the field
_SHADING = 5.0  # px: what varies more slowly is the light, not the retina


def fingerprint(rgb8: Bytes, field: FieldOfView) -> int:
    """64 bits, alike for copies of other size, compression, brightness and trimming of the black.

    Mirrored and turned pictures have other fingerprints: the two eyes of a patient look like
    mirror images of each other and are not the same. Of ``(H, W, 3)`` uint8.
    """
    level, inside = _on_field(rgb8, field)
    around = cv2.GaussianBlur(inside, (0, 0), _SHADING)
    shading = cv2.GaussianBlur(level * inside, (0, 0), _SHADING) / np.maximum(around, 1e-3)
    detail = np.asarray((level - shading) * inside, dtype=np.float32)
    signs = cv2.dct(detail)[1:9, 1:9].ravel() > 0
    return int.from_bytes(np.packbits(signs).tobytes(), "big")


def _on_field(rgb8: Bytes, field: FieldOfView) -> tuple[Floats, Floats]:
    """The green channel and the mask, ``(32, 32)`` float32, the field's square filling both."""
    # First shrunk as a whole, by areas, to four times the final size, which then is sampled.
    factor = 4 * _SIDE / field.diameter
    height, width = (max(1, round(n * factor)) for n in rgb8.shape[:2])
    x, y = field.centre_x * width / rgb8.shape[1], field.centre_y * height / rgb8.shape[0]
    matrix = np.array([[1.0, 0, 2 * _SIDE - x], [0, 1.0, 2 * _SIDE - y]])
    found = []
    for plane in (np.ascontiguousarray(rgb8[..., 1]), field.mask.astype(np.uint8) * np.uint8(255)):
        small = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
        square = cv2.warpAffine(small.astype(np.float32), matrix, (4 * _SIDE, 4 * _SIDE))
        found.append(cv2.resize(square, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))
    level, inside = (np.asarray(plane, dtype=np.float32) for plane in found)
    return level, np.asarray(inside > 127, dtype=np.float32)


def near_pairs(fingerprints: Mapping[Path, int]) -> list[tuple[Path, Path]]:
    """All pairs whose fingerprints differ in at most :data:`NEAR` bits, in the order given."""
    paths = list(fingerprints)
    bits = np.array([fingerprints[path] for path in paths], dtype=np.uint64)
    found = []
    for number, path in enumerate(paths):
        distance = np.bitwise_count(bits[number + 1 :] ^ bits[number])
        later = np.flatnonzero(distance <= NEAR) + number + 1
        found += [(path, paths[other]) for other in later]
    return found
