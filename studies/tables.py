"""Results as rows, and rows as Markdown and CSV."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from retina_viewer.quality.records import Record, Value


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


def columns(*said: str) -> tuple[Column, ...]:
    """A table's columns, each ``key``, ``key:title`` or ``key:title:form``.

    ``form`` is how many digits stand after the point; ``+2`` shows the sign of a gain; ``p`` is a
    probability, of four digits.
    """
    found = []
    for one in said:
        key, title, form = (*one.split(":"), "", "")[:3]
        digits = 4 if form == "p" else int(form.lstrip("+") or 2)
        found.append(Column(key, title or key, digits, form.startswith("+"), form == "p"))
    return tuple(found)


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
