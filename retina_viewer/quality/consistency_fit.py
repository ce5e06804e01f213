"""How well an expected error tells the true one, and the calibration that makes it do so.

All weights of a fit are positive or zero, and the curve from score to grey levels rises, so no
evidence of an error can ever make the map more confident.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retina_viewer.superres.uncertainty_calibration import FLOOR, ScaleCalibration

Values = NDArray[np.float64]

_BINS = (0, 0.02, 0.05, *(0.1 * tenth for tenth in range(1, 10)), 0.95, 0.98, 0.995, 1)
"""Shares of the windows, by score: the curve has a knot in each, more of them where it is steep."""


@dataclass(frozen=True, eq=False)
class Windows:
    """What is known of the windows of one photograph under one condition.

    Attributes:
        error: true local error, ``(n,)`` float32, grey levels.
        planes: evidence by name, each ``(n,)`` float32, grey levels.
    """

    error: NDArray[np.float32]
    planes: Mapping[str, NDArray[np.float32]]


def fit_calibration(samples: Sequence[Windows]) -> ScaleCalibration:
    """Weights and curve for one scale; every photograph counts alike, however many windows it has.

    The weights are those of the non-negative least squares fit of the logarithm of the error: in
    logarithms, because an error of 1 grey level for one of 2 is as wrong as 10 for 20.

    Args:
        samples: of all photographs; evidence that some lack (the twin's difference, at fidelity
            1) counts as none there.

    Raises:
        ValueError: there are no windows.
    """
    names = sorted({name for sample in samples for name in sample.planes})
    counts = [sample.error.size for sample in samples]
    if not sum(counts):
        raise ValueError("no windows to fit to")
    weight = np.concatenate([np.full(n, 1 / n) for n in counts if n])
    error = np.concatenate([sample.error for sample in samples]).astype(np.float64)
    logs = np.stack([_log_of(name, samples) for name in names], axis=1)
    weights = _non_negative_fit(logs, np.log(error + FLOOR), weight)
    scores, errors = _rising_curve(logs @ weights, error, weight)
    return ScaleCalibration(
        weights={name: round(float(w), 4) for name, w in zip(names, weights, strict=True) if w > 0},
        scores=tuple(round(float(s), 4) for s in scores),
        errors=tuple(round(float(e), 4) for e in errors),
    )


def _log_of(name: str, samples: Sequence[Windows]) -> Values:
    """One evidence of all windows."""
    rows = [sample.planes.get(name, np.zeros_like(sample.error)) for sample in samples]
    return np.log(np.concatenate(rows).astype(np.float64) + FLOOR)


def _non_negative_fit(columns: Values, target: Values, weight: Values) -> Values:
    """Weighted least squares with intercept and weights >= 0: the best of all subsets of columns.

    With five columns there are 31 subsets, each a tiny system; the best feasible one is the exact
    solution (at the optimum the zero weights are at their bound).
    """
    share = weight / weight.sum()
    centred = columns - share @ columns
    aim = target - share @ target
    gram = (centred * share[:, None]).T @ centred
    moment = (centred * share[:, None]).T @ aim
    best, lowest = np.zeros(columns.shape[1]), np.inf
    for chosen in product((False, True), repeat=columns.shape[1]):
        index = np.flatnonzero(chosen)
        if not index.size:
            continue
        part, *_ = np.linalg.lstsq(gram[np.ix_(index, index)], moment[index], rcond=1e-10)
        if part.min() < 0:
            continue
        cost = float(part @ gram[np.ix_(index, index)] @ part - 2 * part @ moment[index])
        if cost < lowest:
            lowest = cost
            best = np.zeros(columns.shape[1])
            best[index] = part
    if not best.any():
        raise ValueError("no evidence rises with the error")
    return best


def _rising_curve(score: Values, error: Values, weight: Values) -> tuple[Values, Values]:
    """Knots of a rising curve: means over bins of the score, neighbours that fall pooled."""
    order = np.argsort(score, kind="stable")
    score, error, weight = score[order], error[order], weight[order]
    reached = np.cumsum(weight) / weight.sum()
    edges = np.unique(np.searchsorted(reached, _BINS[1:-1]))
    bins = [part for part in np.split(np.arange(score.size), edges) if part.size]
    at = np.array([np.average(score[part], weights=weight[part]) for part in bins])
    mean = np.array([np.average(error[part], weights=weight[part]) for part in bins])
    rising = _pooled(mean, np.array([weight[part].sum() for part in bins]))
    apart = np.r_[True, np.diff(np.round(at, 4)) > 0]
    at, rising = at[apart], rising[apart]
    if at.size == 1:  # the score tells nothing apart: a flat curve
        at, rising = np.r_[at, at + 1], np.r_[rising, rising]
    return at, rising


def _pooled(values: Values, weights: Values) -> Values:
    """The nearest rising row of values, least squares (pool adjacent violators, Ayer 1955)."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append((float(value), float(weight), 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (b, v, m), (a, w, n) = blocks.pop(), blocks.pop()
            blocks.append(((a * w + b * v) / (w + v), w + v, n + m))
    return np.concatenate([np.full(count, value) for value, _, count in blocks])


def spearman(first: ArrayLike, second: ArrayLike) -> float:
    """Spearman's rank correlation, tied values sharing their mean rank; NaN where one is constant.

    Args:
        first, second: paired values, ``(n,)``.
    """
    a, b = _ranks(np.asarray(first, np.float64)), _ranks(np.asarray(second, np.float64))
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"expected two paired rows of values, got {a.shape} and {b.shape}")
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else float("nan")


def _ranks(values: Values) -> Values:
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, side="left")
    through = np.searchsorted(ordered, values, side="right")
    return np.asarray((below + through + 1) / 2.0, np.float64)


def deciles(expected: ArrayLike, error: ArrayLike) -> list[tuple[float, float]]:
    """Mean expected and mean true error in each tenth of the windows, by expected error."""
    wanted, true = np.asarray(expected, np.float64), np.asarray(error, np.float64)
    order = np.argsort(wanted, kind="stable")
    return [
        (float(wanted[part].mean()), float(true[part].mean()))
        for part in np.array_split(order, 10)
        if part.size
    ]
