"""Importing what the first paint can do without, in worker threads."""

from __future__ import annotations

import importlib
from types import ModuleType

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
