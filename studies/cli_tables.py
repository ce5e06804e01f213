"""``retina-viewer evaluate tables``: the tables of both papers, of every method installed."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from retina_viewer.cli.console import Console
from retina_viewer.cli.options import add_device, add_json

if TYPE_CHECKING:
    from retina_viewer.cli.options import Verbs
    from studies.vessel_study import Trainer

_SCALES = (2, 4, 8, 16)
_ITERATIONS = 600


def add_tables(kinds: "Verbs") -> None:
    """Register the verb."""
    parser = kinds.add_parser(
        "tables",
        help="all methods compared: the papers' tables, goes on where it stopped",
    )
    parser.add_argument("data", nargs="*", type=Path, metavar="DATA", help="folders of data sets")
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("tables"), metavar="DIR",
        help="results; a broken run goes on there, earlier ones count in table 1; default tables",
    )  # fmt: skip
    parser.add_argument(
        "--tables", nargs="+", type=int, choices=(1, 2, 3), default=[1, 2, 3], metavar="N",
        help="1: likeness and looks; 2: vessels; 3: precision, recall, F1; default all",
    )  # fmt: skip
    parser.add_argument(
        "--scales", nargs="+", type=int, choices=_SCALES, default=list(_SCALES), metavar="S",
        help="2, 4, 8, 16; vessels at 4 and 8 alone; default all",
    )  # fmt: skip
    parser.add_argument("--methods", nargs="+", default=[], metavar="M", help="default: installed")
    parser.add_argument(
        "--kernels", nargs="+", choices=("gaussian", "bicubic"), default=["gaussian", "bicubic"],
        help="how the small photographs are made; default both",
    )  # fmt: skip
    parser.add_argument(
        "--protocols", nargs="+", choices=("native", "paper"), default=["native", "paper"],
        help="native size, and the 2017 paper's 1024 x 1024; default both",
    )  # fmt: skip
    parser.add_argument(
        "--sets", nargs="+", default=[], metavar="SET", help="DRIVE, CHASE_DB1, ...; default all"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="at most N photographs of a set")
    parser.add_argument(
        "--no-perceptual", dest="perceptual", action="store_false",
        help="without LPIPS and S3, which take most of the time",
    )  # fmt: skip
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument(
        "--iterations", type=int, default=_ITERATIONS, metavar="N",
        help=f"steps of every vessel network; default {_ITERATIONS}",
    )  # fmt: skip
    budget.add_argument(
        "--minutes", type=float, metavar="M",
        help="of every vessel network instead; made into steps once, the same for all",
    )  # fmt: skip
    parser.add_argument(
        "--page", type=Path, metavar="FILE",
        help="write the page of the results in DIR; without DATA, of what is there already",
    )  # fmt: skip
    add_device(parser)
    add_json(parser)
    parser.set_defaults(run=_evaluate_tables)


def _evaluate_tables(options: argparse.Namespace, console: Console) -> int:
    from studies.all_tables import evaluate_tables_command, write_page
    from studies.comparison import Comparison

    if options.page is not None and not options.data:
        write_page(options.out, options.page)
        return _done(options.page, console)
    asked = Comparison(
        tables=tuple(options.tables),
        scales=tuple(options.scales),
        methods=tuple(options.methods),
        kernels=tuple(options.kernels),
        protocols=tuple(options.protocols),
        sets=tuple(options.sets),
        limit=options.limit,
        perceptual=options.perceptual,
        device=options.device,
    )

    def trainer(out: Path) -> "tuple[Trainer, int]":
        from studies.comparison_networks import ComparisonTrainer, iterations_of

        steps = options.iterations
        if options.minutes is not None:
            steps = iterations_of(options.minutes, out, options.device)
        return ComparisonTrainer(steps, options.device), steps

    tables = evaluate_tables_command(
        options.data, options.out, asked, trainer, progress=console.progress("tables")
    )
    console.say(tables)
    if options.page is not None:
        write_page(options.out, options.page)
        console.say(f"Written to {options.page}")
    return _done(options.out, console)


def _done(out: Path, console: Console) -> int:
    console.say(f"Written to {out}")
    console.event("done", out=out)
    return 0
