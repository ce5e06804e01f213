"""Measures results against a reference, in the background, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress, part_of
from retina_viewer.networks.devices import resolve_device
from retina_viewer.quality.lpips import LPIPS, LPIPSReference, fastest_lpips
from retina_viewer.quality.metrics import Bytes, luminance_studio, psnr, ssim
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.tiles import enhanced_whole, quantised
from retina_viewer.ui.comparison.reference import GroundTruth
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.enhancer_cache import EnhancerCache, enhance_part

KEY = "comparison figures"
LARGEST = 24_000_000
"""Result pixels: more are not measured beside other work."""
LEAST_SIDE = 16
"""Result pixels; LPIPS' coarsest maps need as many."""
LEAST_INSIDE = 256
"""Pixels inside the field of view; of fewer no figure is worth showing."""
NAMES = ("PSNR", "SSIM", "LPIPS")
HINTS = (
    "Peak signal to noise ratio of luminance: more is closer to the reference.",
    "Structural similarity of luminance, 0 to 1: more is closer to the reference.",
    "Distance in the features of VGG-16: less looks more like the reference.",
)
_Wanted = tuple[EnhanceSettings, Rect]


@dataclass(frozen=True)
class Figures:
    """PSNR (dB) and SSIM of luminance, and LPIPS-VGG; see :mod:`retina_viewer.quality`."""

    psnr: float
    ssim: float
    lpips: float

    @property
    def texts(self) -> tuple[str, str, str]:
        """For a table: ``34.12 dB``, ``0.912``, ``0.183``."""
        decibels = "identical" if np.isinf(self.psnr) else f"{self.psnr:.2f} dB"
        return decibels, f"{self.ssim:.3f}", f"{self.lpips:.3f}"


def best_of(figures: Sequence[Figures | None]) -> tuple[set[int], set[int], set[int]]:
    """For PSNR, SSIM and LPIPS the places of those that are best as they are shown; none where
    fewer than two are known or all are alike."""
    best: list[set[int]] = []
    known = {place: one for place, one in enumerate(figures) if one is not None}
    for column, sign in enumerate((1, 1, -1)):
        values = {p: sign * (f.psnr, f.ssim, f.lpips)[column] for p, f in known.items()}
        texts = {place: one.texts[column] for place, one in known.items()}
        top = texts[max(values, key=values.__getitem__)] if len(set(texts.values())) > 1 else ""
        best.append({place for place, text in texts.items() if text == top})
    return best[0], best[1], best[2]


def why_not(truth: GroundTruth, region: Rect) -> str:
    """Why a region (source pixels) is not measured; empty where it is."""
    part = region.scaled(truth.scale)
    if part.area > LARGEST:
        return "too large to measure"
    if min(part.width, part.height) < LEAST_SIDE:
        return "not in the field of view"
    inside = int(truth.mask[part.slices()].sum())
    return "" if inside >= LEAST_INSIDE else "not in the field of view"


class _Yardstick:
    """The truth's part in a measurable region, with all that is computed of it alone."""

    def __init__(self, truth: GroundTruth, region: Rect, network: LPIPS) -> None:
        part = region.scaled(truth.scale).slices()
        rgb8 = np.ascontiguousarray(truth.rgb8[part])
        self._mask: NDArray[np.bool_] = truth.mask[part]  # (h * scale, w * scale)
        self._luminance = luminance_studio(rgb8)  # the same shape, 16 to 235
        self._features = LPIPSReference(network, rgb8)

    def figures(self, result: Bytes) -> Figures:
        """Of a result, ``(h * scale, w * scale, 3)`` uint8 sRGB, inside the field of view."""
        truth, own, mask = self._luminance, luminance_studio(result), self._mask
        lpips = self._features.distance(result, mask)
        return Figures(psnr(truth, own, mask), ssim(truth, own, mask), lpips)


