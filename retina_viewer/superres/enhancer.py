"""The contract every super-resolution method fulfils."""

from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.degradation import Degradation

FloatImage = NDArray[np.float32]
"""``(H, W, 3)`` float32 RGB in [0, 1]."""


class Enhancer(Protocol):
    """One method at one scale on one device.

    An enhancer pads (reflection at the image's border), crops and clamps itself. For any region,
    ``enhance_region(rgb, region)`` equals the same crop of ``enhance_region(rgb, whole)`` to float
    precision; a method that cannot promise this says so with ``whole_image_only``.

    Whoever enlarges a photograph asks for :meth:`fitted_to` first, once, with the whole of it.
    """

    @property
    def method(self) -> str:
        """The identifier of the method, as on the command line: ``bicubic``, ``pixel``, ..."""

    @property
    def model(self) -> str | None:
        """The model's name; None for methods without weights."""

    @property
    def scale(self) -> int:
        """2, 4, 8 or 16."""

    @property
    def margin(self) -> int:
        """Source pixels around a region that influence its result."""

    @property
    def whole_image_only(self) -> bool:
        """Whether a region can only be computed from the whole image."""

    @property
    def degradation(self) -> Degradation | None:
        """The blur and noise that it takes the photograph to have; None where it asks for none."""

    @property
    def fidelity(self) -> float | None:
        """0 (most detail) to 1 (closest to the truth, pixel by pixel); None where not offered."""

    @property
    def back_projection(self) -> float | None:
        """How much of what contradicts the photograph is taken back, 0 to 1; None for no such."""

    def fitted_to(self, rgb: FloatImage) -> Self:
        """The same for one photograph: with its blur and noise, estimated from all of it.

        Args:
            rgb: the whole photograph, ``(H, W, 3)`` float32 in [0, 1].

        Raises:
            UserError: the estimator's files are broken.
        """

    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        """Enlarge one region of an image.

        Args:
            rgb: the whole source image, ``(H, W, 3)`` float32 in [0, 1].
            region: in source pixels, inside the image, not empty.

        Returns:
            ``(region.height * scale, region.width * scale, 3)`` float32 in [0, 1].

        Raises:
            UserError: the result is not finite, or the device ran out of memory.
        """
