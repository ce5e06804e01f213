"""Vessel segmentation of a photograph of any size, by the U-Net at its own working resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.circles import Circle
from retina_viewer.imaging.field_of_view import FieldOfView
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.provenance import Provenance
from retina_viewer.imaging.writers import write_image, write_sidecar
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.store import find_model, load_network
from retina_viewer.networks.devices import device_name, resolve_device
from retina_viewer.vessels.preprocess import has_contrast, local_contrast

_LEAST_FIELD = 60.0  # px across the field of view; below it, no vessel is left to see
_MARGIN = 0.2  # of its radius, around a field: the network knows the dark there
_MOST_FIELDS = 4  # at the full working size; more share its pixels, so that time is bounded


@dataclass(frozen=True, eq=False)
class VesselMap:
    """Where the network sees vessels, at the photograph's own size.

    Attributes:
        probability: ``(H, W)`` float32 in [0, 1]; 0 outside the field of view.
        mask: ``(H, W)`` bool, ``probability >= threshold``, inside the field of view.
        share: of the field of view that is vessel, 0 to 1.
    """

    probability: NDArray[np.float32]
    mask: NDArray[np.bool_]
    share: float
    threshold: float
    model: str
    model_sha256: str
    device: str


class VesselSegmenter:
    """A vessel model on a device; reusable over many photographs."""

    def __init__(self, card: ModelCard, device: torch.device) -> None:
        if card.task != "vessels" or card.threshold is None or card.field_diameter is None:
            raise UserError(f"The model {card.name!r} is not a vessel model.", "Choose another.")
        self.card, self.device = card, device
        self._threshold, self._diameter = card.threshold, float(card.field_diameter)
        network = load_network(card)
        self._network: nn.Module = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def segment(self, image: FundusImage, progress: Progress = no_progress) -> VesselMap:
        """The vessels of one photograph.

        Each field of view is brought to the working resolution by its diameter, so the result does
        not depend on how many pixels the camera has. The probability is the mean over the four
        flips (test-time augmentation). There is no vessel where there is no contrast, and none at
        all where no retina was found. Raises UserError: the field of view is too small, or the
        result is not finite.
        """
        progress(0.0, "finding vessels")
        field = image.field_of_view
        probability = self.probability(image.display_rgb, field, progress)
        mask = (probability >= self._threshold) & field.mask
        return VesselMap(
            probability=probability,
            mask=mask,
            share=float(mask[field.mask].mean()),
            threshold=self._threshold,
            model=self.card.name,
            model_sha256=self.card.weights_sha256,
            device=str(self.device),
        )

    def probability(
        self, rgb8: NDArray[np.uint8], field: FieldOfView, progress: Progress = no_progress
    ) -> NDArray[np.float32]:
        """``(H, W, 3)`` uint8 sRGB and its field of view to ``(H, W)`` float32 in [0, 1].

        Of several fields in one picture, those that are too small are left empty, unless all are.
        """
        result = np.zeros(field.mask.shape, np.float32)
        wide = [circle for circle in field.circles if 2 * circle.radius >= _LEAST_FIELD]
        if field.circles and not wide:
            raise UserError(
                f"The field of view is only {field.diameter:.0f} pixels wide.",
                f"Vessels need at least {_LEAST_FIELD:.0f}.",
            )
        across = self._diameter * min(1.0, math.sqrt(_MOST_FIELDS / max(1, len(wide))))
        for number, circle in enumerate(wide):
            own = _box_around(circle, field.mask, 0)
            box = _box_around(circle, field.mask, _MARGIN * circle.radius)
            part = part_of(progress, number / len(wide), (number + 1) / len(wide))
            factor = across / (2 * circle.radius)
            found = self._of_one(rgb8[box], field.mask[box], factor, across, part)
            rows, columns = own[0].start - box[0].start, own[1].start - box[1].start
            height, width = result[own].shape
            found = found[rows : rows + height, columns : columns + width]
            result[own] = np.maximum(result[own], found)
        if not np.isfinite(result).all():
            raise UserError(
                f"The model {self.card.name!r} gave values that are no numbers.",
                "Verify the model, or use another one.",
            )
        return result

    def _of_one(
        self,
        rgb8: NDArray[np.uint8],
        mask: NDArray[np.bool_],
        factor: float,
        across: float,
        progress: Progress,
    ) -> NDArray[np.float32]:
        """The probability of one field, ``factor`` times enlarged, ``across`` pixels wide then."""
        height, width = mask.shape
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        resized = np.asarray(cv2.resize(rgb8, size, interpolation=way), dtype=np.float32)
        rgb = resized / np.float32(255)
        inside = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        contrast = local_contrast(rgb, inside, across)
        tensor = torch.from_numpy(contrast).permute(2, 0, 1)[None].to(self.device)
        small = self._mean_over_flips(tensor, progress) * has_contrast(contrast, inside)
        full = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.where(mask, full, 0).astype(np.float32)

    @torch.inference_mode()
    def _mean_over_flips(self, contrast: Tensor, progress: Progress) -> NDArray[np.float32]:
        """``(1, 3, H, W)`` to ``(H, W)``: the mean probability over no, one and both flips."""
        flips: tuple[tuple[int, ...], ...] = ((), (2,), (3,), (2, 3))
        total = torch.zeros(contrast.shape[-2:], device=self.device)
        for number, flip in enumerate(flips):
            turned = contrast.flip(flip).contiguous(memory_format=torch.channels_last)
            probability = torch.sigmoid(self._network(turned)).flip(flip)
            total += probability[0, 0]
            progress((number + 1) / len(flips), "finding vessels")
        mean: NDArray[np.float32] = (total / len(flips)).cpu().numpy()
        return mean


def _box_around(circle: Circle, mask: NDArray[np.bool_], margin: float) -> tuple[slice, slice]:
    """The rows and columns of a picture that a field's circle and a margin around it reach."""
    reach = circle.radius + margin
    left, top = math.floor(circle.x - reach), math.floor(circle.y - reach)
    side = math.ceil(2 * reach) + 1
    height, width = mask.shape
    return Rect(left, top, side, side).intersected(Rect(0, 0, width, height)).slices()


