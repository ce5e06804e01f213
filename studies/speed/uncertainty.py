"""How long one waits for uncertainty: the first value, spots all over, all in view.

``python -m studies.speed.uncertainty PHOTOGRAPH...`` from the project's folder opens each
photograph in the window, waits for the enlargement in view, turns the layer on, and prints seconds:
on the clock and, in brackets, of all processors together, which tell more on a busy machine. At the
zoom that shows all of the photograph, and at others. ``--whole`` is what it takes to compute the
map of all of the photograph at once, as the command line does; it may take many minutes."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.core.settings import Settings
from retina_viewer.imaging.readers import open_image
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.methods import make_enhancer
from retina_viewer.superres.uncertainty import needs_twin, uncertainty_map
from retina_viewer.ui.app import make_window
from retina_viewer.ui.application import make_application, wait_until
from retina_viewer.ui.view.sight import is_tile
from retina_viewer.ui.window import Window
from tests.ui.stalls import StallWatch

MODEL: Final = "saliency-gan-fast"
SCALE: Final = 4


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photographs", nargs="+", type=Path)
    parser.add_argument("--zooms", nargs="*", type=float, default=[1.0, 4.0])
    parser.add_argument("--limit", type=float, default=120.0, help="seconds to wait for a view")
    parser.add_argument("--whole", action="store_true", help="also of the whole, at once")
    options = parser.parse_args()
    print_line(
        "photograph, zoom", "first value", "spots", "all in view", "stall, clock", "stall, thread"
    )
    for path in options.photographs:
        for zoom in (None, *options.zooms):
            print_line(*_one_view(path, zoom, options.limit))
        if options.whole:
            print_line(f"{path.name}, whole map", "", "", f"{_whole(path)}")


def _one_view(path: Path, zoom: float | None, limit: float) -> tuple[str, ...]:
    settings = Settings(method="saliency-gan", model=MODEL, scale=SCALE)
    window = make_window(make_application(), settings)
    window.resize(1600, 1000)
    window.show()
    window.open([path])
    view = window.view
    wait_until(lambda: view.photo is not None)
    if zoom is not None:
        window.controller.zoom_to(zoom)
    wait_until(lambda: view.sharp >= 1 and not window.jobs.active, 10 * limit)
    begun = _Moment.now()
    arrivals: list[tuple[_Moment, Rect]] = []
    view.uncertainty.tile_ready.connect(
        lambda rect: arrivals.append((_Moment.now().since(begun), rect))
    )
    watch = StallWatch()
    window.controller.toggle_uncertainty()
    with suppress(UserError):
        wait_until(lambda: _share(window) >= 1, limit)
    gaps, share, shown = watch.stop(), _share(window), view.picture.camera.zoom
    window.close()
    spots = [when for when, rect in arrivals if not is_tile(rect)]
    last = arrivals[-1][0] if arrivals else _Moment(math.nan, math.nan)
    return (
        f"{path.name}, {shown:.0%}",
        f"{arrivals[0][0]}" if arrivals else "none",
        f"{len(spots)} in {spots[-1]}" if spots else "none",
        f"{last}" if share >= 1 else f"{share:.0%} in {last}",
        f"{max(gaps.wall):.0f} ms",
        f"{max(gaps.processor):.0f} ms",
    )


@dataclass(frozen=True)
class _Moment:
    """Seconds on the clock, and of all processors."""

    clock: float
    processors: float

    @classmethod
    def now(cls) -> _Moment:
        return cls(time.monotonic(), time.process_time())

    def since(self, other: _Moment) -> _Moment:
        return _Moment(self.clock - other.clock, self.processors - other.processors)

    def __str__(self) -> str:
        return f"{self.clock:.1f} ({self.processors:.1f}) s"


def _share(window: Window) -> float:
    summary = window.view.picture.result.uncertainty
    return 0.0 if summary is None else summary.share


def _whole(path: Path) -> _Moment:
    image = open_image(path)
    image.field_of_view  # noqa: B018 (not part of the map's time)
    begun = _Moment.now()
    settings = EnhanceSettings("saliency-gan", SCALE, model=MODEL)
    enhancer = make_enhancer(settings).fitted_to(image.unit_rgb())
    twin = make_enhancer(replace(settings, fidelity=1.0)).fitted_to(image.unit_rgb())
    uncertainty_map(image, enhancer, image.bounds, other=twin if needs_twin(enhancer) else None)
    return _Moment.now().since(begun)


def print_line(first: str, *rest: str) -> None:
    """A row of the table."""
    sys.stdout.write(f"{first:34}" + "".join(f"{text:>24}" for text in rest) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
