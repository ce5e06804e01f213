"""The tables of the page: few columns, a value and its SD in one cell, printed figures beside.

The printed figures are no bar. 2017: "Image super resolution using generative adversarial networks
and local saliency maps for retinal image analysis", tables 1 and 2. 2025: "Super-resolution image
generation for diabetic retinopathy detection by SRGAN", table 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from retina_viewer.quality.records import Record, Value
from studies.report import TableResults
from studies.superres import ALL_SETS
from studies.tables import Table, columns
from studies.vessel_study import ORIGINAL
from studies.vessel_tables import OWN

_PRINTED = ("ssim", "rmse", "psnr", "s3")
TABLE_1: tuple[Record, ...] = tuple(
    {"method": method, "scale": scale, **dict(zip(_PRINTED, cells, strict=False))}
    for scale, every in {
        4: ((0.89, 6.2, 44.3, 0.83), (0.78, 8.1, 36.4, 0.65), (0.75, 9.1, 34.3, 0.61),
            (0.71, 10.3, 30.2, 0.57), (0.67, 11.2, 27.1, 0.54)),
        8: ((0.84, 7.5, 39.0, 0.74), (0.73, 9.3, 31.0, 0.60), (0.67, 10.9, 28.0, 0.57),
            (0.62, 12.3, 25.0, 0.55), (0.60, 13.7, 22.0, 0.21)),
        16: ((0.80,), (0.69,), (0.64,), (0.59,), (0.56,)),
    }.items()
    for method, cells in zip(
        ("saliency-gan", "srgan", "srcnn", "sr-forest", "ssr"), every, strict=True
    )
)  # fmt: skip
"""2017, table 1; RMSE as printed, in units of 1e-6."""

TABLE_2: tuple[Record, ...] = tuple(
    {"dataset": dataset, "method": method, "accuracy": accuracy, "sensitivity": sensitivity}
    for dataset, cells in {
        "DRIVE": ((0.98, 0.79), (0.96, 0.77), (0.92, 0.74), (0.89, 0.73), (0.87, 0.70),
                  (0.85, 0.69)),
        "STARE": ((0.98, 0.90), (0.96, 0.87), (0.91, 0.84), (0.89, 0.81), (0.86, 0.77),
                  (0.83, 0.72)),
        "CHASE_DB1": ((0.97, 0.84), (0.95, 0.82), (0.91, 0.76), (0.87, 0.72), (0.85, 0.70),
                      (0.81, 0.68)),
    }.items()
    for method, (accuracy, sensitivity) in zip(
        ("original", "saliency-gan", "srgan", "srcnn", "sr-forest", "ssr"), cells, strict=True
    )
)  # fmt: skip
"""2017, table 2: one figure for x4 and x8 together."""

TABLE_2025: Record = {
    "method": "srgan-vgg19", "scale": 4, "psnr": 43.0, "ssim": 0.93, "precision": 0.965,
    "sensitivity": 0.913, "dice": 0.937,
}  # fmt: skip
"""2025, table 2; its recall and F1 under the names that they have here."""


Row = Mapping[str, Value]


def widest_set(results: TableResults) -> str:
    """``all`` where several sets were measured, else the one."""
    sets = results.values("dataset")
    return ALL_SETS if ALL_SETS in sets else str(sets[0])


def likeness_table(results: TableResults, dataset: str, protocol: str, kernel: str) -> Table:
    """One row a scale and method, mean ± SD over the photographs."""
    wanted = {"dataset": dataset, "protocol": protocol, "kernel": kernel}
    rows = [
        {
            "scale": f"x{row['scale']}",
            "method": row["method"],
            "n": row["n"],
            "psnr": _spread(row, "psnr", 2),
            "ssim": _spread(row, "ssim", 4),
            "rmse": _spread(row, "rmse", 2),
            "lpips": _spread(row, "lpips", 4),
            "s3": _spread(row, "s3_ratio", 2),
            "whole": _spread(row, "ssim_whole", 4),
            "seconds": _figure(row, "seconds", 2),
            "p_ssim": row.get("p_ssim", math.nan),
            "p_lpips": row.get("p_lpips", math.nan),
        }
        for row in _matching(results.rows, wanted)
    ]
    said = (
        "scale", "method", "n", "psnr:PSNR", "ssim:SSIM", "rmse:RMSE", "lpips:LPIPS",
        "s3:S3 / original", "whole:SSIM whole", "seconds:s", "p_ssim:p SSIM:p",
        "p_lpips:p LPIPS:p",
    )  # fmt: skip
    return Table(columns(*said), rows)


def beside_table_1(results: TableResults) -> tuple[Table, str]:
    """The 2017 paper's table 1 with ours in every cell, and under which protocol ours are."""
    wanted = _nearest_to_the_paper(results)
    rows = []
    for printed in TABLE_1:
        same = {"method": printed["method"], "scale": printed["scale"]}
        ours = next(iter(_matching(results.rows, wanted | same)), {})
        rows.append(
            {
                "scale": f"x{printed['scale']}",
                "method": printed["method"],
                "ssim": _pair(printed, ours, "ssim", "ssim", 2),
                "psnr": _pair(printed, ours, "psnr", "psnr", 1),
                "rmse": _pair(printed, ours, "rmse", "rmse", 1),
                "s3": _pair(printed, ours, "s3", "s3_ratio", 2),
            }
        )
    said = (
        "scale", "method", "ssim:SSIM", "psnr:PSNR, dB", "rmse:RMSE (1e-6 / grey levels)",
        "s3:S3 (index / ratio to original)",
    )  # fmt: skip
    return Table(columns(*said), rows), ", ".join(map(str, wanted.values()))


