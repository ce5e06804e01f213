"""Crops of bundled photographs as truths, and what a method gains over sharp bicubic on them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.degradation import degrade, to_8bit
from retina_viewer.quality.metrics import luminance_studio, psnr
from retina_viewer.superres.enhancer import Enhancer
from studies.contenders import sharp_bicubic

Truths = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def halved(rgb8: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Shrunk by areas, so that it is sharp at its size."""
    size = (rgb8.shape[1] // factor, rgb8.shape[0] // factor)
    return np.asarray(cv2.resize(rgb8, size, interpolation=cv2.INTER_AREA), np.uint8)


def gain_over_sharp_bicubic(enhancer: Enhancer, truth: NDArray[np.uint8]) -> float:
    """dB of luminance, after shrinking by the Gaussian of the literature; 8 bits on both sides."""
    small = to_8bit(degrade(truth.astype(np.float32) / np.float32(255), enhancer.scale))
    unit = small.astype(np.float32) / np.float32(255)
    whole = Rect(0, 0, unit.shape[1], unit.shape[0])
    scores = []
    for one in (enhancer.fitted_to(unit), sharp_bicubic(enhancer.scale)):
        made = to_8bit(one.enhance_region(unit, whole))
        scores.append(psnr(luminance_studio(truth), luminance_studio(made)))
    return scores[0] - scores[1]
