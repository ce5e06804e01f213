"""Linear filters for one known degradation each: the fairest row of a table.

The filter that ships (:mod:`retina_viewer.superres.linear`) is fitted with the same equations, on
the same photographs, to a mixture of degradations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.colour import luminance
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.metrics import evaluation_mask
from retina_viewer.quality.protocols import Condition, Truth, prepare, small_image
from retina_viewer.superres.linear import RADIUS, TAPS, LinearFilter, windows_of

_CENTRE = TAPS // 2
_SAMPLES = 20_000
_PHOTOGRAPHS_A_SET = 8
"""Eight give the same filter as all, to 0.05 dB on photographs of other cameras."""
_SOFT_AT_FULL_SIZE = ("HRF", "IDRiD", "FIVES")
"""These hold no fine detail at full size; they are shrunk before they serve as truth."""


@dataclass
class NormalEquations:
    """X'X and X'Y for one scale; X and Y relative to the window's centre pixel.

    Relative values make every filter's weights sum to one: flat areas keep their brightness.
    """

    scale: int
    samples: int = 0
    gram: NDArray[np.float64] = field(default_factory=lambda: np.zeros((TAPS, TAPS)))
    cross: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.cross = np.zeros((TAPS, self.scale**2))

    def add(
        self,
        small: NDArray[np.float32],
        large: NDArray[np.float32],
        usable: NDArray[np.bool_],
        most: int,
        random: np.random.Generator,
    ) -> None:
        """Add one photograph.

        Args:
            small: ``(h, w)`` luminance, grey levels.
            large: ``(h * scale, w * scale)``, the truth.
            usable: ``(h, w)``; pixels whose window leaves the image never are.
            most: samples; more are drawn from.
            random: draws.
        """
        height, width = small.shape
        if min(height, width) <= 2 * RADIUS:
            return
        rows, columns = np.nonzero(usable[RADIUS:-RADIUS, RADIUS:-RADIUS])
        if rows.size > most:
            chosen = random.choice(rows.size, most, replace=False)
            rows, columns = rows[chosen], columns[chosen]
        windows = windows_of(small)[rows, columns].astype(np.float64)
        blocks = large.reshape(height, self.scale, width, self.scale).transpose(0, 2, 1, 3)
        targets = blocks[rows + RADIUS, columns + RADIUS].reshape(-1, self.scale**2)
        centre = windows[:, _CENTRE : _CENTRE + 1]
        relative = windows - centre
        self.samples += rows.size
        self.gram += relative.T @ relative
        self.cross += relative.T @ (targets.astype(np.float64) - centre)

    def plus(self, other: NormalEquations, share: float) -> NormalEquations:
        """Both together, so that ``share`` (below 1) of all samples are as the other's."""
        mixed = NormalEquations(self.scale, self.samples + other.samples)
        weight = share / (1 - share) * self.samples / max(other.samples, 1)
        mixed.gram = self.gram + weight * other.gram
        mixed.cross = self.cross + weight * other.cross
        return mixed

    def solved(self, model: str | None = None) -> LinearFilter:
        """The filter of the least squared error."""
        gram, cross = np.zeros_like(self.gram), np.zeros_like(self.cross)
        # As if all eight flips and rotations of the photographs had been seen.
        for taps, phases in zip(_symmetries(2 * RADIUS + 1), _symmetries(self.scale), strict=True):
            gram += self.gram[np.ix_(taps, taps)]
            cross += self.cross[np.ix_(taps, phases)]
        others = np.delete(np.arange(TAPS), _CENTRE)
        inner = gram[np.ix_(others, others)]
        ridge = 1e-6 * float(np.trace(inner)) / len(others) + 1e-12
        solution = np.linalg.solve(inner + ridge * np.eye(len(others)), cross[others])
        weights = np.zeros((TAPS, self.scale**2))
        weights[others] = solution
        weights[_CENTRE] = 1.0 - solution.sum(axis=0)
        return LinearFilter(self.scale, weights.astype(np.float32), model)


def _symmetries(side: int) -> Iterator[NDArray[np.intp]]:
    """The eight rearrangements of a ``side x side`` grid's indices, in one fixed order."""
    grid = np.arange(side * side).reshape(side, side)
    for turns in range(4):
        turned = np.rot90(grid, turns)
        yield turned.ravel()
        yield turned[:, ::-1].ravel()


def fit_linear_filters(
    photographs: Sequence[Photograph],
    conditions: Sequence[Condition],
    *,
    seed: int = 0,
    progress: Progress = no_progress,
) -> dict[Condition, LinearFilter]:
    """One filter for every condition; see :func:`linear_equations`."""
    equations = linear_equations(photographs, conditions, seed=seed, progress=progress)
    return {condition: equation.solved() for condition, equation in equations.items()}


def linear_equations(
    photographs: Sequence[Photograph],
    conditions: Sequence[Condition],
    *,
    seed: int = 0,
    progress: Progress = no_progress,
) -> dict[Condition, NormalEquations]:
    """The equations of every condition's filter, reading each photograph once a protocol.

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
    photographs = learned_from(photographs)
    equations = {condition: NormalEquations(condition.scale) for condition in conditions}
    for done, photograph in enumerate(photographs):
        progress(done / len(photographs), "Fitting the linear filter")
        for protocol in sorted({condition.protocol for condition in conditions}):
            truth = prepare(photograph, protocol)
            if protocol == "native" and photograph.dataset in _SOFT_AT_FULL_SIZE:
                truth = _shrunk(truth, random.uniform(0.3, 0.6))
            for condition in conditions:
                if condition.protocol == protocol:
                    _accumulate(equations[condition], truth, condition, random)
    return equations


def learned_from(photographs: Sequence[Photograph]) -> list[Photograph]:
    """What a filter is fitted to: at most eight of each set, evenly spread."""
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


def _accumulate(
    equations: NormalEquations, truth: Truth, condition: Condition, random: np.random.Generator
) -> None:
    scale = condition.scale
    whole = truth.cropped(scale)
    small = luminance(small_image(whole, condition))
    height, width = small.shape
    inside = evaluation_mask(whole.mask, scale).reshape(height, scale, width, scale)
    usable = np.asarray(inside.all(axis=(1, 3)))
    equations.add(small, luminance(whole.rgb8), usable, _SAMPLES, random)
