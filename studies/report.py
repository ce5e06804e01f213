"""What a report says about how its figures came about."""

import json
import platform
import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import retina_viewer
from retina_viewer.core.errors import UserError
from retina_viewer.core.files import sha256_of
from retina_viewer.quality.datasets import Photograph, subset_of
from retina_viewer.quality.tables import Record, Table, names_in, records_to_csv, write_report

_PACKAGES = ("torch", "numpy", "opencv-python-headless", "pillow")


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
    chosen: list[Photograph] = []
    counts: dict[str, int] = {}
    for photograph in photographs:
        if subset_of(photograph) != "held_out" or photograph.part == "training":
            continue
        if sets and photograph.dataset not in sets:
            continue
        counts[photograph.dataset] = counts.get(photograph.dataset, 0) + 1
        if limit is None or counts[photograph.dataset] <= limit:
            chosen.append(photograph)
    if not chosen:
        named = f" of {', '.join(sets)}" if sets else ""
        raise UserError(
            f"The data folder holds no test photographs{named}.",
            "Figures are measured only on photographs that no training has seen.",
        )
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


def make_folder(out: Path) -> None:
    """Make the folder of a report, where it is missing."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder {out} cannot be made: {error.strerror or error}.", "Choose another."
        ) from error


def command_line(verb: str, options: Mapping[str, object]) -> str:
    """``retina-viewer evaluate VERB DATA --name value ... -o DIR``, as a shell reads it.

    Args:
        options: by name, without the dashes; None, False and empty ones are left out, True is the
            name alone, several values stand side by side.
    """
    words = ["retina-viewer", "evaluate", verb, "DATA"]
    for name, value in options.items():
        several = [value] if isinstance(value, str) or not isinstance(value, Sequence) else value
        if value is None or value is False or not several:
            continue
        words += [f"--{name}", *([] if value is True else map(str, several))]
    return shlex.join([*words, "-o", "DIR"])


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
