"""Measures what the panes show against a reference, in the background, one result at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress, part_of
from retina_viewer.networks.devices import resolve_device
from retina_viewer.quality.lpips import LPIPS, fastest_lpips
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.tiles import enhanced_whole, quantised
from retina_viewer.ui.comparison.figures import Figures, Yardstick, figures_of, is_measurable
from retina_viewer.ui.comparison.reference import Reference
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.enhancer_cache import EnhancerShelf, enhance_part

Bytes = NDArray[np.uint8]
LARGEST_WHOLE = 24_000_000
"""Result pixels: the whole field of larger results is left to ``retina-viewer evaluate``."""
_Wanted = tuple[EnhanceSettings, Rect]


class Measuring(QObject):
    """Keeps the figures of what is shown coming: what is in view first, then the whole field.

    Args:
        shelf: the window's, with the enhancers.
        key: of its background job.
    """

    changed = Signal()
    """More figures are known."""

    def __init__(
        self, services: Services, jobs: Jobs, shelf: EnhancerShelf, key: str, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._services, self._jobs, self._shelf, self._key = services, jobs, shelf, key
        self._reference: Reference | None = None
        self._figures: dict[_Wanted, Figures] = {}
        self._failed: set[_Wanted] = set()
        self._wholes: dict[EnhanceSettings, Bytes] = {}
        self._wanted: list[_Wanted] = []
        self._network: LPIPS | None = None
        self._yardsticks: dict[tuple[Reference, Rect], Yardstick] = {}

    def show(
        self, reference: Reference | None, makings: Sequence[EnhanceSettings], region: Rect
    ) -> None:
        """Say what is on the screen.

        Args:
            reference: None to measure nothing. Another one drops all figures.
            makings: of the panes, at the reference's scale.
            region: what they show, in source pixels.
        """
        if reference is not self._reference:
            self.end()
            self._reference = reference
            self._figures.clear()
            self._failed.clear()
        wanted: list[_Wanted] = []
        if reference is not None:
            small = region.area * reference.scale**2 <= LARGEST_WHOLE
            if small and is_measurable(reference, region):
                wanted = [(making, region) for making in makings]
            if has_whole(reference) and region != reference.photo.bounds:
                wanted += [(making, reference.photo.bounds) for making in makings]
        if wanted != self._wanted:
            self._jobs.cancel(self._key)
            self._wanted = wanted
        self._wholes = {key: one for key, one in self._wholes.items() if key in makings}
        self._next()

    def end(self) -> None:
        """Measure nothing any more, and forget what takes much memory."""
        self._jobs.cancel(self._key)
        self._wanted = []
        self._wholes.clear()
        self._yardsticks.clear()

    def retry(self) -> None:
        """Try again what has failed, when it is next shown."""
        self._failed.clear()

    def figures(
        self, reference: Reference | None, making: EnhanceSettings, region: Rect
    ) -> Figures | None:
        """What is known of a result; None as long as it is not, or not by this reference."""
        return self._figures.get((making, region)) if reference is self._reference else None

    def has_failed(
        self, reference: Reference | None, making: EnhanceSettings, region: Rect
    ) -> bool:
        return reference is self._reference and (making, region) in self._failed

    def _next(self) -> None:
        reference = self._reference
        if reference is None or self._jobs.is_active(self._key):
            return
        for making, region in self._wanted:
            known = (making, region) in self._figures or (making, region) in self._failed
            if not known:
                self._measure(reference, making, region)
                return

    def _measure(self, reference: Reference, making: EnhanceSettings, region: Rect) -> None:
        whole = self._wholes.get(making)

        def work(progress: Progress) -> tuple[Figures, Bytes]:
            if whole is not None:
                result = np.ascontiguousarray(whole[region.scaled(reference.scale).slices()])
            else:
                result = self._result(reference, making, region, part_of(progress, 0.0, 0.7))
            progress(0.7, "")
            yardstick = self._yardstick(reference, region, making.device)
            return figures_of(yardstick, result), result

        def done(found: tuple[Figures, Bytes]) -> None:
            self._figures[making, region], result = found
            if region == reference.photo.bounds:
                self._wholes[making] = result
            self.changed.emit()
            self._next()

        def failed(error: Exception) -> None:
            self._failed.add((making, region))  # the log has why, and mostly the pane as well
            self.changed.emit()
            self._next()

        what = "whole field" if region == reference.photo.bounds else "part in view"
        title = f"figures, {what}"
        self._jobs.submit(self._key, work, done, failed=failed, title=title, lane=Lane.LONG)

    # In the worker thread.

    def _result(
        self, reference: Reference, making: EnhanceSettings, region: Rect, progress: Progress
    ) -> Bytes:
        """``(h * scale, w * scale, 3)`` uint8 sRGB, as the tiles of the panes are."""
        photo = reference.photo
        progress(0.0, "")
        enhancer = self._shelf.fitted(photo, making)
        if region == photo.bounds:
            rgb = photo.image.unit_rgb()
            pixels = enhanced_whole(enhancer, rgb, np.dtype(np.uint8), progress=progress)
        else:
            pixels = quantised(enhance_part(enhancer, photo.image, region), np.dtype(np.uint8))
        return self._services.to_screen(pixels, photo.image)

    def _yardstick(self, reference: Reference, region: Rect, device: str) -> Yardstick:
        """The region's, kept for the other methods; with it only the whole field's is kept."""
        if (reference, region) not in self._yardsticks:
            whole = (reference, reference.photo.bounds)
            kept = {key: one for key, one in self._yardsticks.items() if key == whole}
            self._yardsticks = kept | {
                (reference, region): Yardstick.of(reference, region, self._lpips(device))
            }
        return self._yardsticks[reference, region]

    def _lpips(self, device: str) -> LPIPS:
        if self._network is None:
            self._network = fastest_lpips(resolve_device(device))
        return self._network


def has_whole(reference: Reference) -> bool:
    """Whether results of the whole field are small enough to be measured beside other work."""
    return reference.photo.bounds.area * reference.scale**2 <= LARGEST_WHOLE
