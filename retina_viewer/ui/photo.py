"""A photograph as the window holds it. Made and toned in worker threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Chip, Source
from retina_viewer.ui.display_tone import ToneMap
from retina_viewer.ui.view_state import Tone


def origin_chips(image: FundusImage, *, smoothed: bool, detail: str = "") -> tuple[Chip, ...]:
    """What a pane that shows the photograph itself calls its pixels.

    Args:
        smoothed: whether the screen enlarges it: also the original then shows more than the camera
            recorded.
        detail: what else is said of it, such as its size.
    """
    text = f"{image.label} {detail}".strip()
    chip = Chip(f"{text}, smoothed" if smoothed else text, _source(image))
    return (chip, *damage_chips(image))


def inherited_chips(image: FundusImage) -> tuple[Chip, ...]:
    """What a result takes over from its source: that it was made already, that it is damaged."""
    if image.made_by is None:
        return damage_chips(image)
    return (Chip(f"OF {image.label}", _source(image)), *damage_chips(image))


def damage_chips(image: FundusImage) -> tuple[Chip, ...]:
    return (Chip("DAMAGED FILE", Source.DAMAGED),) if image.damage else ()


def _source(image: FundusImage) -> Source:
    if image.made_by is None:
        return Source.CAMERA
    return Source.NETWORK if image.made_by.is_ai else Source.INTERPOLATED


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