def load_segmenter(model: str | None = None, device: str = "auto") -> VesselSegmenter:
    """A vessel model by name (None: the default), ready on a device. Raises UserError: no such
    model or device, or a model of another task.
    """
    card = find_model(model or default_model("vessels"))
    return VesselSegmenter(card, resolve_device(device))


def segment_vessels(
    image: FundusImage,
    *,
    model: str | None = None,
    device: str = "auto",
    progress: Progress = no_progress,
) -> VesselMap:
    """Where the vessels of a photograph are; see :meth:`VesselSegmenter.segment`."""
    return load_segmenter(model, device).segment(image, progress)


def export_vessels(
    image: FundusImage, found: VesselMap, mask_path: Path, probability_path: Path
) -> Provenance:
    """Write the vessels of a photograph, both files in the photograph's size. Returns what was
    written into both files and beside the mask. Raises UserError: a name is taken or cannot be
    written.

    Args:
        mask_path: ``.png``, 8-bit grey: 255 where a vessel is, else 0.
        probability_path: ``.png``, 8-bit grey: 0 to 255 for a probability of 0 to 1.
    """
    provenance = Provenance(
        kind="vessels",
        method=f"vessel segmentation, threshold {found.threshold:g}",
        model=found.model,
        model_sha256=found.model_sha256,
        device=device_name(found.device),
        **image.as_source(),
    )
    write_image(mask_path, found.mask.astype(np.uint8) * np.uint8(255), provenance=provenance)
    grey = np.rint(found.probability * np.float32(255)).astype(np.uint8)
    write_image(probability_path, grey, provenance=provenance)
    write_sidecar(mask_path, provenance)
    return provenance
