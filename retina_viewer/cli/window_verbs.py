"""The verbs that show the window: view and demo."""

import argparse
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retina_viewer.cli.console import Console
from retina_viewer.cli.verbs import Verbs, add_verb
from retina_viewer.core.errors import UserError
from retina_viewer.core.names import numberings
from retina_viewer.core.options import add_fields, read_fields
from retina_viewer.core.paths import BASE_DIRECTORY_VARIABLE, resources_dir
from retina_viewer.core.system_libraries import in_words, missing_packages
from retina_viewer.superres.enhance_settings import EnhanceSettings, Scale

if TYPE_CHECKING:
    from retina_viewer.ui.start import Start

DEMO_SAMPLE = "chase_14L.jpg"
"""No shipped model was trained on it (resources/samples/ATTRIBUTION.md)."""
DEMO_SCALE: Scale = 4


def add_verbs(verbs: Verbs) -> None:
    """Register the verbs of this module."""
    parser = add_verb(
        verbs,
        "view",
        "open the window (the default)",
        _view,
        more="What is not given is as it was the last time.",
        json=False,
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="photographs, folders")
    given = ["method", "scale", "model", "fidelity"]
    add_fields(parser, EnhanceSettings, given, unset=True)
    parser.add_argument(
        "--back-projection",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="hold a network's result to the photograph, or not",
    )
    parser.add_argument(
        "--temp-basedir", action="store_true", help="keep settings and user data only for this run"
    )
    parser.add_argument("--debug", action="store_true", help="log more, also names of photographs")

    parser = add_verb(
        verbs,
        "demo",
        "show everything on a bundled photograph",
        lambda o, c: demo(o.out, c),
        json=False,
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("demo-output"),
        metavar="DIR",
        help="where the files go when there is no display; default demo-output",
    )


def _view(options: argparse.Namespace, console: Console) -> int:
    from retina_viewer.ui.start import Start

    start = read_fields(Start, options)
    return view(options.files, start, temporary=options.temp_basedir, debug=options.debug)


def view(
    files: Sequence[Path],
    start: "Start | None" = None,
    *,
    temporary: bool = False,
    debug: bool = False,
) -> int:
    """Open the window, on photographs and folders, until it is closed. Returns its exit code.

    Args:
        temporary: keep settings, models, caches and logs in a folder that goes away.
        debug: let the log file hold details, also names of photographs.
    """
    if temporary:
        return _view_with_temporary_data(files, start, debug)
    from retina_viewer.core.log import configure_logging, stop_logging

    with _libraries_named():
        from retina_viewer.ui.app import run
    from retina_viewer.ui.start import Start

    configure_logging(logging.DEBUG if debug else logging.INFO)
    try:
        return run(files, start or Start())
    finally:
        stop_logging()


@contextmanager
def _libraries_named() -> Iterator[None]:
    """Where Qt cannot be imported, say which of the system's libraries it lacks. Raises UserError:
    it lacks some.
    """
    try:
        yield
    except ImportError as error:
        packages = missing_packages()
        if not packages:
            raise
        raise UserError(*in_words(packages)) from error


def _view_with_temporary_data(files: Sequence[Path], start: "Start | None", debug: bool) -> int:
    import tempfile

    before = os.environ.get(BASE_DIRECTORY_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="retina-viewer-") as folder:
        os.environ[BASE_DIRECTORY_VARIABLE] = folder
        try:
            return view(files, start, debug=debug)
        finally:
            if before is None:
                del os.environ[BASE_DIRECTORY_VARIABLE]
            else:
                os.environ[BASE_DIRECTORY_VARIABLE] = before


def has_display() -> bool:
    """Whether a window could appear."""
    if os.environ.get("QT_QPA_PLATFORM", "").split(":")[0] in ("offscreen", "minimal", "vnc"):
        return False
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def demo(out: Path, console: Console) -> int:
    """Open the window on a bundled photograph; without a display write everything as files.

    Args:
        out: a folder for the files; where it exists and holds something, one beside it is made.
    """
    sample = resources_dir() / "samples" / DEMO_SAMPLE
    if has_display():
        return view([sample])
    return _demo_files(sample, _fresh_folder(out), console)


def _fresh_folder(folder: Path) -> Path:
    """The folder, or ``folder (2)`` and so on where it already holds something.

    Hidden files do not count: file managers leave them in folders that people see as empty.
    """
    from retina_viewer.cli.batch import output_folder

    folder = folder.absolute()
    free = (
        candidate
        for (candidate,) in numberings(folder.parent, [folder.name])
        if not candidate.is_dir()
        or all(entry.name.startswith(".") for entry in candidate.iterdir())
    )
    return output_folder(next(free))


def _demo_files(sample: Path, out: Path, console: Console) -> int:
    from retina_viewer.cli.batch import Batch
    from retina_viewer.cli.images import EnhanceBatch, SaliencyBatch, enhance, saliency, vessels
    from retina_viewer.superres.methods import default_method

    with _libraries_named():
        from retina_viewer.ui.app import render_window

    console.say(f"There is no display: {sample.name} is worked on, the results go to {out}/")
    code = max(
        enhance(EnhanceBatch([sample], out), EnhanceSettings(scale=DEMO_SCALE), console),
        saliency(SaliencyBatch([sample], out), console),
        vessels(Batch([sample], out), console),
    )
    picture = out / "window.png"
    render_window(sample, picture, method=default_method(), scale=DEMO_SCALE)
    console.say(f"The window, rendered without a display: {picture}")
    console.say(f"Everything is in {out.resolve()}")
    return code
