"""The figures of a result against its reference, and the words for them. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.quality.lpips import LPIPS, LPIPSReference
from retina_viewer.quality.metrics import luminance_studio, psnr, ssim
from retina_viewer.ui.comparison.reference import Reference

Bytes = NDArray[np.uint8]
LEAST_SIDE = 16
"""Result pixels; LPIPS' coarsest maps need as many."""
LEAST_INSIDE = 256
"""Pixels inside the field of view; of fewer no figure is worth showing."""


@dataclass(frozen=True)
class Figures:
    """PSNR (dB) and SSIM of luminance, and LPIPS-VGG; see :mod:`retina_viewer.evaluation`."""

    psnr: float
    ssim: float
    lpips: float

    @property
    def texts(self) -> tuple[str, str, str]:
        """For a table: ``34.12 dB``, ``0.912``, ``0.183``."""
        decibels = "identical" if np.isinf(self.psnr) else f"{self.psnr:.2f} dB"
        return decibels, f"{self.ssim:.3f}", f"{self.lpips:.3f}"


NAMES = ("PSNR", "SSIM", "LPIPS")
HINTS = (
    "Peak signal to noise ratio of luminance: more is closer to the reference.",
    "Structural similarity of luminance, 0 to 1: more is closer to the reference.",
    "Distance in the features of VGG-16: less looks more like the reference.",
)


def is_measurable(reference: Reference, region: Rect) -> bool:
    """Whether enough of a region (source pixels) lies inside the field of view."""
    part = region.scaled(reference.scale)
    if min(part.width, part.height) < LEAST_SIDE:
        return False
    return int(reference.mask[part.slices()].sum()) >= LEAST_INSIDE


@dataclass(frozen=True, eq=False)
class Yardstick:
    """The reference's part in a region, with all that is computed of it alone.

    Attributes:
        mask: the field of view, ``(h * scale, w * scale)`` bool.
        luminance: ``(h * scale, w * scale)`` float64, 16 to 235.
        features: what LPIPS compares.
    """

    mask: NDArray[np.bool_]
    luminance: NDArray[np.float64]
    features: LPIPSReference

    @classmethod
    def of(cls, reference: Reference, region: Rect, network: LPIPS) -> Yardstick:
        """For a measurable region, in source pixels."""
        part = region.scaled(reference.scale).slices()
        rgb8 = np.ascontiguousarray(reference.rgb8[part])
        features = LPIPSReference(network, rgb8)
        return cls(reference.mask[part], luminance_studio(rgb8), features)


def figures_of(yardstick: Yardstick, result: Bytes) -> Figures:
    """Measure a result inside the field of view.

    Args:
        result: of the yardstick's region, ``(h * scale, w * scale, 3)`` uint8 sRGB.
    """
    truth, mask = yardstick.luminance, yardstick.mask
    own = luminance_studio(result)
    lpips = yardstick.features.distance(result, mask)
    return Figures(psnr(truth, own, mask), ssim(truth, own, mask), lpips)


def best_of(figures: Sequence[Figures | None]) -> tuple[set[int], set[int], set[int]]:
    """For PSNR, SSIM and LPIPS the places of those that are best as they are shown; none where
    fewer than two are known or all are alike."""
    best: list[set[int]] = []
    for column, sign in enumerate((1, 1, -1)):
        values = {
            place: sign * (one.psnr, one.ssim, one.lpips)[column]
            for place, one in enumerate(figures)
            if one is not None
        }
        texts = {place: one.texts[column] for place, one in enumerate(figures) if one is not None}
        if len(set(texts.values())) < 2:
            best.append(set())
            continue
        top = texts[max(values, key=lambda place: values[place])]
        best.append({place for place, text in texts.items() if text == top})
    return best[0], best[1], best[2]
