"""Back-projection: a result that, shrunk again, is the photograph, as far as its noise lets tell.

After iterative back-projection (Irani and Peleg 1991): what the shrunk result lacks of
the photograph is enlarged and added. Two things differ, docs/decisions/back-projection.md says why:

- Their iteration is solved in one go at the photograph's own size. There, shrinking D after
  enlarging U is one fixed filter, and a short filter undoes it. So a correction reaches a few
  pixels only, and any region is still the crop of the whole.
- What the noise of the photograph explains is no contradiction and is left alone: even the true
  scene, shrunk again, differs from the photograph by its noise. Nor is what a slightly sharper
  blur than the estimated one explains. Each of two bands is scaled by the local Wiener gain
  max(0, 1 - explained power / power) (Lee 1980, for a mean of zero).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.degradation import STANDARD, Degradation, degrade_with_blur
from retina_viewer.superres.enhancer import Enhancer, FloatImage

_ENLARGING_REACH = 2  # pixels of the photograph that bicubic interpolation sees on each side
_INVERSE_REACH = 2  # radius of the inverse filter
_DAMPING = 0.05  # against enlarging what shrinking has all but erased
_FREQUENCIES = 129  # from 0 to half a cycle a pixel, where the inverse is fitted
_LOW_BAND = cv2.getGaussianKernel(7, 1.2)[:, 0].astype(np.float32)  # what drifts in colour
BLUR_DOUBT = 0.1
"""Pixels by which an estimated blur may be too large. It is seldom too small: see
docs/decisions/degradation.md."""
_POWER_RADIUS = 2  # the local power is the mean over 5 x 5 pixels and the three colours


@dataclass(frozen=True)
class BackProjected:
    """An :class:`~retina_viewer.superres.enhancer.Enhancer` held to the photograph: takes back the
    part ``weight``, 0 to 1, of what contradicts it. ``doubt``: px by which the blur may be too
    large; 0 where it is known."""

    inner: Enhancer
    weight: float = 1.0
    doubt: float = BLUR_DOUBT

    @property
    def method(self) -> str:
        return self.inner.method

    @property
    def model(self) -> str | None:
        return self.inner.model

    @property
    def scale(self) -> int:
        return self.inner.scale

    @property
    def whole_image_only(self) -> bool:
        return self.inner.whole_image_only

    @property
    def fidelity(self) -> float | None:
        return self.inner.fidelity

    @property
    def degradation(self) -> Degradation:
        return self.inner.degradation or STANDARD

    @property
    def back_projection(self) -> float:
        return self.weight

    @property
    def device(self) -> object:
        """The inner enhancer's, for provenance; None for methods that choose none."""
        return getattr(self.inner, "device", None)

    @property
    def margin(self) -> int:
        return self.inner.margin + self._reach

    @property
    def _reach(self) -> int:
        """Source pixels beyond a region whose result its correction depends on."""
        shrinking = shrinking_reach(self.scale, self.degradation.blur)
        noise = len(_LOW_BAND) // 2 + _POWER_RADIUS
        return shrinking + noise + _INVERSE_REACH + _ENLARGING_REACH

    def fitted_to(self, rgb: FloatImage) -> Self:
        return replace(self, inner=self.inner.fitted_to(rgb))

    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        if self.weight == 0:
            return self.inner.enhance_region(rgb, region)
        # Windows are cut at the image's border, where shrinking reflects; elsewhere they are larger
        # than the region by all that the correction sees, and what their edges spoil is cut away.
        scale, degradation = self.scale, self.degradation
        window = region.expanded(self._reach).intersected(Rect(0, 0, rgb.shape[1], rgb.shape[0]))
        result = self.inner.enhance_region(rgb, window)
        again = degrade_with_blur(result, scale, degradation.blur)
        lacking = rgb[window.slices()] - again
        sharper, doubt = max(0.0, degradation.blur - self.doubt), None
        if sharper < degradation.blur:
            doubt = again - degrade_with_blur(result, scale, sharper)
        lacking = self.weight * unexplained(lacking, degradation.noise / 255, doubt)
        correction = enlarged(filtered(lacking, inverse_taps(scale, degradation.blur)), scale)
        place = region.within(window).scaled(scale).slices()
        return np.asarray(np.clip(result[place] + correction[place], 0.0, 1.0), np.float32)


