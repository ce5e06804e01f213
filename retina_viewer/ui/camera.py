"""Where a pane looks. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from retina_viewer.core.geometry import Rect


@dataclass(frozen=True)
class Camera:
    """Which part of the photograph a pane shows: a centre (source px) and a zoom."""

    x: float
    y: float
    zoom: float

    def visible(self, pane_width: float, pane_height: float, image: Rect) -> Rect:
        """The source pixels that a pane of this size (device px) shows, cut to the image."""
        half_width, half_height = pane_width / 2 / self.zoom, pane_height / 2 / self.zoom
        left, top = int(self.x - half_width) - 1, int(self.y - half_height) - 1
        right, bottom = int(self.x + half_width) + 2, int(self.y + half_height) + 2
        return Rect(left, top, right - left, bottom - top).intersected(image)
