"""From one record an image to one row a method: the vessels that are found again."""

from collections.abc import Sequence

import numpy as np

from retina_viewer.quality.statistics import wilcoxon_p
from retina_viewer.quality.tables import Column, Record, Table

ORIGINAL = "original"
"""The method's name of a photograph that was neither shrunk nor enlarged."""
BASELINE = "bicubic"

_COLUMNS = (
    Column("dataset", "set"),
    Column("kernel", "kernel"),
    Column("scale", "scale"),
    Column("method", "method"),
    Column("n", "n"),
    Column("dice", "Dice", digits=4),
    Column("dice_sd", "SD", digits=4),
    Column("auc", "AUC", digits=4),
    Column("sensitivity", "sensitivity", digits=4),
    Column("sensitivity_thin", "of thin", digits=4),
    Column("cldice", "clDice", digits=4),
    Column("won_back", "Dice won back %", digits=0, signed=True),
    Column("p", f"p vs {BASELINE}", digits=4, as_p=True),
)
_NOTE = (
    "Vessels found by {model}, which was trained on original photographs alone and saw none of "
    "these, against the first observer inside the field of view; means over images. `of thin`: "
    "sensitivity for vessels at most 3 px wide; clDice: of centre lines. Won back: of the mean "
    "Dice that lies between bicubic and the original. p: Wilcoxon signed-rank test of the images' "
    "Dice, two-sided, exact."
)


def summarise(records: Sequence[Record], model: str) -> Table:
    """One row a set, kernel, scale and method: means, the share won back, and p.

    Args:
        records: of :func:`~studies.vessel_recovery.evaluate_recovery`, with the
            method ``bicubic`` among them.
        model: the vessel model's name, for the note.
    """
    groups: dict[tuple[str, str, int, str], list[Record]] = {}
    for record in records:
        names = (str(record[name]) for name in ("dataset", "kernel"))
        dataset, kernel = names
        key = (dataset, kernel, int(record["scale"]), str(record["method"]))
        groups.setdefault(key, []).append(record)
    rows: list[Record] = []
    for (dataset, kernel, scale, method), members in sorted(groups.items()):
        row: Record = {
            "dataset": dataset, "kernel": kernel or "-", "scale": scale, "method": method,
            "n": len(members),
        }  # fmt: skip
        for name in ("dice", "auc", "sensitivity", "sensitivity_thin", "cldice"):
            values = [float(one[name]) for one in members if name in one]
            if values:
                row[name] = float(np.mean(values))
        if len(members) > 1:
            row["dice_sd"] = float(np.std([float(one["dice"]) for one in members], ddof=1))
        if method not in (ORIGINAL, BASELINE):
            low = groups[dataset, kernel, scale, BASELINE]
            row |= _won_back(members, low, groups[dataset, "", 1, ORIGINAL])
        rows.append(row)
    return Table(_COLUMNS, rows, (_NOTE.format(model=model),))


def _won_back(own: list[Record], low: list[Record], high: list[Record]) -> Record:
    """The share of the mean Dice between ``low`` and ``high`` in percent, and p against ``low``."""
    dice = [
        np.array([float(one["dice"]) for one in sorted(some, key=lambda r: str(r["photograph"]))])
        for some in (own, low, high)
    ]
    found: Record = {"p": wilcoxon_p(dice[0], dice[1])}
    lost = float(dice[2].mean() - dice[1].mean())
    if lost > 0:
        found["won_back"] = 100 * float(dice[0].mean() - dice[1].mean()) / lost
    return found
