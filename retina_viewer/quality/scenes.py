"""What a method is given and judged by, made once a photograph and condition."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from retina_viewer.quality.calibration import truth_of
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.metrics import Mask, evaluation_mask
from retina_viewer.quality.protocols import (
    Condition,
    Protocol,
    Truth,
    prepare,
    small_image,
)


@dataclass(frozen=True, eq=False)
class Scene:
    """One photograph under one condition.

    Attributes:
        truth: cut so that the scale divides both sides.
        small: the degraded image, ``(H // r, W // r, 3)`` uint8.
        mask: the truth's field of view, eroded, ``(H, W)`` bool.
    """

    truth: Truth
    small: NDArray[np.uint8]
    mask: Mask


@dataclass
class Scenes:
    """One photograph under many conditions; nothing is made before it is asked for.

    Conditions whose truths are of one size share one :class:`Truth`, so that what others compute
    of it can be kept. Memory is bounded: of the scenes only the last is kept.

    Args:
        diameter: of the field of view that the photograph is shrunk to first, pixels; None for
            its own size. Only under the native protocol.
    """

    photograph: Photograph
    diameter: int | None = None
    _truths: dict[Protocol, Truth] = field(default_factory=dict)
    _cropped: dict[tuple[Protocol, tuple[int, ...]], Truth] = field(default_factory=dict)
    _last: tuple[Condition, Scene] | None = None

    def scene(self, condition: Condition) -> Scene:
        """Ready to be enlarged and measured.

        Raises:
            UserError: the photograph or its mask cannot be read.
        """
        if self._last is None or self._last[0] != condition:
            self._last = (condition, self._made(condition))
        return self._last[1]

    def _made(self, condition: Condition) -> Scene:
        protocol = condition.protocol
        if protocol not in self._truths:
            shrunk = protocol == "native" and self.diameter is not None
            self._truths[protocol] = (
                truth_of(self.photograph, self.diameter)
                if shrunk
                else prepare(self.photograph, protocol)
            )
        cropped = self._truths[protocol].cropped(condition.scale)
        truth = self._cropped.setdefault((protocol, cropped.rgb8.shape), cropped)
        mask = evaluation_mask(truth.mask, condition.scale)
        return Scene(truth, small_image(truth, condition), mask)
