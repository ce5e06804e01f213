"""Many photographs, one after another: a bad one is reported and the rest are done."""

import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from retina_viewer.cli.console import Console
from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.progress import Progress

if TYPE_CHECKING:  # imaging takes a while to import, and --help does not need it
    from retina_viewer.imaging.fundus_image import FundusImage

Work: TypeAlias = "Callable[[FundusImage, Progress], Sequence[Path]]"
"""Does one photograph's work; returns the files it wrote."""


def run_batch(inputs: Sequence[Path], work: Work, console: Console) -> int:
    """Open every photograph and work on it.

    Args:
        inputs: files and folders; a folder stands for the photographs directly in it.
        work: called once a photograph.

    Returns:
        0, or 1 where anything failed.
    """
    files, failed = _expanded(inputs, console)
    succeeded = 0
    for number, path in enumerate(files, start=1):
        console.event("started", input=path, number=number, count=len(files))
        if _one(path, work, console):
            succeeded += 1
        else:
            failed += 1
    console.event("done", succeeded=succeeded, failed=failed)
    return 1 if failed else 0


def _expanded(inputs: Sequence[Path], console: Console) -> tuple[list[Path], int]:
    from retina_viewer.imaging.readers import images_in

    files: list[Path] = []
    failed = 0
    for path in inputs:
        if not path.is_dir():
            files.append(path)
            continue
        try:
            found = images_in(path)
            if not found:
                raise UserError(f"The folder {path} holds no photograph that can be opened.")
        except UserError as error:
            failed += 1
            console.failed(error, str(path))
        else:
            files.extend(found)
    return files, failed


def _one(path: Path, work: Work, console: Console) -> bool:
    from retina_viewer.imaging.readers import open_image

    start = time.perf_counter()
    try:
        written = work(open_image(path), console.progress(path.name))
    except UserError as error:
        console.failed(error, str(path))
        return False
    except Cancelled:
        raise
    except Exception as error:  # a bug on one photograph must not cost the others their results
        traceback.print_exc()
        console.failed(
            UserError(f"Unexpected {type(error).__name__}: {error}", "Please report it as a bug."),
            str(path),
        )
        return False
    seconds = round(time.perf_counter() - start, 3)
    for result in written:
        console.event("written", input=path, path=result, seconds=seconds)
        console.say(f"{path} -> {result}  ({seconds:.1f} s)")
    return True


def output_folder(out: Path) -> Path:
    """The folder, created where it does not exist.

    Raises:
        UserError: it cannot be.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder {out} cannot be created: {error.strerror or error}.",
            "Choose another with -o.",
        ) from error
    return out


def free_names(folder: Path, names: Sequence[str]) -> list[Path]:
    """Names that no file has yet, numbered alike: ``a.png, b.png`` or ``a (2).png, b (2).png``.

    Photographs of the same stem from different folders, and repeated runs, keep their results.
    A name counts as taken too where another result's provenance would be beside it.
    """
    from retina_viewer.imaging.writers import sidecar_path

    number = 1
    while True:
        mark = f" ({number})" if number > 1 else ""
        paths = [folder / f"{Path(name).stem}{mark}{Path(name).suffix}" for name in names]
        if not any(path.exists() or sidecar_path(path).exists() for path in paths):
            return paths
        number += 1
