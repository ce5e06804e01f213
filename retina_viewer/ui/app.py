"""Starting the window: on the screen, or rendered to a picture where there is none."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QCoreApplication, QEventLoop, QLibraryInfo, QTimer
from PySide6.QtWidgets import QApplication

# What the first photograph needs, imported before the window is there: an import in a worker thread
# holds Python's lock, and the window would stand still.
import retina_viewer.imaging.readers
import retina_viewer.superres.cascade  # noqa: F401
from retina_viewer.core.errors import UserError
from retina_viewer.core.processes import heeding
from retina_viewer.core.settings import Settings, load_settings, save_settings
from retina_viewer.core.system_libraries import in_words, loads, missing_packages
from retina_viewer.ui.canvas.scene import LayerName
from retina_viewer.ui.services import Services, project_services
from retina_viewer.ui.start import Start, remember
from retina_viewer.ui.theme import apply_theme, make_application
from retina_viewer.ui.window import Window

logger = logging.getLogger(__name__)
RENDER_SECONDS = 1800.0
"""Only a limit for work that hangs: a busy machine may need minutes for a whole photograph."""


def run(files: Sequence[Path], start: Start) -> int:
    """Open the window, with these photographs or folders, until it is closed. Returns the process's
    exit code. Raises UserError: there is no display, or the method or model is not installed.
    """
    if not has_display():
        raise UserError(
            "There is no display to open the window on.",
            "Use the command line: retina-view --help.",
        )
    _refuse_without_libraries()
    application = make_application()
    settings, services = load_settings(), project_services()
    start.put_into(settings, services.catalogue())
    window = make_window(application, settings, services)
    window.show()
    window.training.trainings.look_for_runs()
    sys.excepthook = _hook(window)
    if files:
        QTimer.singleShot(0, lambda: window.open(files))
    with _closing_on_signals():
        code = application.exec()
    sys.excepthook = sys.__excepthook__
    remember(settings, window.view)
    window.jobs.close()
    try:
        save_settings(settings)
    except UserError:
        logger.warning("the settings were not saved")  # nothing that the person made is lost
    return int(code)


def _refuse_without_libraries() -> None:
    """Qt ends the whole process where its plugin for X11 lacks a library: say which before. Raises
    UserError: it lacks one.
    """
    platform = os.environ.get("QT_QPA_PLATFORM", "").split(":")[0]
    on_x11 = os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY")
    if platform != "xcb" and (platform or not on_x11):
        return
    plugins = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath))
    plugin = plugins / "platforms" / "libqxcb.so"
    if plugin.exists() and not loads(str(plugin)) and (packages := missing_packages()):
        raise UserError(*in_words(packages))


@contextmanager
def _closing_on_signals() -> Iterator[None]:
    """Let a request to end, and a closed terminal, end the event loop: settings are saved, and
    what is half-written goes away."""

    def end(number: int, frame: object) -> None:
        QCoreApplication.exit(128 + number)

    # Python looks at signals only when it runs, which the event loop does not: this lets it.
    look = QTimer(interval=200)
    look.timeout.connect(lambda: None)
    look.start()
    with heeding(end, "SIGTERM", "SIGHUP"):
        try:
            yield
        finally:
            look.stop()


def render_window(
    image_path: Path,
    png: Path,
    *,
    method: str,
    scale: int,
    size: tuple[int, int] = (1600, 1000),
    pixel_ratio: float = 1.0,
    model: str | None = None,
    fidelity: float | None = None,
    layers: Sequence[str] = ("saliency", "vessels"),
) -> None:
    """Render the window, without a display, with a photograph, its tiles and layers finished.
    Raises UserError: the photograph cannot be read, the model does not fit the method, or a part of
    the window's work failed.

    Args:
        png: the picture of the window to write; replaced if it exists.
        size: of the window, in logical pixels.
        pixel_ratio: device pixels per logical pixel; only the first window of a process sets it.
        model, fidelity: of the method; None for its defaults.
        layers: names of the layers that are on.
    """
    if QApplication.instance() is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        os.environ["QT_SCALE_FACTOR"] = str(pixel_ratio)
    application = make_application()
    settings, services = Settings(theme="dark"), project_services()
    start = Start(method=method, scale=scale, model=model, fidelity=fidelity)
    start.put_into(settings, services.catalogue())
    window = make_window(application, settings, services)
    try:
        window.resize(*size)
        window.show()
        render_loaded(window, image_path, [LayerName(name) for name in layers])
        if not window.grab().save(str(png)):
            raise UserError(f"{png.name} could not be written.", "Choose another folder.")
    finally:
        window.close()
        window.deleteLater()


def render_loaded(window: Window, image_path: Path, layers: Sequence[LayerName]) -> None:
    """Open a photograph in a shown window and wait until everything in view is finished."""
    problems: list[Exception] = []
    window.view.problem.connect(problems.append)
    window.library.failed.connect(lambda path, error: problems.append(error))
    window.open([image_path])
    wait_until(lambda: window.view.photo is not None or bool(problems))
    view = window.view
    for name in layers:
        view.state.layer(name).on = True
    view.apply()

    def finished() -> bool:
        waiting = any(view.layers.is_working(name) for name in layers)
        return bool(problems) or (not waiting and not window.jobs.active and view.sharp >= 1)

    wait_until(finished)
    if problems:
        raise problems[0]


def wait_until(condition: Callable[[], bool], seconds: float = RENDER_SECONDS) -> None:
    """Run the event loop until something has become true. Raises UserError: it took too long."""
    loop, end = QEventLoop(), time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise UserError("The window's work did not finish in time.", "Try a smaller scale.")
        loop.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        time.sleep(0.002)


def has_display() -> bool:
    """Whether a window can be opened: always on Windows and macOS."""
    if not sys.platform.startswith("linux"):
        return True
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return any(os.environ.get(name) for name in names)


def make_window(
    application: QApplication, settings: Settings, services: Services | None = None
) -> Window:
    """A themed window that is not shown yet."""
    tokens = apply_theme(application, settings.theme)
    window = Window(services or project_services(), settings, tokens)
    window.theme_chosen.connect(lambda theme: window.use_tokens(apply_theme(application, theme)))
    window.resize(1440, 900)
    return window


def _hook(
    window: Window,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """Unexpected errors in the GUI thread reach the dialog instead of a terminal."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        logger.error("unexpected error", exc_info=(kind, error, trace))
        window.problems.show(error)

    return show
