"""What was measured, as JSON lines."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.names import readable

Value = str | int | float
Record = dict[str, Value]  # one measurement: named values, the same names in every record of a log


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
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            record: Record = json.loads(line)
            self._records[self._key_of(record)] = record

    def _key_of(self, record: Mapping[str, Value]) -> tuple[Value, ...]:
        return tuple(record[name] for name in self._key)

    def find(self, **key: Value) -> Record | None:
        """The record with these key values, if it was measured before."""
        return self._records.get(self._key_of(key))

    def __iter__(self) -> Iterator[Record]:
        """In the order in which they were first measured."""
        return iter(self._records.values())

    def add(self, record: Record) -> None:
        """Keep a record, replacing one of the same key."""
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
