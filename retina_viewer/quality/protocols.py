"""How a photograph becomes the truth that methods are measured against.

Two protocols, never mixed in one number:

- ``native``: the photograph as it is stored.
- ``paper``: the dark border is cropped and the rest resized to 1024 x 1024, as in the literature.
  Small photographs are enlarged by it and then hold little detail for a method to restore.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.degradation import Kernel, crop_to_multiple, degrade, to_8bit
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.quality.datasets import Photograph, read_mask
from retina_viewer.quality.metrics import Mask, evaluation_mask

Protocol = Literal["native", "paper"]
PAPER_SIDE = 1024
KERNELS: tuple[Kernel, ...] = ("gaussian", "bicubic")
"""Those that photographs are shrunk with, to judge and to calibrate."""


@dataclass(frozen=True, order=True)
class Condition:
    """One way to make the small image."""

    protocol: Protocol
    kernel: Kernel
    scale: int

    def __str__(self) -> str:
        return f"{self.protocol}, {self.kernel}, x{self.scale}"


@dataclass(frozen=True, eq=False)
class Truth:
    """``rgb8 (H, W, 3)`` uint8 and its field of view ``mask (H, W)`` bool."""

    rgb8: NDArray[np.uint8]
    mask: NDArray[np.bool_]

    def cropped(self, scale: int) -> Truth:
        """Cut at the bottom and right so that the scale divides both sides."""
        return Truth(crop_to_multiple(self.rgb8, scale), crop_to_multiple(self.mask, scale))


def field_of_view_mask(photograph: Photograph, rgb8: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The set's own mask, or the one found in the photograph, ``(H, W)`` bool."""
    if photograph.fov is not None:
        mask = read_mask(photograph.fov)
        if mask.shape != rgb8.shape[:2]:
            raise ValueError(f"the mask of {photograph.name} is not of the photograph's size")
        return mask
    return find_field_of_view(rgb8).mask


def prepare(photograph: Photograph, protocol: Protocol) -> Truth:
    """The photograph as the protocol wants it."""
    rgb8 = photograph.read_rgb()
    truth = Truth(rgb8, field_of_view_mask(photograph, rgb8))
    return truth if protocol == "native" else _at_paper_size(truth)


def _at_paper_size(truth: Truth) -> Truth:
    rows, columns = (np.flatnonzero(truth.mask.any(axis=axis)) for axis in (1, 0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    rgb8, mask = truth.rgb8[box], truth.mask[box].astype(np.uint8)
    size = (PAPER_SIDE, PAPER_SIDE)
    shrinking = min(rgb8.shape[:2]) >= PAPER_SIDE
    resized = cv2.resize(rgb8, size, interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC)
    resized_mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
    return Truth(np.asarray(resized, np.uint8), np.asarray(resized_mask) > 0)


def small_image(truth: Truth, condition: Condition) -> NDArray[np.uint8]:
    """The degraded image that a method is given, ``(H // r, W // r, 3)`` uint8."""
    unit = truth.rgb8.astype(np.float32) / np.float32(255)
    return to_8bit(degrade(unit, condition.scale, condition.kernel))


def truth_of(photograph: Photograph, diameter: int | None) -> Truth:
    """The photograph, shrunk so that its field of view is ``diameter`` pixels wide.

    At its own size where None, and where it is smaller than that already.
    """
    truth = prepare(photograph, "native")
    width = int(np.ptp(np.flatnonzero(truth.mask.any(axis=0)))) + 1
    if diameter is None or width <= diameter:
        return truth
    factor = diameter / width
    size = (round(truth.rgb8.shape[1] * factor), round(truth.rgb8.shape[0] * factor))
    rgb8 = cv2.resize(truth.rgb8, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(truth.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return Truth(np.asarray(rgb8, np.uint8), np.asarray(mask) > 0)


@dataclass(frozen=True, eq=False)
class EvaluationPair:
    """One photograph under one condition."""

    truth: Truth  # cut so that the scale divides both sides
    small: NDArray[np.uint8]  # degraded, (H // r, W // r, 3)
    mask: Mask  # the truth's field of view, eroded, (H, W)

    @property
    def unit(self) -> NDArray[np.float32]:
        """``small`` as an enhancer takes it, ``(H // r, W // r, 3)`` float32 in [0, 1]."""
        return self.small.astype(np.float32) / np.float32(255)


@dataclass
class EvaluationPairs:
    """One photograph under many conditions; nothing is made before it is asked for.

    Conditions whose truths are of one size share one :class:`Truth`, so that what others compute
    of it can be kept. Memory is bounded: of the scenes only the last is kept.
    """

    photograph: Photograph
    diameter: int | None = None  # of the field of view it is shrunk to first; of native ones
    _truths: dict[Protocol, Truth] = field(default_factory=dict)
    _cropped: dict[tuple[Protocol, tuple[int, ...]], Truth] = field(default_factory=dict)
    _last: tuple[Condition, EvaluationPair] | None = None

    def scene(self, condition: Condition) -> EvaluationPair:
        """Ready to be enlarged and measured."""
        if self._last is None or self._last[0] != condition:
            self._last = (condition, self._made(condition))
        return self._last[1]

    def _made(self, condition: Condition) -> EvaluationPair:
        protocol = condition.protocol
        if protocol not in self._truths:
            self._truths[protocol] = (
                truth_of(self.photograph, self.diameter)
                if protocol == "native"
                else prepare(self.photograph, protocol)
            )
        cropped = self._truths[protocol].cropped(condition.scale)
        truth = self._cropped.setdefault((protocol, cropped.rgb8.shape), cropped)
        mask = evaluation_mask(truth.mask, condition.scale)
        return EvaluationPair(truth, small_image(truth, condition), mask)
