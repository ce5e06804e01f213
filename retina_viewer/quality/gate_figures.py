"""What the acceptance gate measures of one result."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.field_of_view import FieldOfView, find_field_of_view
from retina_viewer.quality.candidates import Candidate
from retina_viewer.quality.colour_drift import colour_drift
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.lpips import LPIPSReference, fastest_lpips
from retina_viewer.quality.metrics import Mask, auc, dice, luminance_studio, psnr, ssim
from retina_viewer.quality.protocols import (
    Condition,
    Truth,
    field_of_view_mask,
    small_image,
)
from retina_viewer.quality.scenes import Scene, Scenes
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.tiles import enhanced_whole
from retina_viewer.vessels.segment import VesselSegmenter, load_segmenter

Measuring = Callable[[Progress], dict[str, float]]
_NARROWEST = 96.0
"""Pixels across the field of view; in less there are too few vessels to agree on."""
_HIGHEST_PSNR = 100.0  # of equal images it is infinite, which neither averages nor JSON know


@dataclass
class _Seen:
    """What is computed of a truth alone, for all its results."""

    truth: Truth
    looks: LPIPSReference
    field: FieldOfView
    vessels: Mask | None


class SuperresFigures:
    """Measures results of super-resolution on one device.

    The figures are ``psnr`` and ``ssim`` of luminance, ``lpips``, ``vessel_dice``: how far the
    shipped vessel model finds in the result what it finds in the truth; ``consistency``: root mean
    squared difference, in grey levels, of the result shrunk again to the photograph; ``drift``:
    CIEDE2000 of the low-passed images. All inside the field of view.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._lpips = fastest_lpips(device)
        self._segmenter: VesselSegmenter | None = None
        self._seen: _Seen | None = None

    def measuring(self, model: Candidate, scenes: Scenes, condition: Condition) -> Measuring:
        """The measurement of one result, to be made later.

        It gives no figures where the photograph is too small for the scale.
        """

        def measure(progress: Progress) -> dict[str, float]:
            scene = scenes.scene(condition)
            if not scene.mask.any():
                return {}
            return self.figures(model.enhancer(condition.scale), scene, condition, progress)

        return measure

    def figures(
        self, enhancer: Enhancer, scene: Scene, condition: Condition, progress: Progress
    ) -> dict[str, float]:
        """Fit the enhancer to the small image, enlarge it, and measure."""
        unit = scene.small.astype(np.float32) / np.float32(255)
        fitted = enhancer.fitted_to(unit)
        making = part_of(progress, 0.05, 0.5)
        made = enhanced_whole(fitted, unit, np.dtype(np.uint8), progress=making)
        result = np.asarray(made, np.uint8)
        y, z = luminance_studio(scene.truth.rgb8), luminance_studio(result)
        found = {
            "psnr": min(_HIGHEST_PSNR, psnr(y, z, scene.mask)),
            "ssim": ssim(y, z, scene.mask),
            "consistency": _contradiction(result, scene, condition),
            "drift": colour_drift(scene.truth.rgb8, result, condition.scale, scene.mask),
        }
        progress(0.6, "comparing what is seen")
        seen = self._of(scene.truth)
        found["lpips"] = seen.looks.distance(result, scene.mask)
        if seen.vessels is not None:
            vessels = self._vessels(result, seen.field, part_of(progress, 0.8, 1.0))
            found["vessel_dice"] = dice(vessels, seen.vessels, scene.mask)
        return found

    def _of(self, truth: Truth) -> _Seen:
        if self._seen is None or self._seen.truth is not truth:
            field = find_field_of_view(truth.rgb8)
            wide = field.diameter >= _NARROWEST
            vessels = self._vessels(truth.rgb8, field, no_progress) if wide else None
            self._seen = _Seen(truth, LPIPSReference.of(self._lpips, truth.rgb8), field, vessels)
        return self._seen

    def _vessels(self, rgb8: NDArray[np.uint8], field: FieldOfView, progress: Progress) -> Mask:
        if self._segmenter is None:
            self._segmenter = load_segmenter(None, str(self._device))
        return vessels_in(self._segmenter.probability(rgb8, field, progress), self._segmenter)


def vessels_in(probability: NDArray[np.float32], segmenter: VesselSegmenter) -> Mask:
    """The mask at the threshold of the segmenter's card."""
    threshold = segmenter.card.threshold
    assert threshold is not None  # a segmenter is made of no other card
    return np.asarray(probability >= threshold)


def _contradiction(result: NDArray[np.uint8], scene: Scene, condition: Condition) -> float:
    again = small_image(Truth(result, scene.truth.mask), condition)
    every = slice(condition.scale // 2, None, condition.scale)
    difference = again.astype(np.float64) - scene.small
    return float(np.sqrt(np.mean(difference[scene.mask[every, every]] ** 2)))


def vessel_figures_of(segmenter: VesselSegmenter, photograph: Photograph) -> Measuring:
    """Dice and AUC of one photograph against its drawn vessels, to be measured later.

    No AUC where the drawing has nothing inside the field of view.
    """

    def measure(progress: Progress) -> dict[str, float]:
        rgb8, truth = photograph.read_rgb(), photograph.read_vessels()
        if truth.shape != rgb8.shape[:2]:
            raise UserError(
                f"The vessel mask of {photograph.image.name} is not of the photograph's size."
            )
        inside = field_of_view_mask(photograph, rgb8)
        probability = segmenter.probability(rgb8, find_field_of_view(rgb8), progress)
        found = {"dice": dice(vessels_in(probability, segmenter), truth, inside)}
        if truth[inside].any() and not truth[inside].all():
            found["auc"] = auc(probability, truth, inside)
        return found

    return measure
