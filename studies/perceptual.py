"""The slow figures of super-resolution: how a result looks."""

import numpy as np
from numpy.typing import NDArray

from retina_viewer.networks.devices import resolve_device
from retina_viewer.quality.lpips import LPIPSReference, fastest_lpips
from retina_viewer.quality.metrics import Mask, luminance_full
from retina_viewer.quality.protocols import Truth
from studies.sharpness import Plane, mean_of_sharpest, sharpness_map


class Perceptual:
    """LPIPS, and S3 as a ratio to the truth's.

    What is computed of the truth alone is kept until another truth comes, so measure all results
    of one truth one after the other.
    """

    def __init__(self, device: str = "auto") -> None:
        self._network = fastest_lpips(resolve_device(device))
        self._truth: NDArray[np.uint8] | None = None

    def measure(self, truth: Truth, result: NDArray[np.uint8], mask: Mask) -> dict[str, float]:
        """Both, inside the eroded mask, and over the whole image as ``lpips_whole`` and
        ``s3_ratio_whole``.

        S3 is taken of full-range luminance; its ratio is 0 where the truth has nothing sharp.
        """
        if self._truth is not truth.rgb8:
            self._truth = truth.rgb8
            self._reference = LPIPSReference.of(self._network, truth.rgb8)
            self._blocks = sharpness_map(luminance_full(truth.rgb8))
        own = sharpness_map(luminance_full(result))
        distances = self._reference.distances(result, np.ones(mask.shape, bool))
        return {
            "lpips": float(distances[mask].mean(dtype=np.float64)),
            "lpips_whole": float(distances.mean(dtype=np.float64)),
            "s3_ratio": _ratio(own, self._blocks, mask),
            "s3_ratio_whole": _ratio(own, self._blocks, None),
        }


def _ratio(own: Plane, truth: Plane, mask: Mask | None) -> float:
    sharp = mean_of_sharpest(truth, mask)
    return mean_of_sharpest(own, mask) / sharp if sharp > 0 else 0.0
