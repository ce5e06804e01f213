"""Colours and icons, where the style sheet does not reach: both come and change after the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtWidgets import QWidget

from retina_viewer.ui.icons import Icons, import_late
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.theme import Tokens


class WithIcons(Protocol):
    def use_icons(self, icons: Icons) -> None: ...


class WithTokens(Protocol):
    def use_tokens(self, tokens: Tokens) -> None: ...


class Looks:
    """Hands a theme's colours, and icons in them, to whoever draws with them.

    Args:
        with_icons: parts that show icons.
        with_tokens: parts that draw in the theme's colours themselves.
        window: gets the program's own icon.
    """

    def __init__(
        self,
        tokens: Tokens,
        with_icons: Sequence[WithIcons],
        with_tokens: Sequence[WithTokens],
        window: QWidget,
    ) -> None:
        self._tokens = tokens
        self._with_icons, self._with_tokens, self._window = with_icons, with_tokens, window
        self._asked = self.has_icons = False

    def use_tokens(self, tokens: Tokens) -> None:
        """Take a theme's colours."""
        self._tokens = tokens
        for part in self._with_tokens:
            part.use_tokens(tokens)
        if self.has_icons:
            self._use_icons()

    def ask_for_icons(self, jobs: Jobs) -> None:
        """Once, after the first paint."""
        if self._asked:
            return
        self._asked = True
        jobs.submit(
            "icons",
            lambda progress: import_late("qtawesome"),
            lambda module: self._use_icons(),
            failed=lambda error: None,  # it is in the log; every button has a text or a name
        )

    def _use_icons(self) -> None:
        self.has_icons = True
        icons = Icons(self._tokens)
        for part in self._with_icons:
            part.use_icons(icons)
        self._window.setWindowIcon(icons.emblem())
