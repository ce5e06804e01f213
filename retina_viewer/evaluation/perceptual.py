"""The slow figures of super-resolution: how a result looks."""

import numpy as np
from numpy.typing import NDArray

from retina_viewer.evaluation.lpips import LPIPS, lpips_distance
from retina_viewer.evaluation.metrics import Mask, luminance_full
from retina_viewer.evaluation.protocols import Truth
from retina_viewer.evaluation.sharpness import sharpness
from retina_viewer.networks.devices import resolve_device


class Perceptual:
    """LPIPS, and S3 as a ratio to the truth's."""

    def __init__(self, device: str = "auto") -> None:
        self._network = LPIPS().to(resolve_device(device))

    def measure(self, truth: Truth, result: NDArray[np.uint8], mask: Mask) -> dict[str, float]:
        """Both, inside the eroded mask.

        S3 is taken of full-range luminance; its ratio is 0 where the truth has nothing sharp.
        """
        sharp, own = (sharpness(luminance_full(image), mask) for image in (truth.rgb8, result))
        return {
            "lpips": lpips_distance(self._network, truth.rgb8, result, mask),
            "s3_ratio": own / sharp if sharp > 0 else 0.0,
        }
