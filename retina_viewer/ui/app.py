"""Starting the window: on the screen, or rendered to a picture where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def run(files: Sequence[Path]) -> int:
    """Open the window, with these photographs or folders, until it is closed.

    Returns:
        The process's exit code.

    Raises:
        UserError: there is no display.
    """
    raise NotImplementedError


def render_window(
    image_path: Path,
    png: Path,
    *,
    method: str,
    scale: int,
    size: tuple[int, int] = (1600, 1000),
    pixel_ratio: float = 1.0,
    layers: Sequence[str] = ("saliency", "vessels"),
) -> None:
    """Render the window, without a display, with a photograph, its tiles and layers finished.

    Args:
        image_path: a photograph.
        png: the picture of the window to write; replaced if it exists.
        method, scale: the super-resolution to show.
        size: of the window, in logical pixels.
        pixel_ratio: device pixels per logical pixel; only the first window of a process sets it.
        layers: names of the layers that are on.

    Raises:
        UserError: the photograph cannot be read, or a part of the window's work failed.
    """
    raise NotImplementedError
