"""From one record an image to one row a method: what is kept of lesions' contrast."""

from collections.abc import Sequence

import numpy as np

from retina_viewer.quality.statistics import wilcoxon_p
from retina_viewer.quality.tables import Column, Record, Table

BASELINE = "bicubic"
_COLUMNS = (
    Column("dataset", "set"),
    Column("kernel", "kernel"),
    Column("scale", "scale"),
    Column("method", "method"),
    Column("n", "n"),
    Column("lesions", "lesions"),
    Column("kept", "contrast kept", digits=3),
    Column("kept_sd", "SD", digits=3),
    Column("kept_gain", f"gain over {BASELINE} %", digits=0, signed=True),
    Column("lost", "lost", digits=3),
    Column("inverted", "inverted", digits=3),
    Column("p", f"p vs {BASELINE}", digits=4, as_p=True),
)
_NOTE = (
    "Microaneurysms in photographs at half size. Contrast: mean green of a ring 2 to 6 px around "
    "the lesion minus that of the lesion, for lesions with at least 2 grey levels of it in the "
    "original; kept: after shrinking and enlarging, the median over an image's lesions, mean and "
    "SD over images. Lost: share of lesions that keep less than a quarter; inverted: less than "
    "nothing. p: Wilcoxon signed-rank test of the images' medians, two-sided, exact: with n images "
    "not below 2^(1 - n)."
)


def summarise(records: Sequence[Record]) -> Table:
    """One row a set, kernel, scale and method; images without a visible lesion do not count.

    Args:
        records: of :func:`~studies.lesions.evaluate_lesions`, with the method
            ``bicubic`` among them.
    """
    groups: dict[tuple[str, str, int], dict[str, list[Record]]] = {}
    for record in sorted(records, key=lambda one: str(one["photograph"])):
        if "kept" in record:
            key = (str(record["dataset"]), str(record["kernel"]), int(record["scale"]))
            groups.setdefault(key, {}).setdefault(str(record["method"]), []).append(record)
    rows: list[Record] = []
    for (dataset, kernel, scale), methods in sorted(groups.items()):
        base = _values(methods[BASELINE], "kept")
        for method, members in methods.items():
            own = _values(members, "kept")
            row: Record = {
                "dataset": dataset, "kernel": kernel, "scale": scale, "method": method,
                "n": len(members), "lesions": sum(int(one["lesions"]) for one in members),
            }  # fmt: skip
            for name in ("kept", "lost", "inverted"):
                row[name] = float(np.mean(_values(members, name)))
            if len(own) > 1:
                row["kept_sd"] = float(np.std(own, ddof=1))
            if method != BASELINE:
                row["kept_gain"] = 100 * float(np.mean(own) / np.mean(base) - 1)
                row["p"] = wilcoxon_p(own, base)
            rows.append(row)
    return Table(_COLUMNS, rows, (_NOTE,))


def _values(members: Sequence[Record], name: str) -> list[float]:
    return [float(one[name]) for one in members]