def unexplained(lacking: FloatImage, noise: float, doubt: FloatImage | None = None) -> FloatImage:
    """The part of ``lacking`` that neither noise nor a doubtful blur explains.

    Args:
        lacking: the photograph less the shrunk result, ``(h, w, 3)`` float32.
        noise: of the photograph, root mean square, in the same units.
        doubt: the shrunk result less the one shrunk by the sharpest blur that may be true.
    """
    low, doubt_low, doubt_high = filtered(lacking, _LOW_BAND), None, None
    if doubt is not None:
        doubt_low = filtered(doubt, _LOW_BAND)
        doubt_high = doubt - doubt_low
    # The power that white noise has in each band: the sum of the squares of its filter's taps.
    passed, centre = float(np.sum(_LOW_BAND**2)) ** 2, float(_LOW_BAND.max()) ** 2
    of_low, of_high = passed * noise**2, (1 - 2 * centre + passed) * noise**2
    return _band(low, of_low, doubt_low) + _band(lacking - low, of_high, doubt_high)


def _band(band: FloatImage, noise_power: float, doubt: FloatImage | None) -> FloatImage:
    explained = np.float32(noise_power) if doubt is None else noise_power + _power(doubt)
    gain = np.maximum(0, 1 - explained / np.maximum(_power(band), np.float32(1e-12)))
    return np.asarray(band * gain[..., None], np.float32)


def _power(band: FloatImage) -> NDArray[np.float32]:
    """``(h, w)`` local mean of the squares over the neighbourhood and the colours."""
    side = 2 * _POWER_RADIUS + 1
    power = np.square(band).mean(axis=2)
    return np.asarray(cv2.blur(power, (side, side), borderType=cv2.BORDER_REFLECT_101), np.float32)


def filtered(image: FloatImage, taps: NDArray[np.float32]) -> FloatImage:
    """``(h, w, 3)`` filtered by the same symmetric taps along both axes, reflected at the rim."""
    border = cv2.BORDER_REFLECT_101
    return np.asarray(cv2.sepFilter2D(image, -1, taps, taps, borderType=border), np.float32)


def enlarged(small: FloatImage, scale: int) -> FloatImage:
    """``(h, w, 3)`` to ``(h * scale, w * scale, 3)``: OpenCV's bicubic (a = -0.75)."""
    size = (small.shape[1] * scale, small.shape[0] * scale)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.float32)


def shrinking_reach(scale: int, blur: float) -> int:
    """Source pixels on each side of one whose results it is shrunk from."""
    truncated_gaussian = int(4 * blur * scale + 0.5) + 1  # and one for the bilinear sampling
    return max(2, -(-truncated_gaussian // scale))  # bicubic: two


@lru_cache(maxsize=64)
def round_trip_taps(scale: int, blur: float) -> NDArray[np.float32]:
    """The filter that enlarging and shrinking again amounts to, along one axis.

    Nearly: what is between two phases of a pixel folds back, and a blur between two kernels is
    a mixture that no product of two axes equals. Both are small. ``(2 * reach + 1,)`` float32,
    symmetric, sum 1.
    """
    reach = shrinking_reach(scale, blur) + _ENLARGING_REACH
    line = np.zeros((2 * reach, 4 * reach + 1, 3), np.float32)
    line[:, 2 * reach] = 0.25
    # Around mid-grey, because shrinking keeps to [0, 1].
    back = degrade_with_blur(0.5 + enlarged(line, scale), scale, blur)[reach, :, 0] - 0.5
    taps = back[reach : 3 * reach + 1] * 4
    return np.asarray((taps + taps[::-1]) / 2, np.float32)


@lru_cache(maxsize=64)
def inverse_taps(scale: int, blur: float) -> NDArray[np.float32]:
    """The symmetric filter of radius 2 that best undoes :func:`round_trip_taps`.

    Least squares over frequency, damped; its gain at frequency 0 is 1.
    """
    frequency = np.linspace(0, np.pi, _FREQUENCIES)[:, None]
    taps = round_trip_taps(scale, blur).astype(np.float64)
    offsets = np.arange(len(taps)) - len(taps) // 2
    through = (np.cos(frequency * offsets) * taps).sum(axis=1, keepdims=True)
    # p = 1 + sum of c_k (2 cos(k f) - 2): the gain at frequency 0 is 1 whatever the c_k are.
    parts = 2 * np.cos(frequency * np.arange(1, _INVERSE_REACH + 1)) - 2
    equations = np.concatenate([through * parts, np.sqrt(_DAMPING) * parts])
    wanted = np.concatenate([1 - through, np.zeros((_FREQUENCIES, 1))])
    (solved,) = np.linalg.lstsq(equations, wanted, rcond=None)[0].T
    return np.asarray([*solved[::-1], 1 - 2 * solved.sum(), *solved], np.float32)
