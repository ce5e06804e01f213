"""Keys that are pressed, keys that are held, and files that are dropped on the window."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QWidget

from retina_viewer.ui.keys import KEYS
from retina_viewer.ui.view.controller import Controller
from retina_viewer.ui.view.view import View
from retina_viewer.ui.widgets.empty import DropHint

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


def add_shortcuts(
    window: QWidget, others: Mapping[str, Callable[..., object]], controller: Controller
) -> None:
    """Make the shortcuts of the key table; what is not in ``others`` is one of ``controller``."""
    for _, keys in KEYS:
        for key in keys:
            for number, sequence in enumerate(key.keys, start=1):
                action = others.get(key.command) or getattr(controller, key.command)
                if key.is_numbered:
                    action = partial(action, number)
                QShortcut(QKeySequence(sequence), window, action)


class HeldKeys(QObject):
    """Space and O while they are held, and the arrows, wherever in the window the focus is.

    Sliders and lists keep their arrows, and a button that was reached with Tab keeps Space.
    """

    def __init__(self, window: QWidget, view: View, controller: Controller) -> None:
        super().__init__(window)
        self._window, self._view, self._controller = window, view, controller
        self._held: set[int] = set()
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and isinstance(watched, QWidget):
            if watched.window() is self._window:
                return self._key(watched, event)
        elif event.type() == QEvent.Type.WindowDeactivate and watched is self._window:
            self._release_all()
        return False

    def _key(self, watched: QWidget, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if event.type() == QEvent.Type.KeyPress:
            if key == Qt.Key.Key_Space and isinstance(watched, QAbstractButton | QComboBox):
                return False
            if key in (Qt.Key.Key_Space, Qt.Key.Key_O) and not event.modifiers():
                if not event.isAutoRepeat():
                    self._hold(key, True)
                return True
            if key in _ARROWS and watched is self._window:
                self._controller.pan(*_ARROWS[key])
                return True
        if event.type() == QEvent.Type.KeyRelease and key in self._held:
            if not event.isAutoRepeat():
                self._hold(key, False)
            return True
        return False

    def _hold(self, key: Qt.Key, held: bool) -> None:
        (self._held.add if held else self._held.discard)(key)
        if key == Qt.Key.Key_Space:
            self._view.change(layers_hidden=held)
        else:
            self._view.change(original_held=held)

    def _release_all(self) -> None:
        for key in list(self._held):
            self._hold(Qt.Key(key), False)


class DropTarget(QObject):
    """Files and folders dropped anywhere on the window."""

    def __init__(
        self, window: QWidget, hint: DropHint, opened: Callable[[Sequence[Path]], None]
    ) -> None:
        super().__init__(window)
        self._hint = hint
        self._opened = opened
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DragEnter and isinstance(event, QDragEnterEvent):
            paths = paths_in(event.mimeData())
            if paths:
                event.acceptProposedAction()
                self._hint.show_for(len(paths))
            return True
        if event.type() == QEvent.Type.DragLeave:
            self._hint.hide()
            return True
        if event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            self._hint.hide()
            event.acceptProposedAction()
            self._opened(paths_in(event.mimeData()))
            return True
        return False


def paths_in(data: QMimeData) -> list[Path]:
    """The local files and folders of a drag."""
    return [_local_path(url) for url in data.urls() if url.isLocalFile()]


def _local_path(url: QUrl) -> Path:
    if os.name != "posix":
        return Path(url.toLocalFile())
    # Qt's text has no place for bytes that are not UTF-8; the address keeps them.
    encoded = url.path(QUrl.ComponentFormattingOption.FullyEncoded)
    return Path(os.fsdecode(unquote_to_bytes(encoded)))
