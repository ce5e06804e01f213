"""What can be done with models, in the background; afterwards everything is looked at again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, part_of
from retina_viewer.model_store import defaults, own_models
from retina_viewer.model_store.archive import export_model, import_model
from retina_viewer.model_store.card import ModelCard, TaskName
from retina_viewer.model_store.store import find_model
from retina_viewer.ui.jobs import Job, Jobs, Lane
from retina_viewer.ui.models.installed_models import read_installed

_LOOK = "models look"
T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What to say of a thing that is done.

    Attributes:
        name: of the model to look at now; empty for the one that is looked at, or the first.
        used: the model that has become a default by it.
        problem: what did not succeed beside it.
    """

    sentence: str
    name: str = ""
    used: ModelCard | None = None
    problem: UserError | None = None


class ModelOperations(QObject):
    """Does one thing after the other, and says how it went."""

    looked = Signal(object)
    """(InstalledModels): what is installed now"""
    changed = Signal()
    """The choosers of the window are to follow."""
    used = Signal(object)
    """(ModelCard): the default of its task from now on"""
    said = Signal(str, str)
    """(sentence, name of the model that it is about or empty)"""
    failed = Signal(object)
    """(Exception) for the person to read"""

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._numbers = itertools.count()
        self._working: set[str] = set()
        jobs.ended.connect(self._job_ended)

    @property
    def is_working(self) -> bool:
        return bool(self._working)

    def look(self) -> None:
        """Read what is installed."""
        done, failed = self.looked.emit, self.failed.emit
        self._jobs.submit(_LOOK, lambda _: read_installed(), done, failed=failed, lane=Lane.FILES)

    def use(self, name: str) -> None:
        """Make a model the default of its task."""
        self._do(
            "choosing",
            lambda _: defaults.set_default(name),
            lambda card: Outcome(f"{card.title} is used from now on.", card.name, card),
        )

    def roll_back(self, task: TaskName) -> None:
        """Use the default of before again."""
        self._do(
            "rolling back",
            lambda _: find_model(defaults.roll_back(task)),
            lambda card: Outcome(f"{card.title} is used again.", card.name, card),
        )

    def rename(self, name: str, title: str) -> None:
        """Give a model another title."""
        self._do(
            "renaming",
            lambda _: own_models.rename(name, title),
            lambda card: Outcome(f"It is called {card.title} now.", name),
        )

    def set_note(self, name: str, text: str) -> None:
        """Replace the person's note."""
        self._do(
            "note",
            lambda _: own_models.set_note(name, text),
            lambda _: Outcome("The note is kept.", name),
        )

    def delete(self, name: str, *, with_twin: bool) -> None:
        """Remove a model for good."""
        self._do(
            "deleting",
            lambda _: own_models.delete(name, with_twin=with_twin),
            lambda gone: Outcome(f"{' and '.join(gone)} {'were' if gone[1:] else 'was'} deleted."),
        )

    def export(self, name: str, path: Path) -> None:
        """Write a model into one new file."""
        self._do(
            "export of a model",
            partial(export_model, name, path),
            lambda written: Outcome(f"Written: {written.name}", name),
        )

    def import_files(self, paths: Sequence[Path]) -> None:
        """Install the models of files; those that are none are named together in the end."""
        title = "import of models" if len(paths) > 1 else "import of a model"
        self._do(title, partial(_import_all, paths), lambda outcome: outcome)

    def _do(self, title: str, verb: Callable[[Progress], T], said: Callable[[T], Outcome]) -> None:
        key = f"models {next(self._numbers)}"
        self._working.add(key)

        def done(result: T) -> None:
            outcome = said(result)
            self.said.emit(outcome.sentence, outcome.name)
            self._ended(key)
            if outcome.problem is not None:
                self.failed.emit(outcome.problem)
            if outcome.used is not None:
                self.used.emit(outcome.used)

        def failed(error: Exception) -> None:
            self._ended(key)
            self.failed.emit(error)

        self._jobs.submit(key, verb, done, failed=failed, title=title, lane=Lane.FILES)

    def _job_ended(self, job: Job) -> None:
        if job.is_cancelled and job.key in self._working:  # it calls nobody back
            self.said.emit("Cancelled.", "")
            self._ended(job.key)

    def _ended(self, key: str) -> None:
        self._working.discard(key)
        self.changed.emit()
        self.look()


def _import_all(paths: Sequence[Path], progress: Progress) -> Outcome:
    """Install every file that is a sound model. Raises Cancelled: those before are installed."""
    cards: list[ModelCard] = []
    failures: list[tuple[Path, UserError]] = []
    for number, path in enumerate(paths):
        share = part_of(progress, number / len(paths), (number + 1) / len(paths))
        try:
            cards.append(import_model(path, share))
        except UserError as error:
            failures.append((path, error))
    names = ", ".join(card.name for card in cards)
    return Outcome(
        f"Installed as {names}. Not in use yet." if cards else "",
        cards[-1].name if cards else "",
        problem=_together(failures),
    )


def _together(failures: Sequence[tuple[Path, UserError]]) -> UserError | None:
    """One message for all files that failed, each with its reason."""
    if not failures:
        return None
    what = "\n".join(f"{path.name}: {error.message}" for path, error in failures)
    hints = dict.fromkeys(error.hint for _, error in failures if error.hint)
    if len(failures) > 1:
        what = f"{len(failures)} files were not installed.\n{what}"
    return UserError(what, " ".join(hints))
