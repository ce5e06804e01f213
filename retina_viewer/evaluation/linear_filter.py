"""The best single linear filter: the row that shows how much of a gain is plain deconvolution.

Each of the ``r * r`` phases of the large image is one fixed 9x9 filter of the small image, fitted
by least squares to the luminance of the training photographs for one known degradation. Nothing
linear and shift-invariant of that size does better on such photographs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.evaluation.datasets import Photograph
from retina_viewer.evaluation.metrics import evaluation_mask
from retina_viewer.evaluation.protocols import Condition, Truth, prepare, small_image
from retina_viewer.imaging.colour import luminance
from retina_viewer.superres.border import reflected
from retina_viewer.superres.enhancer import FloatImage

RADIUS = 4
TAPS = (2 * RADIUS + 1) ** 2
_CENTRE = TAPS // 2
_SAMPLES = 20_000
_PHOTOGRAPHS_A_SET = 8
"""Eight give the same filter as all, to 0.05 dB on photographs of other cameras."""

_ROWS_AT_ONCE = 64
_SOFT_AT_FULL_SIZE = ("HRF", "IDRiD", "FIVES")
"""These hold no fine detail at full size; they are shrunk before they serve as truth."""


@dataclass(frozen=True)
class LinearFilter:
    """An :class:`~retina_viewer.superres.enhancer.Enhancer` of one fitted filter a phase.

    ``weights``: ``(81, scale * scale)`` float32, taps by phases, both row by row.
    """

    scale: int
    weights: NDArray[np.float32] = field(repr=False, compare=False)
    method: str = "linear"
    model: str | None = None
    margin: int = RADIUS
    whole_image_only: bool = False
    formation: None = None
    fidelity: None = None
    back_projection: None = None

    def fitted_to(self, rgb: FloatImage) -> Self:
        """Itself: it is fitted to one known degradation."""
        return self

    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        """See :class:`~retina_viewer.superres.enhancer.Enhancer`."""
        height, width = rgb.shape[:2]
        around = region.expanded(self.margin)
        rows = reflected(around.y, around.bottom, height)
        columns = reflected(around.x, around.right, width)
        window = rgb[rows[:, None], columns[None, :]]
        strips = [
            self._filtered(window[top : min(top + _ROWS_AT_ONCE, region.height) + 2 * RADIUS])
            for top in range(0, region.height, _ROWS_AT_ONCE)
        ]
        return np.clip(np.concatenate(strips), 0.0, 1.0)

    def _filtered(self, window: FloatImage) -> FloatImage:
        """``(h + 8, w + 8, 3)`` to ``(h * scale, w * scale, 3)``."""
        patches = _patches(window)
        height, width = patches.shape[:2]
        values = patches.reshape(-1, TAPS) @ self.weights
        blocks = values.reshape(height, width, 3, self.scale, self.scale)
        image: FloatImage = blocks.transpose(0, 3, 1, 4, 2).reshape(
            height * self.scale, width * self.scale, 3
        )
        return image


def _patches(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """All 9x9 windows of ``(H, W, ...)``: ``(H - 8, W - 8, ..., 81)``."""
    side = 2 * RADIUS + 1
    windows = sliding_window_view(image, (side, side), axis=(0, 1))
    return windows.reshape(*windows.shape[:-2], TAPS)


def fit_linear_filters(
    photographs: Sequence[Photograph],
    conditions: Sequence[Condition],
    *,
    seed: int = 0,
    progress: Progress = no_progress,
) -> dict[Condition, LinearFilter]:
    """Fit one filter for every condition, reading each photograph once a protocol.

    Args:
        photographs: the training photographs; never ones that are evaluated.
        conditions: what to fit for.
        seed: of the positions drawn and of the factors by which soft photographs are shrunk.

    Raises:
        UserError: there is no photograph.
    """
    if not photographs:
        raise UserError(
            "The linear filter has no photographs to learn from.",
            "Name a folder with training photographs, or leave out the method linear.",
        )
    random = np.random.default_rng(seed)
    photographs = _some_of_each_set(photographs)
    equations = {condition: _NormalEquations(condition.scale) for condition in conditions}
    for done, photograph in enumerate(photographs):
        progress(done / len(photographs), "Fitting the linear filter")
        for protocol in sorted({condition.protocol for condition in conditions}):
            truth = prepare(photograph, protocol)
            if protocol == "native" and photograph.dataset in _SOFT_AT_FULL_SIZE:
                truth = _shrunk(truth, random.uniform(0.3, 0.6))
            for condition in conditions:
                if condition.protocol == protocol:
                    _accumulate(equations[condition], truth, condition, random)
    return {
        condition: LinearFilter(condition.scale, equation.solve())
        for condition, equation in equations.items()
    }


def _some_of_each_set(photographs: Sequence[Photograph]) -> list[Photograph]:
    """At most eight of each set, evenly spread."""
    chosen: list[Photograph] = []
    for dataset in sorted({photograph.dataset for photograph in photographs}):
        members = [photograph for photograph in photographs if photograph.dataset == dataset]
        count = min(len(members), _PHOTOGRAPHS_A_SET)
        places = np.linspace(0, len(members) - 1, count).round().astype(int)
        chosen.extend(members[place] for place in places)
    return chosen


def _shrunk(truth: Truth, factor: float) -> Truth:
    height, width = truth.mask.shape
    size = (round(width * factor), round(height * factor))
    rgb8 = cv2.resize(truth.rgb8, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(truth.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return Truth(np.asarray(rgb8, np.uint8), np.asarray(mask) > 0)


class _NormalEquations:
    """X'X and X'Y of one condition; X and Y relative to the window's centre pixel.

    Relative values make every filter's weights sum to one: flat areas keep their brightness.
    """

    def __init__(self, scale: int) -> None:
        self._scale = scale
        self._gram = np.zeros((TAPS, TAPS))
        self._cross = np.zeros((TAPS, scale * scale))

    def add(self, windows: NDArray[np.float64], targets: NDArray[np.float64]) -> None:
        """``windows (n, 81)`` and ``targets (n, scale * scale)``, in grey levels."""
        centre = windows[:, _CENTRE : _CENTRE + 1]
        relative = windows - centre
        self._gram += relative.T @ relative
        self._cross += relative.T @ (targets - centre)

    def solve(self) -> NDArray[np.float32]:
        """``(81, scale * scale)`` float32."""
        gram, cross = np.zeros_like(self._gram), np.zeros_like(self._cross)
        # As if all eight flips and rotations of the photographs had been seen.
        for taps, phases in zip(_symmetries(2 * RADIUS + 1), _symmetries(self._scale), strict=True):
            gram += self._gram[np.ix_(taps, taps)]
            cross += self._cross[np.ix_(taps, phases)]
        others = np.delete(np.arange(TAPS), _CENTRE)
        inner = gram[np.ix_(others, others)]
        ridge = 1e-6 * float(np.trace(inner)) / len(others) + 1e-12
        solved = np.linalg.solve(inner + ridge * np.eye(len(others)), cross[others])
        weights = np.zeros((TAPS, self._scale**2))
        weights[others] = solved
        weights[_CENTRE] = 1.0 - solved.sum(axis=0)
        return weights.astype(np.float32)


def _symmetries(side: int) -> Iterator[NDArray[np.intp]]:
    """The eight rearrangements of a ``side x side`` grid's indices, in one fixed order."""
    grid = np.arange(side * side).reshape(side, side)
    for turns in range(4):
        turned = np.rot90(grid, turns)
        yield turned.ravel()
        yield turned[:, ::-1].ravel()


def _accumulate(
    equations: _NormalEquations, truth: Truth, condition: Condition, random: np.random.Generator
) -> None:
    scale = condition.scale
    whole = truth.cropped(scale)
    small = luminance(small_image(whole, condition))
    large = luminance(whole.rgb8)
    height, width = small.shape
    if min(height, width) <= 2 * RADIUS:
        return
    inside = evaluation_mask(whole.mask, scale).reshape(height, scale, width, scale)
    usable = np.asarray(inside.all(axis=(1, 3)))
    rows, columns = np.nonzero(usable[RADIUS:-RADIUS, RADIUS:-RADIUS])
    if rows.size > _SAMPLES:
        chosen = random.choice(rows.size, _SAMPLES, replace=False)
        rows, columns = rows[chosen], columns[chosen]
    windows = _patches(small)[rows, columns].astype(np.float64)
    blocks = large.reshape(height, scale, width, scale).transpose(0, 2, 1, 3)
    targets = blocks[rows + RADIUS, columns + RADIUS].reshape(-1, scale * scale)
    equations.add(windows, targets.astype(np.float64))
