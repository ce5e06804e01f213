"""The actions of the verb ``models`` that change which models there are and which are used."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from retina_viewer.cli.console import Console
from retina_viewer.cli.options import add_json
from retina_viewer.core.errors import UserError

if TYPE_CHECKING:
    from retina_viewer.cli.options import Verbs
    from retina_viewer.model_store.card import ModelCard, TaskName

_TASKS: "tuple[TaskName, ...]" = ("superres", "vessels", "formation")
USAGE = 2


def add_actions(actions: "Verbs") -> None:
    """Register them."""
    action = actions.add_parser("default", help="show the models in use, or use another one")
    action.add_argument("name", nargs="?", metavar="NAME", help="make it the default of its task")
    add_json(action)
    action.set_defaults(run=lambda o, c: show_defaults(c) if o.name is None else use(o.name, c))
    action = actions.add_parser("rollback", help="use the default of before again")
    action.add_argument("task", choices=_TASKS, metavar="TASK", help=", ".join(_TASKS))
    add_json(action)
    action.set_defaults(run=lambda o, c: roll_back(o.task, c))
    action = actions.add_parser("lineage", help="what a model was trained on from")
    action.add_argument("name", metavar="NAME")
    add_json(action)
    action.set_defaults(run=lambda o, c: show_lineage(o.name, c))
    _add_changes(actions)
    _add_transport(actions)


def _add_changes(actions: "Verbs") -> None:
    action = actions.add_parser("accept", help="keep what a training made")
    action.add_argument("training", type=Path, metavar="RUN", help="the training's folder")
    action.add_argument("name", metavar="NAME", help="gets a version where it is in use")
    action.add_argument("--title", help="for people; default: NAME")
    action.add_argument("--reason", help="needed where the verdict is not 'better'; in the card")
    action.add_argument("--note", default="", help="stays on this machine")
    action.add_argument("--default", action="store_true", help="use it from now on")
    add_json(action)
    action.set_defaults(run=_accept)
    action = actions.add_parser("rename", help="give a model of your own another title")
    action.add_argument("name", metavar="NAME")
    action.add_argument("title", metavar="TITLE")
    action.set_defaults(run=lambda o, c: rename(o.name, o.title, c))
    action = actions.add_parser("note", help="show or replace your note on a model of your own")
    action.add_argument("name", metavar="NAME")
    action.add_argument("text", nargs="?", metavar="TEXT", help="empty text removes the note")
    action.set_defaults(run=lambda o, c: note(o.name, o.text, c))
    action = actions.add_parser("delete", help="remove a model of your own for good")
    action.add_argument("name", metavar="NAME")
    action.add_argument("--with-twin", action="store_true", help="also its pixel-trained twin")
    action.add_argument("--yes", action="store_true", help="do not ask")
    add_json(action)
    action.set_defaults(run=lambda o, c: delete(o.name, o.with_twin, o.yes, c))


def _add_transport(actions: "Verbs") -> None:
    action = actions.add_parser("export", help="write a model into one .rvmodel file")
    action.add_argument("name", metavar="NAME")
    action.add_argument(
        "-o", "--out", type=Path, default=Path(), metavar="OUT",
        help="a folder, or a new file; default: here",
    )  # fmt: skip
    add_json(action)
    action.set_defaults(run=lambda o, c: export(o.name, o.out, c))
    action = actions.add_parser("import", help="install the models of .rvmodel files")
    action.add_argument("files", nargs="+", type=Path, metavar="FILE")
    add_json(action)
    action.set_defaults(run=lambda o, c: import_files(o.files, c))


# The store needs pydantic, and most of it torch: imported where used, --help does without.


def show_defaults(console: Console) -> int:
    """The model in use for each task, and since when."""
    from retina_viewer.model_store.defaults import default_history, default_model

    for task in _TASKS:
        name = default_model(task)
        chosen = [one for one in default_history(task) if not one.undone and one.model == name]
        since = f"chosen {chosen[-1].at:%Y-%m-%d %H:%M} UTC" if chosen else "as shipped"
        console.say(f"{task:<10} {name:<28} {since}")
        console.event("default", task=task, name=name, chosen=bool(chosen))
    return 0


def use(name: str, console: Console) -> int:
    """Make a model the default of its task."""
    from retina_viewer.model_store.defaults import set_default

    card = set_default(name)
    console.say(f"{card.name} is the default for {card.task}.")
    console.event("default", task=card.task, name=card.name)
    return 0


def roll_back(task: "TaskName", console: Console) -> int:
    """Undo the last choice of a task's default."""
    from retina_viewer.model_store import defaults

    name = defaults.roll_back(task)
    console.say(f"{name} is the default for {task} again.")
    console.event("default", task=task, name=name)
    return 0


