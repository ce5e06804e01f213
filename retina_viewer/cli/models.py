"""The verbs about the installation: models and info.

Every action of ``models`` is one function; it returns the exit code. The store needs pydantic and
most of it torch: they are imported where used, so that --help does without.
"""

import importlib.metadata
import platform
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import retina_viewer
from retina_viewer.cli.console import Console
from retina_viewer.cli.verbs import Verbs, add_verb
from retina_viewer.core.errors import UserError

if TYPE_CHECKING:
    from retina_viewer.model_store.card import ModelCard, TaskName

_TASKS: "tuple[TaskName, ...]" = ("superres", "vessels", "formation")
_REPORTED = (
    "torch", "PySide6_Essentials", "pyqtgraph", "numpy", "opencv-python-headless", "pillow",
    "tifffile", "imagecodecs", "pydicom", "pydantic", "safetensors",
)  # fmt: skip


def add_verbs(verbs: Verbs) -> None:
    """Register the verbs of this module."""
    about = "list, show, choose, keep, move or delete the models"
    parser = verbs.add_parser("models", help=about, description=f"{about.capitalize()}.")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add_looking(partial(add_verb, actions))
    _add_changing(partial(add_verb, actions))
    add_verb(verbs, "info", "versions and devices, for error reports", lambda o, c: info(c))


def _add_looking(add: "partial[ArgumentParser]") -> None:
    more = "A star marks what is used where no model is named."
    add("list", "the installed models", lambda o, c: list_models(c), more=more)
    about = "everything about one model"
    add("show", about, lambda o, c: show_model(o.name, c), "name", json=False)
    action = add("verify", "check hashes and loadability", lambda o, c: verify_models(o.names, c))
    action.add_argument("names", nargs="*", metavar="NAME", help="default: all of them")
    action = add("curves", "draw how a training went", draw_curves, json=False)
    about = "a training's folder, or its history.json"
    action.add_argument("training", type=Path, metavar="RUN", help=about)
    action.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.png")
    action.add_argument("--theme", choices=("dark", "light"), default="dark", help="default dark")
    about = "2 for a sharper picture"
    action.add_argument("--pixel-ratio", type=float, default=1.0, metavar="R", help=about)
    about = "what a model was trained on from"
    add("lineage", about, lambda o, c: show_lineage(o.name, c), "name")


def _add_changing(add: "partial[ArgumentParser]") -> None:
    about = "show the models in use, or use another one"
    action = add(
        "default", about, lambda o, c: show_defaults(c) if o.name is None else use(o.name, c)
    )
    action.add_argument("name", nargs="?", metavar="NAME", help="make it the default of its task")
    action = add("rollback", "use the default of before again", lambda o, c: roll_back(o.task, c))
    action.add_argument("task", choices=_TASKS, metavar="TASK", help=", ".join(_TASKS))
    action = add("accept", "keep what a training made", accept)
    action.add_argument("training", type=Path, metavar="RUN", help="the training's folder")
    action.add_argument("name", metavar="NAME", help="gets a version where it is in use")
    action.add_argument("--title", help="for people; default: NAME")
    action.add_argument("--reason", help="needed where the verdict is not 'better'; in the card")
    action.add_argument("--note", default="", help="stays on this machine")
    action.add_argument("--default", action="store_true", help="use it from now on")
    about = "give a model of your own another title"
    add("rename", about, lambda o, c: rename(o.name, o.title, c), "name", "title", json=False)
    about = "show or replace your note on a model of your own"
    action = add("note", about, lambda o, c: note(o.name, o.text, c), "name", json=False)
    action.add_argument("text", nargs="?", metavar="TEXT", help="empty text removes the note")
    action = add("delete", "remove a model of your own for good", delete, "name")
    action.add_argument("--with-twin", action="store_true", help="also its pixel-trained twin")
    action.add_argument("--yes", action="store_true", help="do not ask")
    about = "write a model into one .rvmodel file"
    action = add("export", about, lambda o, c: export(o.name, o.out, c), "name")
    out = "a folder, or a new file; default: here"
    action.add_argument("-o", "--out", type=Path, default=Path(), metavar="OUT", help=out)
    about = "install the models of .rvmodel files"
    action = add("import", about, lambda o, c: import_files(o.files, c))
    action.add_argument("files", nargs="+", type=Path, metavar="FILE")


