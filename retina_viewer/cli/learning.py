"""The verbs about learning: train and evaluate."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retina_viewer.cli import consistency
from retina_viewer.cli.console import Console
from retina_viewer.cli.options import add_device, add_json
from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.processes import heeding
from retina_viewer.core.progress import Progress, no_progress
from studies.cli import add_kinds

if TYPE_CHECKING:
    from retina_viewer.cli.options import Verbs


def add_verbs(verbs: "Verbs") -> None:
    """Register the verbs of this module."""
    parser = verbs.add_parser(
        "train", help="train a model after a recipe, or tune one on your own photographs"
    )
    parser.add_argument(
        "recipe", type=Path, nargs="?", metavar="RECIPE.toml",
        help="a file, or the name of a bundled recipe",
    )  # fmt: skip
    parser.add_argument(
        "data", type=Path, nargs="?", metavar="DATA", help="the folder of the data sets"
    )
    parser.add_argument(
        "--plan", type=Path, metavar="PLAN.toml",
        help="instead of a recipe: tune a model after a plan, as the training wizard writes them",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="DIR",
        help="where the model goes; default runs/<recipe>, of a plan a folder of the program's",
    )  # fmt: skip
    parser.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint in DIR"
    )
    add_device(parser)
    add_json(parser)
    parser.set_defaults(run=_train)

    parser = verbs.add_parser("evaluate", help="measure on labelled photographs, write the tables")
    kinds = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    add_kinds(kinds)
    consistency.add_evaluation(kinds)


def _train(options: argparse.Namespace, console: Console) -> int:
    if options.plan is not None:
        if options.recipe is not None:
            raise UserError("A plan names its photographs itself.", "Leave recipe and data out.")
        return tune(options.plan, options.out, console, options.device, resume=options.resume)
    if options.recipe is None or options.data is None:
        raise UserError("Nothing was said to train.", "Give RECIPE.toml and DATA, or --plan.")
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
    from retina_viewer.training.distributed import is_first_process
    from studies import train as run

    def report(event: Mapping[str, Any]) -> None:
        console.event(**event)
        console.say(_line(event))

    # Of several processes (torchrun) one speaks; signals stop any of them.
    shown = console.progress(recipe.stem) if is_first_process() else no_progress
    with _stoppable(shown) as progress:
        run.train(recipe, data, out, device=device, resume=resume, events=report, progress=progress)
    return 0


def tune(plan: Path, out: Path | None, console: Console, device: str, *, resume: bool) -> int:
    """Fine-tune after a plan, reporting every event.

    Interrupt and terminate pause it, as ``pause`` in the run folder does; that is no failure.

    Args:
        plan: a plan's file; with ``resume`` the one that the run folder holds is good too.
        out: the run folder; None for one of the plan's name among the person's runs.
        device: ``auto`` leaves it to the plan.
        resume: go on with what the run folder holds.
    """
    from retina_viewer.core.paths import user_runs_dir
    from retina_viewer.finetuning.finetune import finetune
    from retina_viewer.finetuning.plan import load_plan
    from retina_viewer.finetuning.run_folder import RunFolder

    loaded = load_plan(plan)
    run = RunFolder(out or user_runs_dir() / loaded.name)
    if run.has_begun and not resume:
        raise UserError(
            f"{run.path} holds a training already.",
            "Add --resume to go on, or choose another --out.",
        )
    run.prepare(loaded)

    def report(event: Mapping[str, Any]) -> None:
        if event["event"] not in _SAID_BY_CONSOLE:
            console.event(**event)
            console.say(_line(event))

    with _stoppable(console.progress(loaded.name)) as progress:
        finetune(run, device=None if device == "auto" else device, events=report, progress=progress)
    return 0


_SAID_BY_CONSOLE = ("progress", "failed")
"""Events of a run folder that the console makes of progress and errors itself."""


@contextmanager
def _stoppable(progress: Progress) -> Iterator[Progress]:
    """Turn SIGINT, SIGTERM and SIGHUP into a cancel at the next report of progress."""
    stopped = False

    def stop(number: int, frame: object) -> None:
        nonlocal stopped
        stopped = True

    def report(fraction: float, what: str) -> None:
        if stopped:
            raise Cancelled
        progress(fraction, what)

    with heeding(stop, "SIGINT", "SIGTERM", "SIGHUP"):
        yield report


def _line(event: Mapping[str, Any]) -> str:
    """An event's fields on one line: ``losses  step 200  pixel 0.0123``."""
    fields = [event["event"]]
    for key, value in event.items():
        if key != "event":
            fields.append(f"{key} {value:.5g}" if isinstance(value, float) else f"{key} {value}")
    return "  ".join(fields)
