"""Parses the command line, runs one verb and turns its outcome into an exit code."""

import argparse
import io
import os
import shlex
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import retina_viewer
from retina_viewer.cli import images, learning, models, window_verbs
from retina_viewer.cli.console import Console
from retina_viewer.core.errors import Cancelled, mendable
from retina_viewer.core.processes import heeding

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
_PIPE_CLOSED = 141  # what shells give a program that SIGPIPE ended

_DESCRIPTION = """\
Super-resolution, saliency and vessels for retinal fundus photographs.
For research use; not a medical device."""
_EPILOG = "Without a verb the window opens, on the photographs or folders named."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb. ``arguments`` is without the program's name; None takes the process's own.
    Returns 0 done, 1 something failed (the rest was done), 2 wrong usage, 130 interrupted, 141 done
    but whoever read the results has gone.
    """
    words = sys.argv[1:] if arguments is None else arguments
    if moved := _moved(words):
        print(f"In the project's folder, this is now: {shlex.join(moved)}", file=sys.stderr)
        return USAGE
    parser, verbs = _parser()
    return perform(parser, _with_verb(words, verbs))


def perform(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Do what the arguments' ``run`` says, a function of the options and a Console that every verb
    of the parser sets, and make an exit code of the outcome, as :func:`main`.
    """
    _open_standard_streams()
    _print_any_name()
    options = parser.parse_args(arguments)
    console = Console(as_json=getattr(options, "json", False))
    with heeding(_end, "SIGTERM", "SIGHUP"):
        code = _outcome(options, console)
    return code or (_PIPE_CLOSED if console.unheard else DONE)


def _outcome(options: argparse.Namespace, console: Console) -> int:
    try:
        return int(options.run(options, console))
    except (KeyboardInterrupt, Cancelled):
        console.interrupted()
        return INTERRUPTED
    except Exception as error:
        known = mendable(error)
        if known is None:
            raise
        console.failed(known)
        return FAILED


def _end(number: int, frame: object) -> None:
    """A request to end, and a closed terminal, unwind: what is half-written goes away. The exit
    code is as if the signal had ended the program at once."""
    raise SystemExit(128 + number)


def _open_standard_streams() -> None:
    """Where one was closed, the next file opened would take its number, and what libraries say on
    it would be written into a result."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _print_any_name() -> None:
    """A photograph's name that the terminal's encoding lacks must not end the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _parser() -> tuple[argparse.ArgumentParser, Collection[str]]:
    """The parser, and the names of the verbs."""
    parser = argparse.ArgumentParser(
        prog="retina-viewer",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"retina-viewer {retina_viewer.__version__}"
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for group in (window_verbs, images, models, learning):
        group.add_verbs(verbs)
    return parser, verbs.choices


def _moved(words: Sequence[str]) -> list[str]:
    """The command that took the place of a verb of earlier versions; nothing for those of today."""
    recipe = words[:1] == ["train"] and len(words) > 1 and words[1][:1] != "-"
    if words[:1] == ["evaluate"] or (recipe and "--plan" not in words):
        return ["python", "-m", "studies", *words]
    return ["python", "-m", "studies", *words[1:]] if words[:2] == ["models", "record"] else []


_OWN_OPTIONS = ("-h", "--help", "--version")
_OLD_NAMES = {"consistency": "uncertainty"}


def _with_verb(arguments: Sequence[str], verbs: Collection[str]) -> list[str]:
    """Put ``view`` first where no verb is: nothing given, a file, a folder, or its options."""
    first = arguments[0] if arguments else ""
    if first in _OLD_NAMES:
        return [_OLD_NAMES[first], *arguments[1:]]
    if first in verbs or first in _OWN_OPTIONS:
        return list(arguments)
    if not first or first.startswith("-") or Path(first).exists():
        return ["view", *arguments]
    return list(arguments)
