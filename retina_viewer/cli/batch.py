"""Many photographs, one after another: a bad one is reported and the rest are done."""

import argparse
import functools
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from retina_viewer.cli.console import Console
from retina_viewer.core.errors import Cancelled, UserError, mendable
from retina_viewer.core.files import staged
from retina_viewer.core.names import is_taken, numberings
from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress

if TYPE_CHECKING:  # imaging takes a while to import, and --help does not need it
    from retina_viewer.imaging.fundus_image import FundusImage
    from retina_viewer.imaging.provenance import Provenance

FINISHED, OWN_RESULT = "finished already", "made by this program"
"""Why a photograph is skipped, as events say it too."""


def _page(text: str) -> int:
    """Of people, who count from 1."""
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a picture: 1, 2 and so on")
    return number


@dataclass(frozen=True)
class Batch:
    """Photographs, and where what is made of them goes. A folder stands for the photographs
    directly in it, without those that this program has made, unless ``again``.
    """

    inputs: Sequence[Path] = option(metavar="IN", help="photographs, or folders of them")
    out: Path = option(
        flags=("-o", "--out"), metavar="DIR", help="a folder; nothing in it is overwritten"
    )
    again: bool = option(
        False, help="also what is finished already, and what this program has made itself"
    )
    page: int = option(
        1,
        metavar="N",
        parse=_page,
        help="which of several pictures in a file (pages, frames), from 1",
    )


@dataclass(frozen=True)
class Results:
    """The files of one photograph; not ``new`` where an earlier run has written them."""

    paths: Sequence[Path]
    new: bool = True


Work: TypeAlias = "Callable[[FundusImage, Progress], Results]"
"""Does one photograph's work."""


def run_batch(batch: Batch, work: Work, console: Console) -> int:
    """Open every photograph and work on it. Returns 0, or 1 where anything failed."""
    files, failed, own = _expanded(batch, console)
    succeeded = finished = 0
    for number, path in enumerate(files, start=1):
        console.event("started", input=path, number=number, count=len(files))
        start = time.perf_counter()
        results = _one(path, batch.page, work, console)
        if results is None:
            failed += 1
        elif results.new:
            succeeded += 1
            _say_written(path, results.paths, time.perf_counter() - start, console)
        else:
            finished += 1
            console.event("skipped", input=path, reason=FINISHED, path=results.paths[0])
    _say_skipped(finished, own, console)
    skipped = {"skipped": finished + own} if finished + own else {}
    console.event("done", succeeded=succeeded, failed=failed, **skipped)
    return 1 if failed else 0


def _expanded(batch: Batch, console: Console) -> tuple[list[Path], int, int]:
    """The files to open, how many inputs failed, how many of the program's own are left out."""
    from retina_viewer.imaging.readers import images_in
    from retina_viewer.imaging.writers import made_by

    files: list[Path] = []
    failed = own = 0
    for path in batch.inputs:
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
            continue
        for file in found:
            if batch.again or made_by(file) is None:
                files.append(file)
            else:
                own += 1
                console.event("skipped", input=file, reason=OWN_RESULT)
    return files, failed, own


def _one(path: Path, page: int, work: Work, console: Console) -> Results | None:
    from retina_viewer.imaging.readers import open_image

    try:
        image = open_image(path, page - 1)
        for text in (*image.remarks, image.field_of_view.doubt):
            if text:
                console.warn(text, str(path))
        return work(image, console.progress(path.name))
    except Cancelled:
        raise
    except Exception as error:  # a bug on one photograph must not cost the others their results
        known = mendable(error)
        if known is None:
            console.remark(traceback.format_exc().rstrip())
            known = UserError(
                f"Unexpected {type(error).__name__}: {error}", "Please report it as a bug."
            )
        console.failed(known, str(path))
        return None


def _say_written(path: Path, written: Sequence[Path], seconds: float, console: Console) -> None:
    for result in written:
        console.event("written", input=path, path=result, seconds=round(seconds, 3))
        console.say(f"{path} -> {result}  ({seconds:.1f} s)")


def _say_skipped(finished: int, own: int, console: Console) -> None:
    counts = ((finished, FINISHED), (own, OWN_RESULT))
    if reasons := [f"{count} {reason}" for count, reason in counts if count]:
        console.say(f"Skipped: {', '.join(reasons)}. With --again nothing is skipped.")


def write_results(
    image: "FundusImage",
    folder: Path,
    names: Sequence[str],
    write: Callable[[Sequence[Path]], object],
    settings: Callable[[], Mapping[str, Any]],
    *,
    again: bool,
) -> Results:
    """Make a photograph's results, all or none, unless they are there already.

    Photographs of the same stem from different folders keep their results: the names, the main one
    first, get a number where others have them. ``settings`` are the fields of the provenance that
    results made in the same way have.
    """
    there = None if again else _results_there(image, folder, names, settings)
    if there is not None:
        return Results(there, new=False)
    with staged(folder, names) as staging:
        write(staging.inside)
    return Results(staging.paths)


def _results_there(
    image: "FundusImage",
    folder: Path,
    names: Sequence[str],
    settings: Callable[[], Mapping[str, Any]],
) -> list[Path] | None:
    """The results of this very photograph, made with these settings; None where there are none."""
    from retina_viewer.imaging.writers import made_by

    settings = functools.cache(settings)
    for paths in numberings(folder, names):
        if not any(map(is_taken, paths)):
            return None
        made = made_by(paths[0])
        if made is None or made.source_sha256 != image.sha256:
            continue
        same = all(getattr(made, field) == value for field, value in settings().items())
        if same and all(path.is_file() for path in paths):
            return paths
    raise AssertionError("numbers have no end")


def how(made: "Provenance") -> dict[str, Any]:
    """The settings of an enlargement, as its provenance has them."""
    fields = {"kind", "method", "model", "model_sha256", "scale", "fidelity", "blur", "noise"}
    return made.model_dump(include=fields | {"back_projection", "region", "marked"})


def refuse_own_enlargement(image: "FundusImage") -> None:
    """An enlargement of an enlargement is made only when it is asked for. Raises UserError: this
    program has enlarged it already.
    """
    if image.is_enlarged:
        raise UserError(
            f"{image.name} was enlarged by this program already ({image.label}).",
            "Choose the original, or add --again.",
        )


def output_folder(out: Path) -> Path:
    """The folder, created where it does not exist. Raises UserError: it cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder {out} cannot be created: {error.strerror or error}.",
            "Choose another with -o.",
        ) from error
    return out
