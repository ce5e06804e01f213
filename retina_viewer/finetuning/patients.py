"""Which photographs are of one patient: by folder, by file name, by DICOM, by a table.

Groups keep training honest: a model that was tested on the other eye of somebody it was trained on
looks better than it is. Names of patients stay here; a plan holds :func:`hashed` ones.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.names import stem_of
from retina_viewer.core.paths import patient_salt_file
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.finetuning.plan import SUBSETS, PlannedPhotograph, Subset
from retina_viewer.imaging.formats import HEAD, looks_like_dicom
from retina_viewer.quality.conclusion import VERDICT_PATIENTS, people

_DICOM_TAGS = {
    "Manufacturer": "the maker of the camera",
    "ManufacturerModelName": "the model of the camera",
    "PatientID": "the patient",
}


@dataclass(frozen=True)
class SourceDetails:
    """What a file says of itself; empty where it does not."""

    camera: str = ""  # maker and model: Topcon TRC-NW400
    patient: str = ""  # the PatientID of a DICOM file
    damage: str = ""  # what of these cannot be read, a sentence


def details_of(path: Path) -> SourceDetails:
    """What the file says; whatever is damaged in it raises nothing."""
    dataset = _dicom(path)
    if dataset is None:
        return SourceDetails(_camera(_exif(path)))
    texts: dict[str, str] = {}
    damaged = []
    for tag, title in _DICOM_TAGS.items():
        try:
            texts[tag] = str(dataset.get(tag) or "").strip(" \0\t\r\n")
        except Exception:  # values are decoded when they are asked for; damaged ones raise anything
            damaged.append(title)
    damage = f"Its description is damaged: {' and '.join(damaged)} cannot be read."
    return SourceDetails(
        _camera([texts.get("Manufacturer", ""), texts.get("ManufacturerModelName", "")]),
        texts.get("PatientID", ""),
        damage if damaged else "",
    )


def _camera(parts: list[str]) -> str:
    maker, model = parts
    return model if model.lower().startswith(maker.lower()) else f"{maker} {model}".strip()


def _exif(path: Path) -> list[str]:
    try:
        with Image.open(path) as picture:
            exif: Mapping[int, Any] = picture.getexif()
            return [str(exif.get(tag) or "").strip(" \0\t\r\n") for tag in (0x010F, 0x0110)]
    except Exception:  # damaged EXIF raises anything; a camera is not worth a photograph
        return ["", ""]


def _dicom(path: Path) -> Any | None:
    """The dataset of a DICOM file, also of one without the letters at its start."""
    try:
        with path.open("rb") as stream:
            if not looks_like_dicom(stream.read(HEAD)):
                return None
        import pydicom  # a tenth of a second, in which the window would stand still

        return pydicom.dcmread(
            path, stop_before_pixels=True, specific_tags=list(_DICOM_TAGS), force=True
        )
    except Exception:  # damaged headers raise anything; reading the pixels will say so
        return None


_PLACE = "{patient}"
_TABLE_HINT = "It needs a first row with the columns file and patient."


@dataclass(frozen=True)
class Grouping:
    """A preview: a label for each photograph that has one, and those of which the way chosen says
    nothing, both in the order given."""

    patients: dict[Path, str]
    unmatched: list[Path] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many patients there are, each unmatched photograph taken for one of its own."""
        return len(set(self.patients.values())) + len(self.unmatched)

    def completed(self) -> dict[Path, str]:
        """A label for every photograph: the unmatched become patients of their own."""
        # No label of a pattern or a table holds a zero byte, so these meet no other.
        return self.patients | {path: f"\0{path}" for path in self.unmatched}


def by_folder(files: Sequence[Path]) -> Grouping:
    """One folder, one patient."""
    return Grouping({path: str(path.parent) for path in files})


def by_file(files: Sequence[Path]) -> Grouping:
    """One photograph, one patient: for sets that are known to be so."""
    return Grouping({path: str(path) for path in files})


def by_pattern(pattern: str, files: Sequence[Path]) -> Grouping:
    """The part of the file name that a pattern points at.

    Args:
        pattern: either with ``{patient}`` where the patient stands, ``*`` for any text and ``?``
            for any one character, fitting the whole name without its suffix
            (``{patient}_*`` for ``0815_left.jpg``); or a regular expression with one group,
            found anywhere in it (``^([0-9]+)``).

    Raises:
        UserError: the pattern is none, or has not exactly one group.
    """
    find = name_pattern(pattern, _PLACE)
    return _grouped({path: find(stem_of(path.name)) for path in files})


