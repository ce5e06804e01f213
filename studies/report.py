"""What a report says about how its figures came about."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import retina_viewer
from retina_viewer.core.errors import UserError
from retina_viewer.core.files import sha256_of
from retina_viewer.model_store.card import ModelCard
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.records import Record, write_report
from studies.data_folders import subset_of
from studies.tables import Table, names_in, records_to_csv

NUMBERS = (1, 2, 3)
_PACKAGES = ("torch", "numpy", "opencv-python-headless", "pillow")


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
                f"{path.name} holds no results.",
                "Measure again: python -m studies evaluate tables.",
            ) from error
    if not found:
        raise UserError(
            f"{folder} holds no tables.",
            "Measure first: python -m studies evaluate tables.",
        )
    return found


def held_out_photographs(
    photographs: Iterable[Photograph], sets: Sequence[str] = (), limit: int | None = None
) -> list[Photograph]:
    """The photographs that a published figure may rest on: seen by no training of this project.

    Of DRIVE the test half alone, as in the literature.

    Args:
        photographs: from :func:`~studies.data_folders.find_photographs`.
        sets: names of sets; empty for all.
        limit: at most so many of each set, the first by name.

    Raises:
        UserError: none is left.
    """
    eligible = [
        one
        for one in photographs
        if subset_of(one) == "held_out" and one.part != "training"
        and (not sets or one.dataset in sets)
    ]  # fmt: skip
    chosen = first_of_each_set(eligible, limit)
    if not chosen:
        named = f" of {', '.join(sets)}" if sets else ""
        raise UserError(
            f"The data folder holds no test photographs{named}.",
            "Figures are measured only on photographs that no training has seen.",
        )
    return chosen


def first_of_each_set(photographs: Iterable[Photograph], limit: int | None) -> list[Photograph]:
    """At most so many of each set, in the order given."""
    counts: Counter[str] = Counter()
    chosen = []
    for photograph in photographs:
        counts[photograph.dataset] += 1
        if limit is None or counts[photograph.dataset] <= limit:
            chosen.append(photograph)
    return chosen


def provenance(
    command: str, photographs: Sequence[Photograph], models: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Everything needed to repeat a measurement; no paths, no names of machines or people.

    Args:
        command: the command line, its folders replaced by DATA and DIR.
        photographs: what was measured.
        models: name and SHA-256 by method.
    """
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # a frozen program carries no package metadata
            versions[package] = "unknown"
    return {
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "program": retina_viewer.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "versions": versions,
        "models": {method: dict(model) for method, model in models.items()},
        "photographs": [photograph.name for photograph in photographs],
    }


def identified(photographs: Sequence[Photograph], device: str) -> dict[str, Any]:
    """What goes into the provenance of a long comparison besides: the very files, the machine.

    Returns:
        ``photographs_sha256`` by name, ``device`` as its maker calls it, ``threads`` of torch.
    """
    import torch

    from retina_viewer.networks.devices import available_devices, resolve_device

    target = resolve_device(device)
    names = {one.id: one.name for one in available_devices()}
    return {
        "device": names.get(str(target), str(target)),
        "threads": torch.get_num_threads(),
        "photographs_sha256": {one.name: sha256_of(one.image) for one in photographs},
    }


def named(card: ModelCard) -> dict[str, str]:
    """A model as :func:`provenance` takes it."""
    return {"name": card.name, "sha256": card.weights_sha256}


def make_folder(out: Path) -> None:
    """Make the folder of a report, where it is missing."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder {out} cannot be made: {error.strerror or error}.", "Choose another."
        ) from error


def write_tables(
    out: Path,
    stem: str,
    tables: Sequence[Table],
    records: Sequence[Record],
    about: Mapping[str, object],
) -> str:
    """Write ``STEM.md``, ``STEM.csv``, ``STEM_per_image.csv`` and ``STEM.json``.

    Args:
        out: the report's folder, which exists.
        tables: for people; the rows of the first are the summary that programs read.
        records: one a measurement.
        about: of :func:`provenance`.

    Returns:
        The tables as Markdown.

    Raises:
        UserError: a file cannot be written.
    """
    markdown = "\n".join(table.to_markdown() for table in tables)
    rows = [dict(row) for row in tables[0].rows]
    write_report(out / f"{stem}.md", f"{markdown}\nMeasured by `{about['command']}`.\n")
    write_report(out / f"{stem}.csv", records_to_csv(names_in(rows), rows))
    write_report(out / f"{stem}_per_image.csv", records_to_csv(names_in(records), records))
    whole = {"provenance": about, "summary": rows, "records": list(records)}
    write_report(out / f"{stem}.json", json.dumps(whole, indent=1) + "\n")
    return markdown
