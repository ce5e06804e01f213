"""The verbs about learning: train and evaluate."""

import argparse
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retina_viewer.cli import consistency
from retina_viewer.cli.console import Console
from retina_viewer.cli.options import add_device, add_json
from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import Progress

if TYPE_CHECKING:
    from retina_viewer.cli.options import Verbs


def add_verbs(verbs: "Verbs") -> None:
    """Register the verbs of this module."""
    parser = verbs.add_parser("train", help="train a model after a recipe")
    parser.add_argument(
        "recipe", type=Path, metavar="RECIPE.toml", help="a file, or the name of a bundled recipe"
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="the folder of the data sets")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where the model goes; default runs/<recipe>"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint in DIR"
    )
    add_device(parser)
    add_json(parser)
    parser.set_defaults(run=_train)

    parser = verbs.add_parser("evaluate", help="measure on labelled photographs, write the tables")
    kinds = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    _add_superres(kinds)
    _add_vessels(kinds)
    consistency.add_evaluation(kinds)


def _add_superres(kinds: "Verbs") -> None:
    parser = kinds.add_parser("sr", help="enlargements against the photographs they came from")
    parser.add_argument(
        "--scales", nargs="+", type=int, choices=(2, 4, 8, 16), default=[2, 4, 8, 16], metavar="S"
    )
    parser.add_argument(
        "--methods", nargs="+", metavar="M",
        help="methods of enhance, also linear (the best linear filter) and bicubic-0.75",
    )  # fmt: skip
    parser.add_argument(
        "--kernels", nargs="+", choices=("gaussian", "bicubic"), default=["gaussian"],
        help="how the small photographs are made; default gaussian",
    )  # fmt: skip
    parser.add_argument(
        "--protocols", nargs="+", choices=("native", "paper"), default=["native"],
        help="native size, or the 2017 paper's 1024 x 1024; default native",
    )  # fmt: skip
    parser.add_argument(
        "--training-data", type=Path, metavar="DIR", help="what the linear filter is fitted to"
    )
    parser.add_argument(
        "--reference", metavar="M",
        help="the method that the others are tested against; default pixel or saliency-gan, "
        "else the last",
    )  # fmt: skip
    parser.add_argument(
        "--perceptual", action="store_true", help="LPIPS and S3 too; takes several times as long"
    )
    _add_network(parser)
    _add_measured(parser)
    parser.set_defaults(run=_evaluate_superres)


def _add_vessels(kinds: "Verbs") -> None:
    parser = kinds.add_parser("vessels", help="vessels against the first observer's")
    _add_measured(parser)
    parser.set_defaults(run=_evaluate_vessels)


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fidelity", type=float, metavar="F", help="of a saliency GAN; default: the model's own"
    )
    parser.add_argument(
        "--no-back-projection", dest="back_projection", action="store_false",
        help="do not hold the networks' results to the photograph",
    )  # fmt: skip


def _add_measured(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, metavar="DATA", help="the folder of the data sets")
    parser.add_argument(
        "-o", "--out", type=Path, default=Path("evaluation"), metavar="DIR",
        help="where the tables go; an older report there is replaced; default evaluation",
    )  # fmt: skip
    parser.add_argument(
        "--sets", nargs="+", default=[], metavar="SET", help="DRIVE, CHASE_DB1, ...; default all"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="at most N photographs of a set")
    parser.add_argument("--model", metavar="NAME", help="default: the shipped one")
    add_device(parser)
    add_json(parser)


def _train(options: argparse.Namespace, console: Console) -> int:
    recipe = find_recipe(options.recipe)
    out = options.out or Path("runs") / recipe.stem
    return train(recipe, options.data, out, console, device=options.device, resume=options.resume)


def find_recipe(recipe: Path) -> Path:
    """The recipe's file: the path itself, or a bundled recipe of that name.

    Raises:
        UserError: neither exists.
    """
    if recipe.is_file():
        return recipe
    bundled = resources_dir() / "recipes"
    candidate = bundled / f"{recipe.name.removesuffix('.toml')}.toml"
    if recipe.name == str(recipe) and candidate.is_file():
        return candidate
    names = ", ".join(sorted(path.stem for path in bundled.glob("*.toml")))
    raise UserError(f"There is no recipe {recipe}.", f"Bundled recipes: {names}.")


def train(
    recipe: Path, data: Path, out: Path, console: Console, *, device: str, resume: bool
) -> int:
    """Train, reporting every event. Interrupt and terminate leave a checkpoint to go on from."""
    from retina_viewer.training import run

    def report(event: Mapping[str, Any]) -> None:
        console.event(**event)
        console.say(_line(event))

    with _stoppable(console.progress(recipe.stem)) as progress:
        run.train(recipe, data, out, device=device, resume=resume, events=report, progress=progress)
    return 0


@contextmanager
def _stoppable(progress: Progress) -> Iterator[Progress]:
    """Turn SIGINT and SIGTERM into a cancel at the next report of progress."""
    stopped = False

    def stop(number: int, frame: object) -> None:
        nonlocal stopped
        stopped = True

    def report(fraction: float, what: str) -> None:
        if stopped:
            raise Cancelled
        progress(fraction, what)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield report
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _line(event: Mapping[str, Any]) -> str:
    """An event's fields on one line: ``losses  step 200  pixel 0.0123``."""
    fields = [event["event"]]
    for key, value in event.items():
        if key != "event":
            fields.append(f"{key} {value:.5g}" if isinstance(value, float) else f"{key} {value}")
    return "  ".join(fields)


def _evaluate_superres(options: argparse.Namespace, console: Console) -> int:
    from retina_viewer.evaluation.superres import DEFAULT_METHODS, evaluate_superres_command

    table = evaluate_superres_command(
        options.data,
        options.out,
        scales=options.scales,
        methods=options.methods or DEFAULT_METHODS,
        kernels=options.kernels,
        protocols=options.protocols,
        sets=options.sets,
        limit=options.limit,
        training_data=options.training_data,
        model=options.model,
        fidelity=options.fidelity,
        back_projection=options.back_projection,
        reference=options.reference,
        device=options.device,
        perceptual=options.perceptual,
        progress=console.progress("evaluate"),
    )
    return _report(table, options.out, console)


def _evaluate_vessels(options: argparse.Namespace, console: Console) -> int:
    from retina_viewer.evaluation.vessels import evaluate_vessels_command

    table = evaluate_vessels_command(
        options.data,
        options.out,
        sets=options.sets,
        limit=options.limit,
        model=options.model,
        device=options.device,
        progress=console.progress("evaluate"),
    )
    return _report(table, options.out, console)


def _report(table: str, out: Path, console: Console) -> int:
    console.say(table)
    console.say(f"Written to {out}")
    console.event("done", out=out)
    return 0
