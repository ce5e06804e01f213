"""Starting the window: on the screen, or rendered to a picture where there is none."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

# Before Qt: on Windows, torch's libraries do not load into a process that has loaded Qt's.
import torch  # noqa: F401
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

# What the first photograph needs, imported before the window is there: an import in a worker thread
# holds Python's lock, and the window would stand still.
import retina_viewer.imaging.readers
import retina_viewer.superres.cascade  # noqa: F401
from retina_viewer.core.errors import UserError
from retina_viewer.core.settings import Settings, load_settings, save_settings
from retina_viewer.ui.application import (
    closing_on_signals,
    has_display,
    make_application,
    refuse_without_libraries,
    wait_until,
)
from retina_viewer.ui.canvas.scene import LayerName
from retina_viewer.ui.services import Services, project_services
from retina_viewer.ui.start import Start, remember
from retina_viewer.ui.theme import apply_theme
from retina_viewer.ui.window import Window

logger = logging.getLogger(__name__)


def run(files: Sequence[Path], start: Start) -> int:
    """Open the window, with these photographs or folders, until it is closed. Returns the process's
    exit code. Raises UserError: there is no display, or the method or model is not installed.
    """
    if not has_display():
        raise UserError(
            "There is no display to open the window on.",
            "Use the command line: retina-view --help.",
        )
    refuse_without_libraries()
    application = make_application()
    settings, services = load_settings(), project_services()
    start.put_into(settings, services.catalogue())
    window = make_window(application, settings, services)
    window.show()
    window.training.trainings.look_for_runs()
    sys.excepthook = _hook(window)
    if files:
        QTimer.singleShot(0, lambda: window.open(files))
    with closing_on_signals():
        code = application.exec()
    sys.excepthook = sys.__excepthook__
    remember(settings, window.view)
    window.jobs.close()
    try:
        save_settings(settings)
    except UserError:
        logger.warning("the settings were not saved")  # nothing that the person made is lost
    return int(code)


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
