"""Results as rows, and rows as Markdown, CSV and JSON lines."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.names import readable

Value = str | int | float
Record = dict[str, Value]
"""One measurement: named values, the same names in every record of a log."""


@dataclass(frozen=True)
class Column:
    """``key`` of a record, ``title`` above it, ``digits`` after the point of a float.

    ``signed`` shows the plus of a gain; ``as_p`` shows small probabilities as ``<0.0001``.
    """

    key: str
    title: str
    digits: int = 2
    signed: bool = False
    as_p: bool = False

    def text(self, value: Value | None) -> str:
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return "-"
        if not isinstance(value, float):
            return str(value)
        if self.as_p and value < 1e-4:
            return "<0.0001"
        return f"{value:{'+' if self.signed else ''}.{self.digits}f}"


@dataclass(frozen=True)
class Table:
    """Rows under columns; a value that a row lacks is shown as a dash."""

    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Value]]
    notes: Sequence[str] = field(default_factory=tuple)
    title: str = ""

    def to_markdown(self) -> str:
        """A GitHub table, aligned also as plain text; its title before it, the notes after."""
        cells = [[column.title for column in self.columns]]
        cells += [[c.text(row.get(c.key)) for c in self.columns] for row in self.rows]
        widths = [max(3, *(len(line[i]) for line in cells)) for i in range(len(self.columns))]
        numeric = [
            all(not isinstance(row.get(column.key), str) for row in self.rows)
            for column in self.columns
        ]
        lines = [f"### {self.title}", ""] if self.title else []
        lines.append(_line(cells[0], widths, numeric))
        rule = (
            "-" * (width - 1) + ":" if right else "-" * width
            for width, right in zip(widths, numeric, strict=True)
        )
        lines.append(f"| {' | '.join(rule)} |")
        lines += [_line(line, widths, numeric) for line in cells[1:]]
        for note in self.notes:
            lines += ["", note]
        return "\n".join(lines) + "\n"

    def to_csv(self) -> str:
        """Full precision, one header line of keys."""
        return records_to_csv([column.key for column in self.columns], self.rows)


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = (
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    )
    return f"| {' | '.join(padded)} |"


def records_to_csv(keys: Sequence[str], records: Iterable[Mapping[str, Value]]) -> str:
    """Records as CSV; keys that a record lacks are empty, further ones left out."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, keys, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue()


def by_photograph(records: Iterable[Record], name: str) -> dict[tuple[str, str], float]:
    """A figure of one method, by set and photograph, so that it can be paired with another's."""
    return {(str(one["dataset"]), str(one["photograph"])): float(one[name]) for one in records}


def names_in(records: Iterable[Mapping[str, Value]]) -> list[str]:
    """The names that occur, in the order in which they first do."""
    return list(dict.fromkeys(name for record in records for name in record))


def write_report(path: Path, text: str) -> None:
    """Write a report whole, in place of an older one of the same name."""
    with atomic_write(path, replace=True) as stream:
        stream.write(readable(text).encode("utf-8"))


class RecordLog:
    """A JSON-lines file of records that survives being stopped at any point.

    A line is flushed as soon as it is measured; a last line cut short by a crash is dropped when
    the file is opened again.

    Args:
        path: the file; None keeps the records in memory alone.
        key: the names whose values tell records apart.
    """

    def __init__(self, path: Path | None, key: Sequence[str]) -> None:
        self._path, self._key = path, tuple(key)
        self._records: dict[tuple[Value, ...], Record] = {}
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                self._take(line)
            # Without the cut line, so that the next one starts on a line of its own.
            lines = [json.dumps(record) + "\n" for record in self._records.values()]
            write_report(path, "".join(lines))

    def _take(self, line: str) -> None:
        try:
            record: Record = json.loads(line)
            self._records[self._key_of(record)] = record
        except (ValueError, KeyError, TypeError, RecursionError):
            return

    def _key_of(self, record: Mapping[str, Value]) -> tuple[Value, ...]:
        return tuple(record[name] for name in self._key)

    def find(self, **key: Value) -> Record | None:
        """The record with these key values, if it was measured before."""
        return self._records.get(self._key_of(key))

    def __iter__(self) -> Iterator[Record]:
        """In the order in which they were first measured."""
        return iter(self._records.values())

    def add(self, record: Record) -> None:
        """Keep a record, replacing one of the same key.

        Raises:
            UserError: the file cannot be written.
        """
        self._records[self._key_of(record)] = record
        if self._path is None:
            return
        try:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(record) + "\n")
        except OSError as error:
            raise UserError(
                f"{self._path.name} could not be written: {error.strerror or error}.",
                "Free some space or choose another folder.",
            ) from error
