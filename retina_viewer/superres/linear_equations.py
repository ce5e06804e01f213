"""The least squares of a linear filter: sums over photographs, and their solution."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from retina_viewer.superres.linear import RADIUS, TAPS, LinearFilter, windows_of

_CENTRE = TAPS // 2


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

    def plus(self, other: "NormalEquations", share: float) -> "NormalEquations":
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