def list_models(console: Console) -> int:
    """One line a model; a star marks what is used where none is named."""
    from retina_viewer.model_store import store
    from retina_viewer.model_store.defaults import default_model

    for card in store.list_models():
        scales = " ".join(f"x{scale}" for scale in card.scales)
        is_default = default_model(card.task) == card.name
        told = f"{'*' if is_default else ' '} {card.name:<28} {card.version:<8} {card.task:<9}"
        console.say(f"{told} {scales:<14} {card.title}")
        console.event(
            "model", name=card.name, version=card.version, task=card.task, title=card.title,
            scales=card.scales, default=is_default, own=store.is_own(card),
        )  # fmt: skip
    return 0


def show_model(name: str, console: Console) -> int:
    """The model's card."""
    from retina_viewer.model_store import store

    console.say(store.find_model(name).model_dump_json(indent=2))
    return 0


def verify_models(names: Sequence[str], console: Console) -> int:
    """Check the models named, or all; 1 where one is not sound."""
    from retina_viewer.model_store import store

    code = 0
    for name in names or store.installed_names():
        try:
            store.verify_model(store.find_model(name))
        except UserError as error:
            console.failed(error, name)
            code = 1
        else:
            console.say(f"{name}: sound")
            console.event("sound", name=name)
    return code


def draw_curves(given: Namespace, console: Console) -> int:
    """Draw the learning curves of a training into a picture."""
    out: Path = given.out
    if out.suffix.lower() != ".png":
        raise UserError(f"{out.name} is no name of a PNG picture.", "Let it end in .png.")
    # Qt takes seconds to load.
    from retina_viewer.ui.widgets.learning_curves import render_curves

    render_curves(given.training, out, theme=given.theme, pixel_ratio=given.pixel_ratio)
    console.say(f"Written to {out}")
    return 0


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


def accept(given: Namespace, console: Console) -> int:
    """Keep what a training made, and use it from now on where it shall be the default."""
    from retina_viewer.model_store import own_models

    title = given.title or given.name
    card = own_models.accept(given.training, given.name, title, given.reason, note=given.note)
    _say_installed(card, console)
    return use(card.name, console) if given.default else 0


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


def delete(given: Namespace, console: Console) -> int:
    """Remove a model for good, after asking a person who can answer."""
    from retina_viewer.model_store import own_models
    from retina_viewer.model_store.store import find_model

    name: str = given.name
    card = find_model(name)
    if not given.yes:
        if not sys.stdin.isatty():
            refusal = UserError(f"{name} was not deleted: nobody can be asked.", "Add --yes.")
            console.failed(refusal, name)
            return 2
        answer = input(f"Delete {name} ({card.title}) for good? Type its name: ")
        if answer.strip() != name:
            console.say("Nothing was deleted.")
            return 0
    for gone in own_models.delete(name, with_twin=given.with_twin):
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


def import_files(files: Sequence[Path], console: Console) -> int:
    """Install the models of files; 1 where one of them is none."""
    from retina_viewer.model_store.archive import import_model

    code = 0
    for path in files:
        try:
            _say_installed(import_model(path, console.progress(path.name)), console)
        except UserError as error:
            console.failed(error, path.name)
            code = 1
    return code


def _say_installed(card: "ModelCard", console: Console) -> None:
    console.say(f"Installed as {card.name}: {card.title}")
    console.event("installed", name=card.name, task=card.task, title=card.title, twin=card.twin)


def info(console: Console) -> int:
    """Versions and devices; nothing that identifies a person."""
    from retina_viewer.networks.devices import available_devices

    versions = {
        "retina-viewer": retina_viewer.__version__,
        "Python": platform.python_version(),
        **{name: _version(name) for name in _REPORTED},
    }
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    devices = available_devices()
    for name, version in versions.items():
        console.say(f"{name:<24} {version}")
    console.say(f"{'system':<24} {system}")
    for device in devices:
        console.say(f"{'device ' + device.id:<24} {device.name}")
    console.event(
        "info", versions=versions, system=system,
        devices=[{"id": device.id, "name": device.name} for device in devices],
    )  # fmt: skip
    return 0


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:  # a frozen program carries no metadata
        return "not known"
