"""The verbs about learning: train and evaluate."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retina_viewer.cli.console import Console
from retina_viewer.cli.options import add_device, add_json
from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import resources_dir

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


def _train(options: argparse.Namespace, console: Console) -> int:
    recipe = find_recipe(options.recipe)
    out = options.out or Path("runs") / recipe.stem
    return train(
        recipe, options.data, out, console, device=options.device, resume=options.resume
    )


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
    """Train, reporting every event of the loop."""
    from retina_viewer.training.command import train_command

    def report(event: dict[str, Any]) -> None:
        console.event(**{"event": "training", **event})
        console.say(_line(event))

    train_command(recipe, data, out, device=device, resume=resume, events=report)
    console.say(f"Done: {out}")
    console.event("done", out=out)
    return 0


def _line(event: Mapping[str, Any]) -> str:
    """An event's fields on one line: ``step 200  loss 0.0123``."""
    return "  ".join(
        f"{key} {value:.5g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in event.items()
    )
