"""The verb ``train``: a model is tuned after a plan, as the training wizard writes them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retina_viewer.cli.console import Console
from retina_viewer.cli.verbs import Verbs, add_verb
from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.options import add_fields, option, read_fields
from retina_viewer.core.processes import heeding
from retina_viewer.core.progress import Progress


@dataclass(frozen=True)
class Training:
    """What is asked for. ``out`` of None is a folder of the plan's name among the person's runs."""

    plan: Path = option(
        flags=("--plan",), metavar="PLAN.toml", help="as the training wizard writes them"
    )
    out: Path | None = option(
        None, metavar="DIR", help="where the model goes; default: a folder of the program's"
    )
    resume: bool = option(False, help="go on from the last checkpoint in DIR")
    device: str = option(
        "auto", metavar="DEVICE", help="cpu, cuda or cuda:N; default auto: what the plan says"
    )


def add_verbs(verbs: Verbs) -> None:
    """Register the verb."""
    parser = add_verb(
        verbs,
        "train",
        "tune a model on your own photographs, after a plan",
        lambda o, c: train(read_fields(Training, o), c),
        more="Ctrl+C pauses it; --resume goes on.",
    )
    add_fields(parser, Training)


def train(asked: Training, console: Console) -> int:
    """Fine-tune after a plan, reporting every event.

    Interrupt and terminate pause it, as ``pause`` in the run folder does; that is no failure.
    """
    from retina_viewer.core.paths import user_runs_dir
    from retina_viewer.finetuning.finetune import finetune
    from retina_viewer.finetuning.plan import load_plan
    from retina_viewer.finetuning.run_folder import RunFolder

    loaded = load_plan(asked.plan)
    run = RunFolder(asked.out or user_runs_dir() / loaded.name)
    if run.has_begun and not asked.resume:
        raise UserError(
            f"{run.path} holds a training already.",
            "Add --resume to go on, or choose another --out.",
        )
    run.prepare(loaded)

    def report(event: Mapping[str, Any]) -> None:
        if event["event"] not in _SAID_BY_CONSOLE:
            console.event(**event)
            console.say(line_of(event))

    with stoppable(console.progress(loaded.name)) as progress:
        device = None if asked.device == "auto" else asked.device
        finetune(run, device=device, events=report, progress=progress)
    return 0


_SAID_BY_CONSOLE = ("progress", "failed")
"""Events of a run folder that the console makes of progress and errors itself."""


@contextmanager
def stoppable(progress: Progress) -> Iterator[Progress]:
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


def line_of(event: Mapping[str, Any]) -> str:
    """An event's fields on one line: ``losses  step 200  pixel 0.0123``."""
    fields = {key: value for key, value in event.items() if key != "event"}
    told = (f"{k} {v:.5g}" if isinstance(v, float) else f"{k} {v}" for k, v in fields.items())
    return "  ".join((event["event"], *told))
