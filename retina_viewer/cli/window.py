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
from retina_viewer.core.errors import UserError
from retina_viewer.core.names import numberings
from retina_viewer.core.paths import BASE_DIRECTORY_VARIABLE, resources_dir
from retina_viewer.core.system_libraries import in_words, missing_packages

if TYPE_CHECKING:
    from retina_viewer.cli.options import Verbs
    from retina_viewer.ui.start import Start

DEMO_SAMPLE = "chase_14L.jpg"
"""No shipped model was trained on it (resources/samples/ATTRIBUTION.md)."""
DEMO_SCALE = 4


def add_verbs(verbs: "Verbs") -> None:
    """Register the verbs of this module."""
    parser = verbs.add_parser("view", help="open the window (the default)")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="photographs, folders")
    parser.add_argument("--scale", type=int, choices=(2, 4, 8, 16), help="the enlargement")
    parser.add_argument("--method", metavar="M", help="what makes the result")
    parser.add_argument("--model", metavar="NAME", help="a network of the method")
    parser.add_argument(
        "--fidelity", type=float, metavar="F",
        help="of a saliency GAN, from 0 (most detail) to 1 (closest to the truth)",
    )  # fmt: skip
    parser.add_argument(
        "--back-projection", action=argparse.BooleanOptionalAction, default=None,
        help="hold the result to the photograph, or not",
    )  # fmt: skip
    parser.add_argument(
        "--temp-basedir", action="store_true", help="keep settings and user data only for this run"
    )
    parser.add_argument("--debug", action="store_true", help="log more, also names of photographs")
    parser.set_defaults(run=_view)

    parser = verbs.add_parser("demo", help="show everything on a bundled photograph")
    parser.add_argument(
        "--out", type=Path, default=Path("demo-output"), metavar="DIR",
        help="where the files go when there is no display; default demo-output",
    )  # fmt: skip
    parser.set_defaults(run=_demo)


def _view(options: argparse.Namespace, console: Console) -> int:
    from retina_viewer.ui.start import Start

    start = Start(
        options.method, options.scale, options.model, options.fidelity, options.back_projection
    )
    return view(options.files, start, temporary=options.temp_basedir, debug=options.debug)


def _demo(options: argparse.Namespace, console: Console) -> int:
    return demo(options.out, console)


def view(
    files: Sequence[Path],
    start: "Start | None" = None,
    *,
    temporary: bool = False,
    debug: bool = False,
) -> int:
    """Open the window until it is closed. Returns its exit code.

    Args:
        files: photographs and folders to open.
        start: the method and its settings, where they are not to be those of the last time.
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
    """Where Qt cannot be imported, say which of the system's libraries it lacks.

    Raises:
        UserError: it lacks some.
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
    from retina_viewer.cli.images import enhance, saliency, vessels
    from retina_viewer.superres.methods import default_method

    with _libraries_named():
        from retina_viewer.ui.app import render_window

    console.say(f"There is no display: {sample.name} is worked on, the results go to {out}/")
    code = max(
        enhance([sample], out, console, scale=DEMO_SCALE, method=default_method()),
        saliency([sample], out, console),
        vessels([sample], out, console),
    )
    picture = out / "window.png"
    render_window(sample, picture, method=default_method(), scale=DEMO_SCALE)
    console.say(f"The window, rendered without a display: {picture}")
    console.say(f"Everything is in {out.resolve()}")
    return code