def _grouped(labels: Mapping[Path, str | None]) -> Grouping:
    return Grouping(
        {path: label for path, label in labels.items() if label},
        [path for path, label in labels.items() if not label],
    )


def name_pattern(pattern: str, place: str) -> Callable[[str], str | None]:
    """A function from a file's stem to the part of it that stands at ``place``; None where the
    pattern does not fit. Patterns and errors are those of :func:`by_pattern`."""
    hint = f"Put {place} where it stands, for example {place}_*."
    if pattern.count(place) > 1:
        raise UserError(f"The pattern holds {place} more than once.", hint)
    if place in pattern:
        parts = [re.escape(part) for part in pattern.split(place)]
        parts = [part.replace(r"\*", ".*").replace(r"\?", ".") for part in parts]
        pattern = "^" + "(.+?)".join(parts) + "$"
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(f"The pattern is not valid: {error}.", hint) from error
    if compiled.groups != 1:
        raise UserError(f"The pattern has {compiled.groups} groups instead of one.", hint)
    return lambda stem: match[1] if (match := compiled.search(stem)) else None


def by_dicom(files: Sequence[Path], progress: Progress = no_progress) -> Grouping:
    """The PatientID of DICOM files; files of other kinds are unmatched."""
    found: dict[Path, str | None] = {}
    for number, path in enumerate(files):
        progress(number / len(files), "reading patients")
        found[path] = details_of(path).patient
    return _grouped(found)


def by_table(table: Path, files: Sequence[Path]) -> Grouping:
    """A CSV file with the columns ``file`` and ``patient``, divided by commas or semicolons.

    ``file`` is a path from the table's own folder, a whole path, or a bare name where only one
    photograph has it.

    Raises:
        UserError: unreadable, columns missing, a row without one of them, or one photograph with
            two patients.
    """
    by_name: dict[str, list[Path]] = {}
    for path in files:
        by_name.setdefault(path.name, []).append(path)
    found: dict[Path, str] = {}
    known = set(files)
    for number, (name, patient) in enumerate(_rows(table), start=2):
        whole = table.parent / name
        bare = by_name.get(name, [])
        if whole in known:
            path = whole
        elif len(bare) == 1:
            path = bare[0]
        else:
            continue  # tables list whole departments; photographs that lack a row are reported
        if found.setdefault(path, patient) != patient:
            raise UserError(
                f"Row {number} of {table.name} names another patient for {path.name}.",
                "Give every photograph one row.",
            )
    return _grouped({path: found.get(path) for path in files})


def _rows(table: Path) -> list[tuple[str, str]]:
    try:
        return _cells(table.read_text(encoding="utf-8-sig"), table.name)
    except OSError as error:
        raise UserError(f"{table.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{table.name} is not UTF-8 text.", "Save it as CSV UTF-8.") from error
    except csv.Error as error:  # a field without an end, a zero byte
        raise UserError(f"{table.name} is not a table: {error}.", _TABLE_HINT) from error


def _cells(text: str, name: str) -> list[tuple[str, str]]:
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    header = [cell.strip().lower() for cell in next(reader, [])]
    if "file" not in header or "patient" not in header:
        raise UserError(f"{name} has no columns file and patient.", _TABLE_HINT)
    places = header.index("file"), header.index("patient")
    rows: list[tuple[str, str]] = []
    for number, row in enumerate(reader, start=2):
        if not any(cell.strip() for cell in row):
            continue
        cells = [row[place].strip() if place < len(row) else "" for place in places]
        if not all(cells):
            raise UserError(f"Row {number} of {name} lacks a file or a patient.", _TABLE_HINT)
        rows.append((cells[0], cells[1]))
    return rows


def joined(patients: Mapping[Path, str], alike: Iterable[tuple[Path, Path]]) -> dict[Path, str]:
    """Make one patient of all that share nearly the same picture (``alike``; pairs of photographs
    without a label are left out): their labels become the first of them in the alphabet."""
    found = dict(patients)
    for one, two in alike:
        if one in found and two in found and found[one] != found[two]:
            first, second = sorted((found[one], found[two]))
            found = {path: first if label == second else label for path, label in found.items()}
    return found


def hashed(label: str, salt: bytes) -> str:
    """A patient's label as a plan may hold it: 16 hexadecimal digits, no way back.

    Keyed with this installation's random salt: without it, trying all numbers of a clinic's
    patients would find the label.
    """
    return hmac.new(salt, label.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:16]


def installation_salt() -> bytes:
    """The random salt of this installation, 32 bytes; made on first use."""
    path = patient_salt_file()
    try:
        salt = path.read_bytes()
        if len(salt) == 32:
            return salt
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    salt = secrets.token_bytes(32)
    with atomic_write(path, replace=True) as stream:
        stream.write(salt)
    return salt


