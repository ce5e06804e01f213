"""The learning curves of a model, drawn when they are first looked at."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QLabel, QScrollArea

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.model_store.extras import HISTORY_FILE
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.learning_curves import LearningCurves
from retina_viewer.ui.learning_history import LearningHistory, read_history
from retina_viewer.ui.models.facts import Entry
from retina_viewer.ui.theme import Tokens
from retina_viewer.ui.widgets.fields import dim_label

_KEY = "models curves"
_COLUMNS = 3
NONE = (
    "No learning curves came with this model. Models that you train keep them, and so do models "
    "that are imported with them."
)


class CurvesPage(QScrollArea):
    """Reads the history in the background."""

    def __init__(self, jobs: Jobs, tokens: Tokens) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._jobs, self._tokens = jobs, tokens
        self._entry: Entry | None = None
        self._drawn = ""
        self.curves: LearningCurves | None = None

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of a theme."""
        self._tokens = tokens
        if self.curves is not None:
            self.curves.use_tokens(tokens)

    def show_entry(self, entry: Entry) -> None:
        """Show another model; drawn at once only where the page is looked at."""
        self._entry = entry
        if self.isVisible():
            self.draw()

    def draw(self) -> None:
        """Draw what :meth:`show_entry` named, unless it is drawn already."""
        entry = self._entry
        if entry is None or self._drawn == entry.card.name:
            return
        self._drawn = entry.card.name
        self._say("…")
        directory = entry.card.directory

        def work(progress: Progress) -> LearningHistory:
            if directory is None or not (directory / HISTORY_FILE).is_file():
                raise UserError(NONE)
            return read_history(directory / HISTORY_FILE)

        self._jobs.submit(_KEY, work, self._show, failed=self._failed, lane=Lane.FILES)

    def _show(self, history: LearningHistory) -> None:
        curves = LearningCurves(self._tokens, columns=_COLUMNS)
        curves.show_history(history)
        curves.setFixedHeight(curves.wanted_height)
        self.curves = curves
        self.setWidget(curves)

    def _failed(self, error: Exception) -> None:
        self._say(error.message if isinstance(error, UserError) else str(error))

    def _say(self, text: str) -> None:
        self.curves = None
        label: QLabel = dim_label(text)
        label.setMargin(4)
        label.setAlignment(label.alignment().AlignTop)
        self.setWidget(label)
