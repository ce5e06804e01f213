"""The window's icons: qtawesome's Material Design glyphs in the theme's colours.

The icon font comes after the first paint. Importing qtawesome takes most of a second, so a worker
does that, and only its one font in use is registered, in the GUI thread, which takes some 20 ms.
Until then buttons show their text, or nothing, but they have accessible names.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QWidget

from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.theme import Tokens

ICON_SIZE = QSize(18, 18)
_PREFIX = "mdi6"
_FONT = "materialdesignicons6-webfont"
_GLYPHS = {
    "open": "folder-open-outline",
    "export": "export-variant",
    "help": "help-circle-outline",
    "close": "close",
    "retina": "eye-circle-outline",
    "side by side": "view-split-vertical",
    "slider": "compare",
    "loupe": "magnify",
    "ruler": "ruler",
    "clear": "eraser",
    "device": "chip",
    "models": "graph-outline",
    "methods": "compare-horizontal",
    "reference": "target",
    "blink": "layers-outline",
    "swap": "swap-horizontal",
    "error": "alert-circle-outline",
    "unfolded": "chevron-down",
    "folded": "chevron-right",
}


@functools.cache
def _icon_font() -> Any:
    """The glyphs, registered once a process. In the GUI thread."""
    from qtawesome import iconic_font

    folder = Path(iconic_font.__file__).parent / "fonts"
    # Not qtawesome's own list of fonts: it reads all twelve.
    (font,) = folder.glob(f"{_FONT}-[0-9]*.ttf")
    (characters,) = folder.glob(f"{_FONT}-charmap-*.json")
    return iconic_font.IconicFont((_PREFIX, font.name, characters.name, str(folder)))


class Icons:
    """The icons in one theme's colours. In the GUI thread, after qtawesome was imported."""

    def __init__(self, tokens: Tokens) -> None:
        self._font = _icon_font()
        self._tokens = tokens

    def icon(self, name: str) -> QIcon:
        """For a button: dim where it is disabled."""
        tokens = self._tokens
        return self._make(name, color=tokens.text, color_disabled=tokens.dim)

    def choice(self, name: str) -> QIcon:
        """For one of several choices: dim unless it is the chosen one."""
        tokens = self._tokens
        return self._make(name, color=tokens.dim, color_on=tokens.text, color_off=tokens.dim)

    def toggle(self, name: str) -> QIcon:
        """For a button that lies on the accent while it is on."""
        tokens = self._tokens
        on = {"color_on": tokens.on_accent, "color_on_active": tokens.on_accent}
        return self._make(name, color=tokens.text, color_disabled=tokens.dim, **on)

    def fold(self) -> QIcon:
        """For the heading of what folds: down where it is checked, that is, unfolded."""
        unfolded = f"{_PREFIX}.{_GLYPHS['unfolded']}"
        return self._make("folded", color=self._tokens.text, on=unfolded)

    def picture(self, name: str, side: int, ratio: float) -> QPixmap:
        """A dim picture of ``side`` logical pixels for a screen with this pixel ratio."""
        return self._make(name, color=self._tokens.dim).pixmap(QSize(side, side), ratio)

    def emblem(self) -> QIcon:
        """The program's own icon."""
        return self._make("retina", color=self._tokens.amber)

    def _make(self, name: str, **colours: str) -> QIcon:
        icon = self._font.icon(f"{_PREFIX}.{_GLYPHS[name]}", **colours)
        assert isinstance(icon, QIcon)
        return icon


_QT = ("QtCore", "QtGui", "QtWidgets", "QtOpenGLWidgets", "QtOpenGL", "QtSvg", "QtTest")


def import_late(name: str) -> ModuleType:
    """Import a module that imports every class of Qt, as qtawesome and pyqtgraph do.

    PySide makes a class when it is first asked for and holds Python's lock meanwhile. An import of
    all at once would stop the window for most of a second; asked for one by one, the GUI thread
    gets its turn between them.
    """
    for part in _QT:
        module = importlib.import_module(f"PySide6.{part}")
        for one in dir(module):
            getattr(module, one)
    return importlib.import_module(name)


class WithIcons(Protocol):
    def use_icons(self, icons: Icons) -> None: ...


class WithTokens(Protocol):
    def use_tokens(self, tokens: Tokens) -> None: ...


class Looks:
    """Hands a theme's colours, and icons in them, to whoever draws with them; the window gets the
    program's own."""

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
