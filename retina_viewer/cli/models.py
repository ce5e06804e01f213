"""The verbs about the installation: models and info."""

import argparse
import importlib.metadata
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import retina_viewer
from retina_viewer.cli import model_manager
from retina_viewer.cli.console import Console
from retina_viewer.cli.options import add_json
from retina_viewer.core.errors import UserError

if TYPE_CHECKING:
    from retina_viewer.cli.options import Verbs

_REPORTED = (
    "torch", "PySide6_Essentials", "pyqtgraph", "numpy", "opencv-python-headless", "pillow",
    "tifffile", "imagecodecs", "pydicom", "pydantic", "safetensors",
)  # fmt: skip


def add_verbs(verbs: "Verbs") -> None:
    """Register the verbs of this module."""
    parser = verbs.add_parser("models", help="list, show, choose, keep, move or delete the models")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = actions.add_parser("list", help="the installed models")
    add_json(action)
    action.set_defaults(run=_list)
    action = actions.add_parser("show", help="everything about one model")
    action.add_argument("name", metavar="NAME")
    action.set_defaults(run=_show)
    action = actions.add_parser("verify", help="check hashes and loadability")
    action.add_argument("names", nargs="*", metavar="NAME", help="default: all of them")
    add_json(action)
    action.set_defaults(run=_verify)
    action = actions.add_parser("record", help="keep the figures of a report in a model's card")
    action.add_argument("name", metavar="NAME")
    action.add_argument(
        "report", type=Path, metavar="REPORT.json", help="made by 'retina-viewer evaluate'"
    )
    action.set_defaults(run=_record)
    action = actions.add_parser("curves", help="draw how a training went")
    action.add_argument(
        "training", type=Path, metavar="RUN", help="a training's folder, or its history.json"
    )
    action.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.png")
    action.add_argument("--theme", choices=("dark", "light"), default="dark", help="default dark")
    action.add_argument(
        "--pixel-ratio", type=float, default=1.0, metavar="R", help="2 for a sharper picture"
    )
    action.set_defaults(run=_curves)
    model_manager.add_actions(actions)

    parser = verbs.add_parser("info", help="versions and devices, for error reports")
    add_json(parser)
    parser.set_defaults(run=_info)


def _list(options: argparse.Namespace, console: Console) -> int:
    return list_models(console)


def _show(options: argparse.Namespace, console: Console) -> int:
    return show_model(options.name, console)


def _verify(options: argparse.Namespace, console: Console) -> int:
    return verify_models(options.names, console)


def _record(options: argparse.Namespace, console: Console) -> int:
    return record_figures(options.name, options.report, console)


def _curves(options: argparse.Namespace, console: Console) -> int:
    return draw_curves(
        options.training, options.out, console, theme=options.theme, pixel_ratio=options.pixel_ratio
    )


def _info(options: argparse.Namespace, console: Console) -> int:
    return info(console)


def list_models(console: Console) -> int:
    """One line a model; a star marks what is used where none is named."""
    from retina_viewer.model_store import store
    from retina_viewer.model_store.defaults import default_model

    for card in store.list_models():
        scales = " ".join(f"x{scale}" for scale in card.scales)
        is_default = default_model(card.task) == card.name
        mark = "*" if is_default else " "
        console.say(
            f"{mark} {card.name:<28} {card.version:<8} {card.task:<9} {scales:<14} {card.title}"
        )
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


def record_figures(name: str, report: Path, console: Console) -> int:
    """Put what a report measured of a model into its card."""
    from retina_viewer.model_store.store import find_model
    from studies import card_figures

    card = card_figures.record_figures(find_model(name), report)
    console.say(f"{name}: the card holds {len(card.measurements)} figures")
    return 0


def draw_curves(
    training: Path, out: Path, console: Console, *, theme: str, pixel_ratio: float
) -> int:
    """Draw the learning curves of a training into a picture."""
    if out.suffix.lower() != ".png":
        raise UserError(f"{out.name} is no name of a PNG picture.", "Let it end in .png.")
    # Qt takes seconds to load.
    from retina_viewer.ui.widgets.learning_curves import render_curves

    render_curves(training, out, theme=theme, pixel_ratio=pixel_ratio)
    console.say(f"Written to {out}")
    return 0


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
