"""An enlarger whose faults are known."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.degradation import STANDARD, Degradation
from retina_viewer.superres.classical import bicubic
from retina_viewer.superres.enhancer import FloatImage


@dataclass(frozen=True)
class Lopsided:
    """Bicubic with a fault: it brightens what grows brighter to the right, by ``fault``."""

    scale: int = 2
    fault: float = 0.5
    method: str = "lopsided"
    model: str | None = "lopsided"
    margin: int = 4
    whole_image_only: bool = False
    degradation: Degradation | None = STANDARD
    fidelity: float | None = None
    back_projection: float | None = None

    def fitted_to(self, rgb: FloatImage) -> Self:
        return self

    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        wide = np.pad(rgb, ((0, 0), (1, 1), (0, 0)), mode="reflect")
        slope = (wide[:, 2:] - wide[:, :-2]) * np.float32(0.5 * self.fault)
        brighter = np.clip(rgb + np.maximum(slope, 0), 0, 1).astype(np.float32)
        return bicubic(self.scale).enhance_region(brighter, region)
