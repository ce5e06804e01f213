"""Which photographs are of one patient: by folder, by file name, by DICOM, by a table.

Groups keep training honest: a model that was tested on the other eye of somebody it was trained on
looks better than it is. Names of patients stay here; a plan holds :func:`hashed` ones.
"""

import csv
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.names import stem_of
from retina_viewer.core.paths import patient_salt_file
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.finetuning.source_details import details_of

_PLACE = "{patient}"
_TABLE_HINT = "It needs a first row with the columns file and patient."


@dataclass(frozen=True)
class Grouping:
    """A preview: who is on which photograph.

    Attributes:
        patients: a label for each photograph that has one, in the order given.
        unmatched: photographs of which the way chosen says nothing.
    """

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
        files: the photographs.

    Raises:
        UserError: the pattern is none, or has not exactly one group.
    """
    find = name_pattern(pattern, _PLACE)
    found = {path: find(stem_of(path.name)) for path in files}
    return Grouping(
        {path: label for path, label in found.items() if label},
        [path for path, label in found.items() if not label],
    )


def name_pattern(pattern: str, place: str) -> Callable[[str], str | None]:
    """A function from a file's stem to the part of it that stands at ``place``; None where the
    pattern does not fit. See :func:`by_pattern`.

    Raises:
        UserError: the pattern is none, or has not exactly one group.
    """
    hint = f"Put {place} where it stands, for example {place}_*."
    simple = pattern.count(place)
    if simple > 1:
        raise UserError(f"The pattern holds {place} more than once.", hint)
    if simple:
        wild = {re.escape("*"): ".*", re.escape("?"): "."}
        parts = [re.escape(part) for part in pattern.split(place)]
        for plain, expression in wild.items():
            parts = [part.replace(plain, expression) for part in parts]
        pattern = "^" + "(.+?)".join(parts) + "$"
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(f"The pattern is not valid: {error}.", hint) from error
    if compiled.groups != 1:
        raise UserError(f"The pattern has {compiled.groups} groups instead of one.", hint)

    def find(stem: str) -> str | None:
        match = compiled.search(stem)
        return match[1] if match else None

    return find


def by_dicom(files: Sequence[Path], progress: Progress = no_progress) -> Grouping:
    """The PatientID of DICOM files; files of other kinds are unmatched."""
    found: dict[Path, str] = {}
    for number, path in enumerate(files):
        progress(number / len(files), "reading patients")
        found[path] = details_of(path).patient
    return Grouping(
        {path: label for path, label in found.items() if label},
        [path for path, label in found.items() if not label],
    )


def by_table(table: Path, files: Sequence[Path]) -> Grouping:
    """A CSV file with the columns ``file`` and ``patient``, divided by commas or semicolons.

    ``file`` is a path from the table's own folder, a whole path, or a bare name where only one
    photograph has it.

    Raises:
        UserError: unreadable, columns missing, a row without one of them, or one photograph with
            two patients.
    """
    rows = _rows(table)
    by_name: dict[str, list[Path]] = {}
    for path in files:
        by_name.setdefault(path.name, []).append(path)
    found: dict[Path, str] = {}
    known = set(files)
    for number, (name, patient) in enumerate(rows, start=2):
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
    return Grouping(
        {path: found[path] for path in files if path in found},
        [path for path in files if path not in found],
    )


def _rows(table: Path) -> list[tuple[str, str]]:
    try:
        text = table.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{table.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{table.name} is not UTF-8 text.", "Save it as CSV UTF-8.") from error
    try:
        return _cells(text, table.name)
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
    """Make one patient of all that share nearly the same picture.

    Args:
        patients: a label for every photograph.
        alike: pairs of photographs that are nearly the same; pairs of unknown ones are left out.

    Returns:
        New labels: of joined patients, the first label in alphabetical order.
    """
    parent = {label: label for label in patients.values()}

    def root(label: str) -> str:
        while parent[label] != label:
            parent[label] = parent[parent[label]]
            label = parent[label]
        return label

    for one, two in alike:
        if one in patients and two in patients:
            first, second = sorted((root(patients[one]), root(patients[two])))
            parent[second] = first
    return {path: root(label) for path, label in patients.items()}


def hashed(label: str, salt: bytes) -> str:
    """A patient's label as a plan may hold it: 16 hexadecimal digits, no way back.

    Keyed with this installation's random salt: without it, trying all numbers of a clinic's
    patients would find the label.
    """
    return hmac.new(salt, label.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:16]


def installation_salt() -> bytes:
    """The random salt of this installation, 32 bytes; made on first use.

    Raises:
        UserError: it cannot be written.
    """
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
