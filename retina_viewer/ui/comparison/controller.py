"""Comparing: two to four results beside each other on the window's stage."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFrame

from retina_viewer.core.settings import Settings
from retina_viewer.ui.catalogue import ResultChoice
from retina_viewer.ui.icons import Icons
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.models.installed_models import ModelEntry
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.arrange import Arrangement
from retina_viewer.ui.view.stage import Stage
from retina_viewer.ui.view.view import View


class ComparisonController(QObject):
    """Puts the results that are compared into the view's state, and takes them out again."""

    problem = Signal(object)
    """(Exception)"""

    def __init__(
        self, view: View, stage: Stage, services: Services, jobs: Jobs, settings: Settings
    ) -> None:
        super().__init__(view)
        self._view, self._stage = view, stage
        self.header = QFrame()
        self.header.hide()
        self.is_shown = False

    def toggle(self) -> None:
        """Compare, or show the first result alone again."""
        self.stop() if self.is_shown else self.start()

    def start(self) -> None:
        """The active result beside another method's."""
        view, state = self._view, self._view.state
        if not view.may_enlarge():
            return
        first = state.result
        other = "bicubic" if first.method != "bicubic" else view.catalogue.default
        self.is_shown = True
        if state.arrangement is Arrangement.SLIDER:
            state.arrangement = Arrangement.AUTO
        state.results, state.active = (first, ResultChoice(other)), 0
        view.apply()

    def start_models(self, entries: Sequence[ModelEntry], names: tuple[str, str]) -> None:
        """Two models of one task beside each other."""
        state, cards = self._view.state, {entry.card.name: entry.card for entry in entries}
        if not self._view.may_enlarge():
            return
        choices = []
        for card in (cards[name] for name in names):
            if card.task == "vessels":
                choices.append(ResultChoice(vessels=card.name, title=card.title))
            else:
                choices.append(ResultChoice(card.enhancer_method, card.name, title=card.title))
        self.is_shown = True
        state.results, state.active = tuple(choices), 0
        self._view.apply()

    def stop(self) -> None:
        state = self._view.state
        self.is_shown = False
        state.results, state.active, state.alone = state.results[:1], 0, None
        self._view.apply()

    def use_icons(self, icons: Icons) -> None:
        """Of the header."""
