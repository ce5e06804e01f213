"""The uncertainty map, measured against the truth."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from retina_viewer.cli.console import Console
from retina_viewer.cli.options import add_device, add_json

if TYPE_CHECKING:
    from retina_viewer.cli.verbs import Verbs


def add_evaluation(kinds: "Verbs") -> None:
    """Register ``evaluate consistency``."""
    parser = kinds.add_parser(
        "consistency", help="the consistency map against the truth; --fit calibrates it"
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="the folder of the data sets")
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("evaluation"), metavar="DIR",
        help="where the tables go; an older report there is replaced; default evaluation",
    )  # fmt: skip
    parser.add_argument(
        "--fit", action="store_true",
        help="calibrate first, on validation photographs; kept beside the model's weights",
    )  # fmt: skip
    parser.add_argument(
        "--scales", nargs="+", type=int, choices=(2, 4, 8, 16), default=[2, 4, 8, 16], metavar="S"
    )
    parser.add_argument(
        "--sets", nargs="+", default=[], metavar="SET", help="DRIVE, CHASE_DB1, ...; default all"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="at most N photographs of a set")
    parser.add_argument(
        "--tiles", type=int, metavar="N",
        help="measure N tiles of a photograph, spread over it; default: all of it",
    )  # fmt: skip
    parser.add_argument("--model", metavar="NAME", help="default: the shipped one")
    parser.add_argument(
        "--fidelity", type=float, metavar="F", help="to check at; default: the model's own"
    )
    add_device(parser)
    add_json(parser)
    parser.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace, console: Console) -> int:
    from studies.consistency import evaluate_consistency_command

    table = evaluate_consistency_command(
        options.data,
        options.out,
        fit=options.fit,
        scales=options.scales,
        sets=options.sets,
        limit=options.limit,
        tiles=options.tiles,
        model=options.model,
        fidelity=options.fidelity,
        device=options.device,
        progress=console.progress("evaluate"),
    )
    console.say(table)
    console.say(f"Written to {options.out}")
    console.event("done", out=options.out)
    return 0
