"""The results of a comparison as read from its folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retina_viewer.core.errors import UserError
from retina_viewer.quality.tables import Record

NUMBERS = (1, 2, 3)


@dataclass(frozen=True)
class TableResults:
    """One table's JSON file: where its figures come from, one row a method, one record an image."""

    provenance: dict[str, Any]
    rows: list[Record]
    records: list[Record]

    def values(self, name: str) -> list[Any]:
        """The different values of a column, in order of their first row."""
        return list(dict.fromkeys(row[name] for row in self.rows if name in row))


def read_results(folder: Path) -> dict[int, TableResults]:
    """The tables that a folder holds, by number.

    Raises:
        UserError: it holds none, or one that cannot be read.
    """
    found: dict[int, TableResults] = {}
    for number in NUMBERS:
        path = folder / f"table{number}.json"
        if not path.exists():
            continue
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            about, rows = content["provenance"], content["summary"]
            found[number] = TableResults(about, rows, content["records"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{path.name} holds no results.", "Run retina-viewer evaluate tables again."
            ) from error
    if not found:
        raise UserError(
            f"{folder} holds no tables.", "Measure first: retina-viewer evaluate tables DATA -o DIR"
        )
    return found
