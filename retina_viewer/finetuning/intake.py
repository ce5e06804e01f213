"""What lies in the folders a person offers: every file looked at, nothing left out silently."""

import logging
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.finetuning.fingerprint import fingerprint, near_pairs
from retina_viewer.finetuning.masks import looks_like_a_mask
from retina_viewer.finetuning.quality import (
    BLURRED_BELOW,
    LEAST_FIELD,
    LOOKED_AT,
    is_fundus_coloured,
    sharpness,
)
from retina_viewer.finetuning.source_details import details_of
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.imaging.formats import SUFFIXES
from retina_viewer.imaging.readers import is_supported, open_image, thumbnail

logger = logging.getLogger(__name__)
Kind = Literal[
    "good", "unreadable", "damaged", "duplicate", "nearly the same", "blurred", "not fundus",
    "too small", "mask",
]  # fmt: skip


@dataclass(frozen=True)
class Examined:
    """One file, and what is proposed to be done with it.

    Attributes:
        path: where it lies.
        kind: the first thing found of it that matters.
        reason: in words, why it is proposed to leave it out; empty for good ones.
        width, height: of the file's picture, px; 0 where unreadable.
        camera: maker and model as the file says; empty where it does not.
        sha256: of the file; empty where unreadable.
        fingerprint: see :mod:`retina_viewer.finetuning.fingerprint`; None where unreadable.
        sharpness: see :func:`retina_viewer.finetuning.quality.sharpness`; None where not measured.
        field_diameter: of the field of view, source px; 0 where unreadable.
        like: the file that it is a copy of, or nearly the same as.
    """

    path: Path
    kind: Kind
    reason: str = ""
    width: int = 0
    height: int = 0
    camera: str = ""
    sha256: str = ""
    fingerprint: int | None = None
    sharpness: float | None = None
    field_diameter: float = 0.0
    like: Path | None = None

    @property
    def readable(self) -> bool:
        return self.kind != "unreadable"

    @property
    def proposed(self) -> Literal["keep", "exclude"]:
        """The person decides; what cannot be read cannot be kept."""
        return "keep" if self.kind == "good" else "exclude"


@dataclass(frozen=True)
class Intake:
    """The report of a look at some folders.

    Attributes:
        files: every file that is, or by its name should be, a picture; in the order found.
        others: how many files are something else (texts, tables).
        alike: pairs that are nearly the same picture: of one patient, whoever is told otherwise.
        missing: folders and files that were named but are not there, or may not be read.
    """

    files: tuple[Examined, ...]
    others: int
    alike: tuple[tuple[Path, Path], ...]
    missing: tuple[str, ...]

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
        return Counter(file.camera for file in self.photographs if file.readable)

    @property
    def sizes(self) -> Counter[tuple[int, int]]:
        """How many photographs there are of each width and height."""
        return Counter((file.width, file.height) for file in self.photographs if file.readable)


def examine(places: Sequence[Path], *, progress: Progress = no_progress) -> Intake:
    """Look at every file of some folders, and below them, and at single files.

    Links to files are followed, links to folders are not (they may lead in circles). Hidden files
    are no photographs of anybody.

    Args:
        places: folders and files, as dropped or chosen.
        progress: reports after every file; may cancel.
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


def _judged(base: Examined, small: NDArray[np.uint8]) -> Examined:
    """The rest, from a small picture ``(h, w, 3)`` uint8 of at most LOOKED_AT pixels a side."""
    field = find_field_of_view(small)
    shrunk = max(base.width, base.height) / max(small.shape[:2])
    found = replace(
        base, fingerprint=fingerprint(small, field), field_diameter=field.diameter * shrunk
    )
    if field.is_whole_image:
        reason = "No round field of view was found: this may be no fundus photograph."
        return replace(found, kind="not fundus", reason=reason)
    if not is_fundus_coloured(small, field):
        reason = "Its colours are not those of a fundus photograph."
        return replace(found, kind="not fundus", reason=reason)
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