def show_lineage(name: str, console: Console) -> int:
    """The chain from a model back to its first ancestor, one line each."""
    from retina_viewer.model_store.own_models import lineage
    from retina_viewer.model_store.store import find_model

    for depth, ancestor in enumerate(lineage(find_model(name))):
        card = ancestor.card
        what = "not installed" if card is None else f"version {card.version}, {card.title}"
        console.say(f"{'  ' * depth}{'from ' if depth else ''}{ancestor.name}: {what}")
        console.event("ancestor", name=ancestor.name, installed=None if card is None else card.name)
    return 0


def _accept(options: argparse.Namespace, console: Console) -> int:
    from retina_viewer.model_store.own_models import accept

    card = accept(
        options.training,
        options.name,
        options.title or options.name,
        options.reason,
        note=options.note,
    )
    _installed(card, console)
    return use(card.name, console) if options.default else 0


def rename(name: str, title: str, console: Console) -> int:
    """Give a model another title."""
    from retina_viewer.model_store.own_models import rename

    console.say(f"{name}: {rename(name, title).title}")
    return 0


def note(name: str, text: str | None, console: Console) -> int:
    """Show the note on a model, or replace it."""
    from retina_viewer.model_store.own_models import note_of, set_note
    from retina_viewer.model_store.store import find_model

    if text is None:
        console.say(note_of(find_model(name)))
        return 0
    set_note(name, text)
    console.say(f"{name}: the note is {'kept' if text.strip() else 'removed'}")
    return 0


def delete(name: str, with_twin: bool, sure: bool, console: Console) -> int:
    """Remove a model for good, after asking a person who can answer."""
    from retina_viewer.model_store import own_models
    from retina_viewer.model_store.store import find_model

    card = find_model(name)
    if not sure:
        if not sys.stdin.isatty():
            console.failed(
                UserError(f"{name} was not deleted: nobody can be asked.", "Add --yes."), name
            )
            return USAGE
        answer = input(f"Delete {name} ({card.title}) for good? Type its name: ")
        if answer.strip() != name:
            console.say("Nothing was deleted.")
            return 0
    for gone in own_models.delete(name, with_twin=with_twin):
        console.say(f"{gone} was deleted.")
        console.event("deleted", name=gone)
    return 0


def export(name: str, out: Path, console: Console) -> int:
    """Write a model into one file."""
    from retina_viewer.model_store.archive import export_model

    path = export_model(name, out, console.progress(name))
    console.say(f"Written to {path}")
    console.event("exported", name=name, path=path)
    return 0


def import_files(files: "list[Path]", console: Console) -> int:
    """Install the models of files; 1 where one of them is none."""
    from retina_viewer.model_store.archive import import_model

    code = 0
    for path in files:
        try:
            _installed(import_model(path, console.progress(path.name)), console)
        except UserError as error:
            console.failed(error, path.name)
            code = 1
    return code


def _installed(card: "ModelCard", console: Console) -> None:
    console.say(f"Installed as {card.name}: {card.title}")
    console.event("installed", name=card.name, task=card.task, title=card.title, twin=card.twin)
