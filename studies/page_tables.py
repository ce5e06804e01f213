"""The tables of the page: few columns, a value and its SD in one cell, printed figures beside."""

import math
from collections.abc import Iterable, Mapping

from retina_viewer.quality.tables import Column, Record, Table, Value
from studies.published import TABLE_1, TABLE_2, TABLE_2025
from studies.results import TableResults
from studies.superres_summary import ALL_SETS
from studies.vessel_study import ORIGINAL
from studies.vessel_tables import OWN

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
    columns = (
        Column("scale", "scale"), Column("method", "method"), Column("n", "n"),
        Column("psnr", "PSNR"), Column("ssim", "SSIM"), Column("rmse", "RMSE"),
        Column("lpips", "LPIPS"), Column("s3", "S3 / original"), Column("whole", "SSIM whole"),
        Column("seconds", "s"), Column("p_ssim", "p SSIM", digits=4, as_p=True),
        Column("p_lpips", "p LPIPS", digits=4, as_p=True),
    )  # fmt: skip
    return Table(columns, rows)


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
    columns = (
        Column("scale", "scale"), Column("method", "method"), Column("ssim", "SSIM"),
        Column("psnr", "PSNR, dB"), Column("rmse", "RMSE (1e-6 / grey levels)"),
        Column("s3", "S3 (index / ratio to original)"),
    )  # fmt: skip
    return Table(columns, rows), ", ".join(map(str, wanted.values()))


def _nearest_to_the_paper(results: TableResults) -> dict[str, Value]:
    """The rows measured as the paper did: its protocol and kernel where they were."""
    protocols, kernels = results.values("protocol"), results.values("kernel")
    return {
        "dataset": widest_set(results),
        "protocol": "paper" if "paper" in protocols else protocols[0],
        "kernel": "gaussian" if "gaussian" in kernels else kernels[0],
    }


def printed_below(results: TableResults, method: str) -> tuple[int, int]:
    """Of how many printed baselines a method's SSIM is higher at the same scale, and of how many
    it was measured."""
    wanted = _nearest_to_the_paper(results) | {"method": method}
    ours = {row["scale"]: float(row["ssim"]) for row in _matching(results.rows, wanted)}
    baselines = [row for row in TABLE_1 if row["method"] != "saliency-gan"]
    compared = [row for row in baselines if row["scale"] in ours]
    return sum(ours[row["scale"]] > float(row["ssim"]) for row in compared), len(compared)


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
    columns = (
        Column("dataset", "set"), Column("method", "trained and measured on"),
        Column("scales", "our scales"), Column("accuracy", "accuracy"),
        Column("sensitivity", "sensitivity"),
    )  # fmt: skip
    return Table(columns, rows)


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
    columns = (
        Column("scale", "scale"), Column("trained_on", "trained on"), Column("method", "method"),
        Column("n", "n"), Column("accuracy", "accuracy"), Column("sensitivity", "sensitivity"),
        Column("specificity", "specificity"), Column("auc", "AUC"), Column("dice", "Dice"),
        Column("cldice", "clDice"), Column("sensitivity_thin", "of thin"),
        Column("dice_whole", "Dice whole"), Column("p", "p", digits=4, as_p=True),
    )  # fmt: skip
    return Table(columns, rows)


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
    columns = (
        Column("dataset", "set"), Column("method", "method"), Column("psnr", "PSNR"),
        Column("ssim", "SSIM"), Column("precision", "precision"), Column("sensitivity", "recall"),
        Column("dice", "F1"),
    )  # fmt: skip
    return Table(columns, rows)


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