SHARES: dict[Subset, float] = {"train": 0.60, "validation": 0.15, "held_out": 0.25}
"""Of the photographs."""
LEAST_PATIENTS = 3
_ENOUGH_FOR_VERDICT = 12
"""From so many patients on, at least six are held out, whatever the shares say."""


@dataclass(frozen=True)
class Division:
    """The subset of every group, and what a person should know before starting, in sentences."""

    subset_of: dict[str, Subset]
    warnings: tuple[str, ...]


def divide(groups: Mapping[str, Sequence[str]], seed: int) -> Division:
    """Divide patients so that each subset has its share (:data:`SHARES`) of the photographs.

    The largest patients are placed first, each where most is lacking; the order of equals comes
    from the seed and the hashes of their photographs alone. So the same photographs are divided
    alike wherever they lie and however they are called. UserError: fewer than three patients.

    Args:
        groups: the SHA-256 of every photograph, by patient.
    """
    if len(groups) < LEAST_PATIENTS:
        raise UserError(
            f"There are photographs of {people(len(groups))} only.",
            "At least 3 are needed: to train, to tell when to stop, and to judge the result. "
            "Add photographs, or group them in another way.",
        )
    total = sum(len(photographs) for photographs in groups.values())
    target = {subset: SHARES[subset] * total for subset in SUBSETS}
    filled: dict[Subset, int] = dict.fromkeys(SUBSETS, 0)
    placed: dict[str, Subset] = {}
    for name in sorted(groups, key=lambda name: (-len(groups[name]), _rank(groups[name], seed))):
        subset = max(SUBSETS, key=lambda subset: target[subset] - filled[subset])
        placed[name] = subset
        filled[subset] += len(groups[name])
    _supply(placed, groups, seed)
    return Division(placed, tuple(_warnings(placed, groups)))


def _supply(placed: dict[str, Subset], groups: Mapping[str, Sequence[str]], seed: int) -> None:
    """Move the smallest patients to where the least number is not reached."""
    wanted: dict[Subset, int] = dict.fromkeys(SUBSETS, 1)
    if len(groups) >= _ENOUGH_FOR_VERDICT:
        wanted["held_out"] = VERDICT_PATIENTS
    for subset in SUBSETS:
        while _count(placed, subset) < wanted[subset]:
            spare = [name for name, s in placed.items() if _count(placed, s) > wanted[s]]
            # From train where possible: it has the most.
            donors = [name for name in spare if placed[name] == "train"] or spare
            smallest = min(donors, key=lambda n: (len(groups[n]), _rank(groups[n], seed)))
            placed[smallest] = subset


def _count(placed: Mapping[str, Subset], subset: Subset) -> int:
    return list(placed.values()).count(subset)


def _rank(photographs: Sequence[str], seed: int) -> str:
    return hashlib.sha256(f"{seed} {sorted(photographs)}".encode()).hexdigest()


def _warnings(placed: Mapping[str, Subset], groups: Mapping[str, Sequence[str]]) -> list[str]:
    found = []
    held_out = _count(placed, "held_out")
    if held_out < VERDICT_PATIENTS:
        found.append(
            f"Only {people(held_out)} will be held out: too few for a verdict, which needs "
            f"{VERDICT_PATIENTS}. With {_ENOUGH_FOR_VERDICT} patients in all there is a verdict."
        )
    training = sum(len(groups[name]) for name, subset in placed.items() if subset == "train")
    if training < 8:
        found.append(
            f"Only {training} photograph{'s' * (training != 1)} will be trained on: "
            "expect little, and look at the result closely."
        )
    return found


def planned(
    photographs: Mapping[Path, str],
    patients: Mapping[Path, str],
    division: Division,
    masks: Mapping[Path, tuple[Path, str, bool]] | None = None,
) -> tuple[PlannedPhotograph, ...]:
    """What a plan lists.

    Args:
        photographs: those that are kept, with their SHA-256.
        patients: the group of each, already hashed.
        division: of these groups.
        masks: for vessels: of each photograph the mask, its SHA-256, and whether it is inverted.
    """
    found = []
    for path, sha256 in photographs.items():
        mask, mask_sha256, inverted = (masks or {}).get(path, (None, None, False))
        one = PlannedPhotograph(
            path=path, sha256=sha256, group=patients[path],
            subset=division.subset_of[patients[path]],
            mask=mask, mask_sha256=mask_sha256, mask_inverted=inverted,
        )  # fmt: skip
        found.append(one)
    return tuple(found)
