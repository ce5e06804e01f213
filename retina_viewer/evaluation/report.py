"""What a report says about how its figures came about."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import retina_viewer
from retina_viewer.core.errors import UserError
from retina_viewer.evaluation.datasets import Photograph, subset_of

_PACKAGES = ("torch", "numpy", "opencv-python-headless", "pillow")


def held_out_photographs(
    photographs: Iterable[Photograph], sets: Sequence[str] = (), limit: int | None = None
) -> list[Photograph]:
    """The photographs that a published figure may rest on: seen by no training of this project.

    Of DRIVE the test half alone, as in the literature.

    Args:
        photographs: from :func:`~retina_viewer.evaluation.datasets.find_photographs`.
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


def make_folder(out: Path) -> None:
    """Make the folder of a report, where it is missing."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder {out} cannot be made: {error.strerror or error}.", "Choose another."
        ) from error
