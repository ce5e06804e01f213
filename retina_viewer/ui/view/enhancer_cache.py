"""Enhancers that are ready, and what they made: shared by tiles, layers and comparisons."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress
from retina_viewer.imaging.colour import to_srgb
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer, FloatImage
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.tile_requests import TileKey, TileRequest
from retina_viewer.ui.services import Services

RAW_BYTES = 384 * 2**20
ENHANCERS_KEPT = 12
"""Each holds the weights of its networks, some megabytes."""


class EnhancerCache:
    """Enhancers and their raw results, so that a change of tone computes nothing twice.

    Used in worker threads.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._enhancers: OrderedDict[tuple[str, EnhanceSettings], Enhancer] = OrderedDict()
        self._results: dict[tuple[object, ...], NDArray[np.uint8]] = {}
        self._bytes = 0

    def fitted(self, photo: Photo, settings: EnhanceSettings) -> Enhancer:
        """The enhancer, fitted to the photograph; slow the first time."""
        key = (photo.key, settings)
        with self._lock:
            found = self._enhancers.get(key)
            if found is None:
                found = self._services.make_enhancer(settings)
                # Interpolation assumes nothing of the photograph.
                if settings.model or found.model or found.whole_image_only:
                    found = found.fitted_to(photo.image.unit_rgb())
                self._enhancers[key] = found
            self._enhancers.move_to_end(key)
            while len(self._enhancers) > ENHANCERS_KEPT:
                self._enhancers.popitem(last=False)
            return found

    def fitted_if_ready(self, photo: Photo, settings: EnhanceSettings) -> Enhancer | None:
        """The same where it is there already, without waiting: for the GUI thread."""
        return self._enhancers.get((photo.key, settings))

    def tile(self, photo: Photo, key: TileKey, progress: Progress) -> Pyramid:
        """The tile, toned, ready to be drawn."""
        progress(0.0, "")
        result = self._result(photo, key)
        progress(0.9, "")
        request, rect = key.request, key.rect
        tone_map = photo.toned(request.tone).tone_map
        return Pyramid.from_rgb(tone_map.apply(result, x=rect.x, y=rect.y, scale=request.scale))

    def _result(self, photo: Photo, key: TileKey) -> NDArray[np.uint8]:
        """``(h * scale, w * scale, 3)`` uint8 sRGB."""
        request = key.request
        untoned = _untoned(request, key.rect)
        found = self._results.get(untoned)
        if found is not None:
            return found
        enhancer = self.fitted(photo, request.settings)
        unit = enhance_part(enhancer, photo.image, key.rect)
        pixels = (unit * np.float32(255) + np.float32(0.5)).astype(np.uint8)
        result = to_srgb(pixels, photo.image.icc_profile)
        self._remember(untoned, result)
        return result

    def finished(self, request: TileRequest, rect: Rect) -> NDArray[np.uint8] | None:
        """The result's pixels in colour, whatever the request's tone; None where not computed.

        Does not wait: for any thread.
        """
        return self._results.get(_untoned(request, rect))

    def _remember(self, key: tuple[object, ...], result: NDArray[np.uint8]) -> None:
        self._results[key] = result
        self._bytes += result.nbytes
        while self._bytes > RAW_BYTES:
            oldest = next(iter(self._results))
            self._bytes -= self._results.pop(oldest).nbytes


def _untoned(request: TileRequest, rect: Rect) -> tuple[object, ...]:
    return (request.photo, request.settings, rect)


def enhance_part(enhancer: Enhancer, image: FundusImage, rect: Rect) -> FloatImage:
    """A region of the result, converting no more of the photograph than the method looks at."""
    if enhancer.whole_image_only:
        return enhancer.enhance_region(image.unit_rgb(), rect)
    seen = rect.expanded(enhancer.margin).intersected(image.bounds)
    inside = Rect(rect.x - seen.x, rect.y - seen.y, rect.width, rect.height)
    return enhancer.enhance_region(image.unit_rgb(seen), inside)
