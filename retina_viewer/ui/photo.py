"""A photograph as the window holds it. Made and toned in worker threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.display_tone import ToneMap
from retina_viewer.ui.view_state import Tone


@dataclass(frozen=True, eq=False)
class TonedPhoto:
    """The original in one tone: what is drawn, and how tiles are toned to match it."""

    tone: Tone
    pyramid: Pyramid
    tone_map: ToneMap


@dataclass(frozen=True, eq=False)
class Photo:
    """A photograph, its pixels, and the tones that were asked for."""

    image: FundusImage
    key: str
    _toned: dict[Tone, TonedPhoto] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def bounds(self) -> Rect:
        return self.image.bounds

    def toned(self, tone: Tone) -> TonedPhoto:
        """The photograph in a tone; slow the first time, so call it in a worker."""
        with self._lock:
            if tone not in self._toned:
                rgb = self.image.display_rgb
                tone_map = ToneMap(rgb, tone)
                pyramid = Pyramid.from_rgb(tone_map.apply(rgb))
                self._toned[tone] = TonedPhoto(tone, pyramid, tone_map)
            return self._toned[tone]

    def toned_if_ready(self, tone: Tone) -> TonedPhoto | None:
        """The same where it is there already, without waiting: for the GUI thread."""
        return self._toned.get(tone)

    def ready(self) -> list[TonedPhoto]:
        """The tones that are there already, the first made first."""
        return list(self._toned.values())

    def colour_at(self, x: float, y: float) -> tuple[int, int, int] | None:
        """The original's 8-bit sRGB under a source point; None off the photograph."""
        if not (0 <= x < self.bounds.width and 0 <= y < self.bounds.height):
            return None
        red, green, blue = self.image.display_rgb[int(y), int(x)].tolist()
        return red, green, blue
