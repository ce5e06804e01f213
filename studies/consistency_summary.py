"""The tables of the consistency map: how the expected error follows the true one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retina_viewer.quality.calibration import Measured
from retina_viewer.quality.tables import Column, Record, Table
from retina_viewer.superres.uncertainty import THRESHOLD
from retina_viewer.superres.uncertainty_calibration import Calibration

ALL = "all"
_NOTE = (
    "Errors in grey levels of luminance (BT.601, full range), mean over photographs. "
    "rho: Spearman's rank correlation. "
    f"Shares: of windows above {THRESHOLD:g} levels."
)

COLUMNS = (
    Column("dataset", "set"),
    Column("scale", "scale"),
    Column("n", "n"),
    Column("error", "true error"),
    Column("expected", "expected"),
    Column("within", "rho within a photograph"),
    Column("pooled", "rho of all windows"),
    Column("images", "rho of photographs"),
    Column("share", "true share above", digits=3),
    Column("guessed", "expected share above", digits=3),
)


def summarise(measured: Sequence[Measured], calibration: Calibration) -> list[Record]:
    """One row a set and scale, and one a scale over all sets."""
    rows: list[Record] = []
    for scale in sorted({one.item.scale for one in measured}):
        here = [one for one in measured if one.item.scale == scale]
        sets = sorted({one.item.photograph.dataset for one in here})
        for name in (*sets, ALL):
            of_set = [m for m in here if name in (m.item.photograph.dataset, ALL)]
            rows.append({"dataset": name, "scale": scale, **_figures(of_set, calibration)})
    return rows


def _figures(measured: Sequence[Measured], calibration: Calibration) -> dict[str, float | int]:
    pairs = [_expected_and_true(one, calibration) for one in measured]
    expected, error = (np.concatenate(part) for part in zip(*pairs, strict=True))
    means = [(float(e.mean()), float(t.mean())) for e, t in pairs]
    return {
        "n": len(pairs),
        "error": float(np.mean([true for _, true in means])),
        "expected": float(np.mean([wanted for wanted, _ in means])),
        "within": float(np.mean([spearman(e, t) for e, t in pairs])),
        "pooled": spearman(expected, error),
        "images": spearman(*zip(*means, strict=True)) if len(means) > 2 else float("nan"),
        "share": float(np.mean([np.mean(t > THRESHOLD) for _, t in pairs])),
        "guessed": float(np.mean([np.mean(e > THRESHOLD) for e, _ in pairs])),
    }


def _expected_and_true(
    one: Measured, calibration: Calibration
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    expected = calibration.at(one.item.scale).expected_error(one.windows.planes)
    return expected, one.windows.error


def decile_rows(measured: Sequence[Measured], calibration: Calibration) -> list[Record]:
    """Expected and true error, grey levels, in each tenth of the windows, by scale."""
    rows: list[Record] = []
    for scale in sorted({one.item.scale for one in measured}):
        pairs = [_expected_and_true(m, calibration) for m in measured if m.item.scale == scale]
        tenths = deciles(*(np.concatenate(part) for part in zip(*pairs, strict=True)))
        for place, kind in enumerate(("expected", "true")):
            row: Record = {"scale": scale, "what": kind}
            row |= {str(number): tenth[place] for number, tenth in enumerate(tenths, start=1)}
            rows.append(row)
    return rows


def ingredient_rows(measured: Sequence[Measured], calibration: Calibration) -> list[Record]:
    """Weight and rank correlation (mean within photographs) of each evidence alone, by scale."""
    rows: list[Record] = []
    for scale in sorted({one.item.scale for one in measured}):
        here = [one.windows for one in measured if one.item.scale == scale]
        for name in sorted({name for windows in here for name in windows.planes}):
            alone = [spearman(w.planes[name], w.error) for w in here if name in w.planes]
            weight = calibration.at(scale).weights.get(name, 0.0)
            known = [value for value in alone if not np.isnan(value)]
            within = float(np.mean(known)) if known else float("nan")
            rows.append({"scale": scale, "evidence": name, "weight": weight, "within": within})
    return rows


def to_markdown(rows: Sequence[Record], tenths: Sequence[Record], parts: Sequence[Record]) -> str:
    """The three tables of a report."""
    numbers = [Column(str(number), str(number)) for number in range(1, 11)]
    tables = (
        Table(
            COLUMNS,
            rows,
            notes=(_NOTE,),
        ),
        Table((Column("scale", "scale"), Column("what", "tenth of the windows"), *numbers), tenths),
        Table(
            (
                Column("scale", "scale"),
                Column("evidence", "evidence"),
                Column("weight", "weight"),
                Column("within", "rho alone, within a photograph"),
            ),
            parts,
        ),
    )
    return "\n".join(table.to_markdown() for table in tables)


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


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
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