def _nearest_to_the_paper(results: TableResults) -> dict[str, Value]:
    """The rows measured as the paper did: its protocol and kernel where they were."""
    protocols, kernels = results.values("protocol"), results.values("kernel")
    return {
        "dataset": widest_set(results),
        "protocol": "paper" if "paper" in protocols else protocols[0],
        "kernel": "gaussian" if "gaussian" in kernels else kernels[0],
    }


def beside_table_2(results: TableResults) -> Table:
    """The 2017 paper's table 2 with ours, averaged over the scales measured as theirs are."""
    rows = []
    for printed in TABLE_2:
        original = printed["method"] == ORIGINAL
        wanted = {"dataset": printed["dataset"], "method": printed["method"]}
        found = list(_matching(results.rows, wanted if original else wanted | {"trained_on": OWN}))
        ours: Record = {
            name: sum(float(row[name]) for row in found) / len(found)
            for name in ("accuracy", "sensitivity")
            if found
        }
        rows.append(
            {
                "dataset": printed["dataset"],
                "method": printed["method"],
                "scales": ", ".join(f"x{row['scale']}" for row in found) or "-",
                "accuracy": _pair(printed, ours, "accuracy", "accuracy", 2),
                "sensitivity": _pair(printed, ours, "sensitivity", "sensitivity", 2),
            }
        )
    said = (
        "dataset:set", "method:trained and measured on", "scales:our scales", "accuracy",
        "sensitivity",
    )  # fmt: skip
    return Table(columns(*said), rows)


def vessel_table(results: TableResults, dataset: str) -> Table:
    """Of one set: one row a scale, training and method."""
    rows = [
        {
            "scale": "original" if row["scale"] == 1 else f"x{row['scale']}",
            "trained_on": row["trained_on"],
            "method": row["method"],
            "n": row["n"],
            **{name: _spread(row, name, 3) for name in ("accuracy", "sensitivity", "dice")},
            **{
                name: _figure(row, name, 3)
                for name in ("specificity", "auc", "cldice", "sensitivity_thin", "dice_whole")
            },
            "p": row.get("p", math.nan),
        }
        for row in _matching(results.rows, {"dataset": dataset})
    ]
    said = (
        "scale", "trained_on:trained on", "method", "n", "accuracy", "sensitivity", "specificity",
        "auc:AUC", "dice:Dice", "cldice:clDice", "sensitivity_thin:of thin",
        "dice_whole:Dice whole", "p:p:p",
    )  # fmt: skip
    return Table(columns(*said), rows)


def beside_2025(vessels: TableResults, images: TableResults | None) -> Table:
    """The 2025 paper's table with every method's figures at x4; likeness where it was measured."""
    cells = ("psnr", "ssim", "precision", "sensitivity", "dice")
    digits = {"psnr": 1, "ssim": 3}
    printed: dict[str, Value] = {
        name: _figure(TABLE_2025, name, digits.get(name, 3)) for name in cells
    }
    rows: list[dict[str, Value]] = [{"dataset": "APTOS-2019 (printed)", **printed}]
    rows[0]["method"] = TABLE_2025["method"]
    for row in _matching(vessels.rows, {"scale": 4, "trained_on": OWN}):
        same = {"dataset": row["dataset"], "method": row["method"], "scale": 4,
                "protocol": "native", "kernel": "gaussian"}  # fmt: skip
        likeness = next(iter(_matching(images.rows, same)), {}) if images else {}
        merged = {**likeness, **row}
        named = {"dataset": row["dataset"], "method": row["method"]}
        rows.append(named | {name: _figure(merged, name, digits.get(name, 3)) for name in cells})
    said = (
        "dataset:set", "method", "psnr:PSNR", "ssim:SSIM", "precision", "sensitivity:recall",
        "dice:F1",
    )  # fmt: skip
    return Table(columns(*said), rows)


def _matching(rows: Iterable[Row], wanted: Mapping[str, Value]) -> Iterable[Row]:
    return (row for row in rows if all(row.get(k) == value for k, value in wanted.items()))


def _figure(row: Row, name: str, digits: int) -> str:
    value = row.get(name)
    return "-" if not isinstance(value, int | float) else f"{value:.{digits}f}"


def _spread(row: Row, name: str, digits: int) -> str:
    sd = row.get(f"{name}_sd")
    mean = _figure(row, name, digits)
    return mean if not isinstance(sd, float) else f"{mean} ± {sd:.{digits}f}"


def _pair(printed: Row, ours: Row, name: str, own_name: str, digits: int) -> str:
    """``printed / ours``; a dash where nothing is printed."""
    if name not in printed:
        return "-"
    return f"{_figure(printed, name, digits)} / {_figure(ours, own_name, digits)}"
