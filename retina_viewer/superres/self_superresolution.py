"""Self super-resolution (Jog, Carass and Prince 2016): no other photograph is learned from.

Along each of eight directions the photograph is blurred and decimated once more, what that took
away is learned patch by patch, and what was learned is applied along the same direction to the
photograph enlarged. Each result is sharp along its own direction; Fourier burst accumulation takes
every frequency from where it is strongest, and back-projection holds the whole to the photograph.

Luminance alone; chroma is interpolated. CPU alone. Levels of more than :data:`LARGEST_LEVEL`
pixels are doubled by interpolation: finer ones hold nothing that could be learned back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Self

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.degradation import SIGMA_PER_SCALE, gaussian_taps
from retina_viewer.superres import classical
from retina_viewer.superres.back_projection import BackProjected
from retina_viewer.superres.enhancer import FloatImage
from retina_viewer.superres.forest import luminance_of

DIRECTIONS = 8
LARGEST_LEVEL = 1 << 20
"""Pixels of a level that is still doubled by what it teaches."""
_BLUR = 2 * SIGMA_PER_SCALE
"""What the photograph's pixels saw. The first doubling takes it away; later levels have none."""
_ANCHORS = 16
_RIDGE = 1e-3
_SAMPLES = 24_000
_RIM = 16  # pixels of the level, reflected around it
_cubic_weights = partial(classical.phase_weights, classical.cubic, 2)
_TWICE = _cubic_weights(2)

Plane = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Learned:
    """What was made of one photograph: ``light``, ``factor`` times its size."""

    rgb: FloatImage
    light: Plane
    factor: int

    @classmethod
    def of(cls, rgb: FloatImage, scale: int) -> Self:
        light, factor = luminance_of(rgb), 1
        while factor < scale and light.size <= LARGEST_LEVEL:
            light, factor = doubled(light, _BLUR if factor == 1 else 0.0), 2 * factor
        return cls(rgb, light, factor)


