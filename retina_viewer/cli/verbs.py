"""How a verb of the command line is registered."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

from retina_viewer.cli.console import Console

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Run: TypeAlias = Callable[[argparse.Namespace, Console], int]
"""Does what was asked for; returns the exit code."""


def add_verb(
    verbs: Verbs, name: str, about: str, run: Run, *places: str, more: str = "", json: bool = True
) -> argparse.ArgumentParser:
    """Register a verb, or an action of one.

    Args:
        about: what it does, half a sentence for the list of verbs.
        places: arguments that must be given, and need no explanation.
        more: sentences for its own help.
        json: whether it can report in JSON.
    """
    description = f"{about[0].upper()}{about[1:]}. {more}".strip()
    parser = verbs.add_parser(name, help=about, description=description)
    for place in places:
        parser.add_argument(place, metavar=place.upper())
    if json:
        add_json(parser)
    parser.set_defaults(run=run)
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="write events as JSON, one object a line"
    )