class Measuring(QObject):
    """Keeps the figures of what is shown coming: what is in view first, then the whole field."""

    changed = Signal()
    """More figures are known."""

    def __init__(
        self, services: Services, jobs: Jobs, enhancers: EnhancerCache, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._services, self._jobs, self._enhancers = services, jobs, enhancers
        self._truth: GroundTruth | None = None
        self._figures: dict[_Wanted, Figures] = {}
        self._failed: set[_Wanted] = set()
        self._wholes: dict[EnhanceSettings, Bytes] = {}
        self._wanted: list[_Wanted] = []
        self._network: LPIPS | None = None
        self._yardsticks: dict[tuple[GroundTruth, Rect], _Yardstick] = {}

    def show(
        self, truth: GroundTruth | None, results: Sequence[EnhanceSettings], region: Rect
    ) -> None:
        """Say what is on the screen.

        Args:
            truth: None to measure nothing. Another one drops all figures.
            results: at the scale of the truth.
            region: what is in view of them, in source pixels.
        """
        if truth is not self._truth:
            self.end()
            self._truth = truth
            self._figures.clear()
            self._failed.clear()
        wanted: list[_Wanted] = []
        if truth is not None:
            regions = dict.fromkeys((region, truth.photo.bounds))
            measured = [one for one in regions if not why_not(truth, one)]
            wanted = [(settings, one) for one in measured for settings in results]
        if wanted != self._wanted:
            self._jobs.cancel(KEY)
            self._wanted = wanted
        self._wholes = {key: one for key, one in self._wholes.items() if key in results}
        self._next()

    def end(self) -> None:
        """Measure nothing any more, and forget what takes much memory."""
        self._jobs.cancel(KEY)
        self._wanted = []
        self._wholes.clear()
        self._yardsticks.clear()

    def retry(self) -> None:
        """Try again what has failed, when it is next shown."""
        self._failed.clear()

    def figures(
        self, truth: GroundTruth | None, settings: EnhanceSettings, region: Rect
    ) -> Figures | None:
        """What is known of a result; None as long as it is not, or not by this truth."""
        return self._figures.get((settings, region)) if truth is self._truth else None

    def has_failed(self, truth: GroundTruth, settings: EnhanceSettings, region: Rect) -> bool:
        return truth is self._truth and (settings, region) in self._failed

    def _next(self) -> None:
        truth = self._truth
        if truth is None or self._jobs.is_active(KEY):
            return
        for wanted in self._wanted:
            if wanted not in self._figures and wanted not in self._failed:
                self._measure(truth, *wanted)
                return

    def _measure(self, truth: GroundTruth, settings: EnhanceSettings, region: Rect) -> None:
        whole, is_whole = self._wholes.get(settings), region == truth.photo.bounds

        def work(progress: Progress) -> tuple[Figures, Bytes]:
            if whole is not None:
                result = np.ascontiguousarray(whole[region.scaled(truth.scale).slices()])
            else:
                result = self._result(truth, settings, region, part_of(progress, 0.0, 0.7))
            progress(0.7, "")
            return self._yardstick(truth, region, settings.device).figures(result), result

        def done(found: tuple[Figures, Bytes]) -> None:
            self._figures[settings, region], result = found
            if is_whole:
                self._wholes[settings] = result
            self.changed.emit()
            self._next()

        def failed(error: Exception) -> None:
            self._failed.add((settings, region))  # the log has why, and mostly the pane as well
            self.changed.emit()
            self._next()

        title = f"figures, {'whole field' if is_whole else 'part in view'}"
        self._jobs.submit(KEY, work, done, failed=failed, title=title, lane=Lane.LONG)

    # In the worker thread.

    def _result(
        self, truth: GroundTruth, settings: EnhanceSettings, region: Rect, progress: Progress
    ) -> Bytes:
        """``(h * scale, w * scale, 3)`` uint8 sRGB, as the tiles of the panes are."""
        photo = truth.photo
        progress(0.0, "")
        enhancer = self._enhancers.fitted(photo, settings)
        if region == photo.bounds:
            rgb = photo.image.unit_rgb()
            pixels = enhanced_whole(enhancer, rgb, np.dtype(np.uint8), progress=progress)
        else:
            pixels = quantised(enhance_part(enhancer, photo.image, region), np.dtype(np.uint8))
        return self._services.to_screen(pixels, photo.image)

    def _yardstick(self, truth: GroundTruth, region: Rect, device: str) -> _Yardstick:
        """The region's, kept for the other results; with it only the whole field's is kept."""
        if (truth, region) not in self._yardsticks:
            if self._network is None:
                self._network = fastest_lpips(resolve_device(device))
            whole = (truth, truth.photo.bounds)
            kept = {key: one for key, one in self._yardsticks.items() if key == whole}
            made = _Yardstick(truth, region, self._network)
            self._yardsticks = kept | {(truth, region): made}
        return self._yardsticks[truth, region]
