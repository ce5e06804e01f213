"""Qt's own part of the program: is there a display, the one QApplication, and its end."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Before Qt: on Windows, torch's libraries do not load into a process that has loaded Qt's.
import torch
from PySide6 import QtCore
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import settings_file
from retina_viewer.core.processes import heeding
from retina_viewer.core.system_libraries import in_words, loads, missing_packages

RENDER_SECONDS = 1800.0
"""Only a limit for work that hangs: a busy machine may need minutes for a whole photograph."""


def has_display() -> bool:
    """Whether a window can be opened: always on Windows and macOS."""
    if not sys.platform.startswith("linux"):
        return True
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return any(os.environ.get(name) for name in names)


def refuse_without_libraries() -> None:
    """Qt ends the whole process where its plugin for X11 lacks a library: say which before.

    Raises:
        UserError: it lacks one.
    """
    platform = os.environ.get("QT_QPA_PLATFORM", "").split(":")[0]
    on_x11 = os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY")
    if platform != "xcb" and (platform or not on_x11):
        return
    plugins = Path(QtCore.QLibraryInfo.path(QtCore.QLibraryInfo.LibraryPath.PluginsPath))
    plugin = plugins / "platforms" / "libqxcb.so"
    if plugin.exists() and not loads(str(plugin)) and (packages := missing_packages()):
        raise UserError(*in_words(packages))


def make_application() -> QApplication:
    """The one QApplication of the process; made on first use."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    # Where there are many cores, one stays free for the window; of two, both are needed.
    cores = os.cpu_count() or 1
    torch.set_num_threads(cores if cores <= 2 else cores - 1)
    QGuiApplication.setApplicationDisplayName("Retina Viewer")
    # What Qt's file dialogs remember names people too: it lies with the program's own settings.
    QtCore.QSettings.setPath(
        QtCore.QSettings.Format.NativeFormat,
        QtCore.QSettings.Scope.UserScope,
        str(settings_file().parent),
    )
    application = QApplication(["retina-viewer"])
    # PySide sets its signatures up when a docstring is first asked for, and no other thread runs
    # for a tenth of a second; the late imports would ask while the person is working.
    _ = QtCore.QObject.setParent.__doc__
    application.setApplicationName("retina-viewer")
    application.setDesktopFileName("retina-viewer")
    # What is there now stays to the end (torch alone makes hundreds of thousands of objects): the
    # collector need not walk through it again and again in the window's thread.
    gc.collect()
    gc.freeze()
    return application


@contextmanager
def closing_on_signals() -> Iterator[None]:
    """Let a request to end, and a closed terminal, end the event loop: settings are saved, and
    what is half-written goes away."""

    def end(number: int, frame: object) -> None:
        QtCore.QCoreApplication.exit(128 + number)

    # Python looks at signals only when it runs, which the event loop does not: this lets it.
    look = QtCore.QTimer(interval=200)
    look.timeout.connect(lambda: None)
    look.start()
    with heeding(end, "SIGTERM", "SIGHUP"):
        try:
            yield
        finally:
            look.stop()


def wait_until(condition: Callable[[], bool], seconds: float = RENDER_SECONDS) -> None:
    """Run the event loop until something has become true.

    Raises:
        UserError: it took too long.
    """
    loop, end = QtCore.QEventLoop(), time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise UserError("The window's work did not finish in time.", "Try a smaller scale.")
        loop.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, 20)
        time.sleep(0.002)
