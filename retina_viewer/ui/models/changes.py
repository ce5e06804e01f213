"""What can be done with models, in the background; afterwards everything is looked at again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.model_store.card import TaskName
from retina_viewer.ui.job import Lane
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.models.facts import Shelf, read_shelf

_LOOK = "models look"


class Changes(QObject):
    """Does one thing after the other, and says how it went."""

    looked = Signal(object)
    """(Shelf): what is installed now"""
    changed = Signal()
    """The choosers of the window are to follow."""
    said = Signal(str, str)
    """(sentence, name of the model that it is about or empty)"""
    failed = Signal(object)
    """(Exception) for the person to read"""

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._numbers = itertools.count()
        self._working: set[str] = set()

    @property
    def is_working(self) -> bool:
        return bool(self._working)

    def look(self) -> None:
        """Read what is installed."""

        def work(progress: Progress) -> Shelf:
            return read_shelf()

        self._jobs.submit(_LOOK, work, self.looked.emit, failed=self.failed.emit, lane=Lane.FILES)

    def use(self, name: str) -> None:
        """Make a model the default of its task."""

        def work(progress: Progress) -> tuple[str, str]:
            from retina_viewer.model_store.defaults import set_default

            card = set_default(name)
            return f"{card.title} is used from now on.", card.name

        self._do("choosing", work)

    def roll_back(self, task: TaskName) -> None:
        """Use the default of before again."""

        def work(progress: Progress) -> tuple[str, str]:
            from retina_viewer.model_store import defaults
            from retina_viewer.model_store.store import find_model

            card = find_model(defaults.roll_back(task))
            return f"{card.title} is used again.", card.name

        self._do("rolling back", work)

    def rename(self, name: str, title: str) -> None:
        """Give a model another title."""

        def work(progress: Progress) -> tuple[str, str]:
            from retina_viewer.model_store import own_models

            return f"It is called {own_models.rename(name, title).title} now.", name

        self._do("renaming", work)

    def set_note(self, name: str, text: str) -> None:
        """Replace the person's note."""

        def work(progress: Progress) -> tuple[str, str]:
            from retina_viewer.model_store import own_models

            own_models.set_note(name, text)
            return "The note is kept.", name

        self._do("note", work)

    def delete(self, name: str, *, with_twin: bool) -> None:
        """Remove a model for good."""

        def work(progress: Progress) -> tuple[str, str]:
            from retina_viewer.model_store import own_models

            gone = own_models.delete(name, with_twin=with_twin)
            were = "was" if len(gone) == 1 else "were"
            return f"{' and '.join(gone)} {were} deleted.", ""

        self._do("deleting", work)

    def export(self, name: str, path: Path) -> None:
        """Write a model into one new file."""

        def work(progress: Progress) -> tuple[str, str]:
            from retina_viewer.model_store.archive import export_model

            return f"Written: {export_model(name, path, progress).name}", name

        self._do("export of a model", work)

    def import_files(self, paths: Sequence[Path]) -> None:
        """Install the models of files; the first that is none ends it."""

        def work(progress: Progress) -> tuple[str, str]:
            from retina_viewer.model_store.archive import import_model

            cards = []
            for path in paths:
                try:
                    cards.append(import_model(path, progress))
                except UserError as error:
                    raise UserError(f"{path.name}: {error.message}", error.hint) from error
            names = ", ".join(card.name for card in cards)
            return f"Installed as {names}. Not in use yet.", cards[-1].name if cards else ""

        self._do("import of a model", work)

    def _do(self, title: str, work: Callable[[Progress], tuple[str, str]]) -> None:
        key = f"models {next(self._numbers)}"
        self._working.add(key)

        def done(result: tuple[str, str]) -> None:
            self._ended(key)
            self.said.emit(*result)

        def failed(error: Exception) -> None:
            self._ended(key)
            self.failed.emit(error)

        self._jobs.submit(key, work, done, failed=failed, title=title, lane=Lane.FILES)

    def _ended(self, key: str) -> None:
        self._working.discard(key)
        self.changed.emit()
        self.look()