@dataclass(frozen=True)
class _Accumulated(classical.FixedEnhancer):
    """What comes before back-projection, as an enhancer."""

    scale: int
    learned: _Learned | None = field(default=None, repr=False, compare=False)
    method: str = "ssr"
    model: None = None
    margin: int = 0
    whole_image_only: bool = True

    def fitted_to(self, rgb: FloatImage) -> Self:
        """With all that is learned of the photograph, so that regions need only be cut."""
        return replace(self, learned=_Learned.of(rgb, self.scale))

    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        learned = self.learned
        if learned is None or not np.array_equal(learned.rgb, rgb):
            learned = _Learned.of(rgb, self.scale)
        window = classical.reflected_window(rgb, region.expanded(2))
        chroma = window - luminance_of(window)[..., None]
        result = classical.interpolated(chroma, _cubic_weights(self.scale))
        result += _cut(learned, region, self.scale // learned.factor)[..., None]
        return np.clip(result, 0, 1, out=result)


def _cut(learned: _Learned, region: Rect, factor: int) -> Plane:
    """The luminance of a region, doubled by interpolation as far as it was not learned."""
    place = region.scaled(learned.factor)
    if factor == 1:
        return learned.light[place.slices()]
    window = classical.reflected_window(learned.light, place.expanded(2))
    return classical.interpolated(window, _cubic_weights(factor))


def ssr(scale: int) -> BackProjected:
    """Self super-resolution, back-projected, for scale 2, 4, 8 or 16.

    Once fitted, a region costs little; the fit takes some 20 s a million pixels doubled, on one
    core. Fitting and enlarging are deterministic.
    """
    return BackProjected(_Accumulated(scale), doubt=0.0)  # it learned from this very blur


def doubled(level: Plane, blur: float) -> Plane:
    """Self super-resolution by two: ``(h, w)`` luminance in [0, 1] to ``(2 h, 2 w)`` float32.

    ``blur``: deviation of the Gaussian that its pixels saw, in pixels of the result.
    """
    height, width = level.shape
    around = np.pad(level, _RIM + 2, mode="reflect" if min(level.shape) > _RIM + 2 else "symmetric")
    smooth = classical.interpolated(around, _TWICE)
    burst = accumulated(_sharpened(smooth, blur))
    inner = burst[2 * _RIM : 2 * (_RIM + height), 2 * _RIM : 2 * (_RIM + width)]
    return np.clip(inner, 0, 1)


def _sharpened(smooth: Plane, blur: float) -> Iterator[Plane]:
    """The doubled level, sharpened along each direction in turn."""
    for number in range(DIRECTIONS):
        to_axis, back, size = _turns(smooth.shape, 180 * number / DIRECTIONS)
        turned = _warped(smooth, to_axis, size)
        regression = _learned(np.ascontiguousarray(turned[::2, ::2]), blur)
        framed = np.pad(turned, ((2, 2), (COLUMNS // 2,) * 2), mode="reflect")
        lacking = regression.applied(framed, 2)
        yield smooth + _warped(lacking, back, (smooth.shape[1], smooth.shape[0]))


def _turns(
    shape: tuple[int, ...], degrees: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, int]]:
    """The turn by an angle about the middle, the one back, and the size that holds the turned."""
    height, width = shape
    radians = np.deg2rad(degrees)
    cosine, sine = float(np.cos(radians)), float(np.sin(radians))
    turn = np.array([[cosine, sine], [-sine, cosine]])
    half = np.ceil(np.abs(turn) @ (width, height) / 2)
    size = (2 * int(half[0]), 2 * int(half[1]))
    middle, target = np.array([width - 1, height - 1]) / 2, np.array([size[0] - 1, size[1] - 1]) / 2
    there = np.column_stack([turn, target - turn @ middle])
    back = np.column_stack([turn.T, middle - turn.T @ target])
    return there, back, size


def _warped(plane: Plane, matrix: NDArray[np.float64], size: tuple[int, int]) -> Plane:
    turned = cv2.warpAffine(
        plane, matrix, size, flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(turned, np.float32)


def _learned(level: Plane, blur: float) -> AnchoredRegression:
    """What blurring and decimating along the rows takes away."""
    level = level[:, : level.shape[1] // 2 * 2]
    taps, one = gaussian_taps(blur) if blur else np.ones(1, np.float32), np.ones(1, np.float32)
    blurred = cv2.sepFilter2D(level, -1, taps, one, borderType=cv2.BORDER_REFLECT_101)
    small = (blurred[:, ::2] + blurred[:, 1::2]) / 2
    again = _enlarged_along_rows(np.asarray(small, np.float32))
    reach = COLUMNS // 2
    patches = patches_of(again, 1).reshape(-1, SIZE)
    lacking = (level - again)[1:-1, reach:-reach].ravel()
    rng = np.random.default_rng(0)
    if len(lacking) > _SAMPLES:
        chosen = rng.choice(len(lacking), _SAMPLES, replace=False)
        patches, lacking = patches[chosen], lacking[chosen]
    return AnchoredRegression.learned(patches, lacking, _ANCHORS, _RIDGE, rng)


def _enlarged_along_rows(small: Plane) -> Plane:
    """``(h, w)`` to ``(h, 2 w)``, bicubic."""
    around = np.pad(small, ((0, 0), (2, 2)), mode="reflect")
    return np.ascontiguousarray(classical.enlarged_rows(around.T, _TWICE).T)


ROWS, COLUMNS = 3, 9
"""Of a patch: across the axis and along it."""
SIZE = ROWS * COLUMNS
_ROUNDS = 4
_PIXELS_AT_ONCE = 1 << 17


def patches_of(plane: Plane, spread: int) -> Plane:
    """Every pixel's neighbourhood, rows ``spread`` apart: ``(h + 2 * spread, w + 8)`` to
    ``(h, w, 27)``."""
    height = plane.shape[0] - 2 * spread
    wide = sliding_window_view(plane, COLUMNS, axis=1)
    rows = [wide[row * spread : row * spread + height] for row in range(ROWS)]
    return np.concatenate(rows, axis=-1)


@dataclass(frozen=True, eq=False)
class AnchoredRegression:
    """Anchored neighbourhood regression (Timofte, De Smet and Van Gool 2013), along one axis.

    A few anchors stand for the kinds of patches; around each, one ridge regression says what the
    pixel in the middle lacks. ``anchors (27, k)`` of length 1, ``filters (k, 27)``: float32, the
    sum of each 0, so that the brightness of a patch does not matter.
    """

    anchors: Plane
    filters: Plane

    @classmethod
    def learned(
        cls, patches: Plane, lacking: Plane, count: int, ridge: float, rng: np.random.Generator
    ) -> Self:
        """From ``(n, 27)`` patches what they lack, ``(n,)``; the ridge is a share of power."""
        patches = patches - patches.mean(axis=1, keepdims=True)
        power = np.square(patches).sum(axis=1)
        anchors = _anchors(patches, power, min(count, len(patches)), rng)
        nearest = _nearest(patches, anchors)
        filters = np.zeros((anchors.shape[1], SIZE))
        everything = patches.astype(np.float64)
        held = ridge * float(power.mean()) + 1e-12
        whole = everything.T @ everything + np.eye(SIZE) * held
        fallback = np.linalg.solve(whole, everything.T @ lacking)
        for anchor in range(len(filters)):
            near = everything[nearest == anchor]
            # Held to the regression of all patches: few near ones then do no harm.
            gram = near.T @ near + np.eye(SIZE) * held * 100
            beyond = lacking[nearest == anchor] - near @ fallback
            filters[anchor] = fallback + np.linalg.solve(gram, near.T @ beyond)
        filters -= filters.mean(axis=1, keepdims=True)
        return cls(anchors, filters.astype(np.float32))

    def applied(self, plane: Plane, spread: int) -> Plane:
        """What every pixel lacks: ``(h + 2 * spread, w + 8)`` to ``(h, w)``."""
        height, width = plane.shape[0] - 2 * spread, plane.shape[1] - COLUMNS + 1
        result = np.empty((height, width), np.float32)
        step = max(1, _PIXELS_AT_ONCE // width)
        for top in range(0, height, step):
            bottom = min(top + step, height)
            patches = patches_of(plane[top : bottom + 2 * spread], spread).reshape(-1, SIZE)
            said = patches @ self.filters.T
            nearest = _nearest(patches, self.anchors)
            chosen = said[np.arange(len(said)), nearest]
            result[top:bottom] = chosen.reshape(bottom - top, width)
        return result


def _anchors(patches: Plane, power: Plane, count: int, rng: np.random.Generator) -> Plane:
    """K-means on the sphere, a patch and its negative being alike; strong patches count more."""
    lengths = np.sqrt(power)
    total = float(lengths.sum())
    if total == 0:  # one colour: any direction serves
        return _unit(np.eye(SIZE, 1, dtype=np.float32) - np.float32(1 / SIZE))
    chosen = rng.choice(len(patches), count, p=lengths / total)
    anchors = _unit(patches[chosen].T)
    for _ in range(_ROUNDS):
        nearest = _nearest(patches, anchors)
        signs = np.sign((patches * anchors[:, nearest].T).sum(axis=1))
        sums = np.zeros_like(anchors)
        for anchor in range(count):
            mine = nearest == anchor
            sums[:, anchor] = (patches[mine] * signs[mine, None]).sum(axis=0)
        anchors = np.where(np.abs(sums).sum(axis=0) > 0, _unit(sums), anchors)
    return anchors


def _unit(columns: Plane) -> Plane:
    lengths = np.sqrt(np.square(columns).sum(axis=0))
    return np.asarray(columns / np.maximum(lengths, 1e-12), np.float32)


def _nearest(patches: Plane, anchors: Plane) -> NDArray[np.intp]:
    return np.asarray(np.abs(patches @ anchors).argmax(axis=1), np.intp)


POWER = 11
"""p of Jog et al. 2016: the larger, the more the strongest image alone decides."""
_SMOOTHING = 1 / 50
"""Deviation of the Gaussian over a spectrum's magnitude, of its shorter side."""
_LARGEST_RATIO = 1e3  # its 11th power is still a number


def accumulated(images: Iterable[Plane]) -> Plane:
    """Fourier burst accumulation (Delbracio and Sapiro 2015): the sharpest of each frequency.

    ``sum |F_i|^p F_i / sum |F_i|^p``, back in space, of ``(h, w)`` float32 images of one size.

    The magnitudes are smoothed, so that neighbouring frequencies come from the same image, and
    raised relative to the first image's, which keeps numbers in range.
    """
    weighted: NDArray[np.complex64] | None = None
    weights = scale = np.empty(0, np.float32)
    size = (0, 0)
    for image in images:
        spectrum = np.fft.rfft2(image).astype(np.complex64)
        magnitude = _smoothed(np.abs(spectrum))
        if weighted is None:
            size, scale = image.shape, np.maximum(magnitude, np.float32(1e-12))
            weighted, weights = np.zeros_like(spectrum), np.zeros_like(magnitude)
        ratio = np.clip(magnitude / scale, 1 / _LARGEST_RATIO, _LARGEST_RATIO)
        weight = np.asarray(ratio ** np.float32(POWER), np.float32)
        weighted += weight * spectrum
        weights += weight
    if weighted is None:
        raise ValueError("a burst needs an image")
    return np.fft.irfft2(weighted / weights, size).astype(np.float32)


def _smoothed(magnitude: Plane) -> Plane:
    """Over the half plane of a real image's spectrum, which goes on at its border as it began."""
    sigma = min(magnitude.shape[0], 2 * magnitude.shape[1]) * _SMOOTHING
    reach = int(3 * sigma + 0.5)
    rolled = np.fft.fftshift(magnitude, axes=0)
    blurred = cv2.GaussianBlur(
        rolled, (2 * reach + 1, 2 * reach + 1), sigma, borderType=cv2.BORDER_REFLECT_101
    )
    return np.asarray(np.fft.ifftshift(blurred, axes=0), np.float32)
