"""Which plots a comparison has."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from retina_viewer.evaluation.page_tables import widest_set
from retina_viewer.evaluation.plots import Panel, Spread, save_plot
from retina_viewer.evaluation.results import TableResults
from retina_viewer.evaluation.tables import Record
from retina_viewer.evaluation.vessel_study import ORIGINAL
from retina_viewer.evaluation.vessel_tables import ORIGINALS, OWN

_LIKENESS = (("psnr", "PSNR, dB"), ("ssim", "SSIM"), ("lpips", "LPIPS (less is better)"))
_BARS = "Bars: one SD over the photographs."


def save_plots(results: Mapping[int, TableResults], folder: Path, stem: str = "") -> dict[str, str]:
    """PNG files of table 1 (one a protocol and kernel) and table 2 (one a set).

    Args:
        folder: made if missing.
        stem: begins the files' names.

    Returns:
        Titles by file name.

    Raises:
        UserError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    titles: dict[str, str] = {}
    if 1 in results:
        dataset = widest_set(results[1])
        for protocol in results[1].values("protocol"):
            for kernel in results[1].values("kernel"):
                name = f"{stem}likeness_{protocol}_{kernel}.png"
                rows = [
                    row for row in results[1].rows
                    if (row["dataset"], row["protocol"], row["kernel"])
                    == (dataset, protocol, kernel)
                ]  # fmt: skip
                if not rows:
                    continue
                save_plot(likeness_panels(rows), folder / name, _BARS)
                titles[name] = f"Likeness: {dataset}, {protocol}, {kernel}"
    if 2 in results:
        for dataset in results[2].values("dataset"):
            name = f"{stem}vessels_{dataset}.png"
            rows = [row for row in results[2].rows if row["dataset"] == dataset]
            save_plot(vessel_panels(rows), folder / name, _BARS)
            titles[name] = f"Vessels: {dataset}"
    return titles


def likeness_panels(rows: Sequence[Record]) -> list[Panel]:
    """PSNR, SSIM and (where measured) LPIPS against scale."""
    scales = sorted({int(row["scale"]) for row in rows})
    methods = dict.fromkeys(str(row["method"]) for row in rows)
    return [
        Panel(
            title,
            [f"x{scale}" for scale in scales],
            {name: [_at(rows, key, method=name, scale=s) for s in scales] for name in methods},
        )
        for key, title in _LIKENESS
        if any(key in row for row in rows)
    ]


def vessel_panels(rows: Sequence[Record]) -> list[Panel]:
    """Dice against scale, for networks of either training; the original stands at every scale."""
    scales = sorted({int(row["scale"]) for row in rows} - {1})
    methods = [str(row["method"]) for row in rows if row["method"] != ORIGINAL]
    original = _at(rows, "dice", method=ORIGINAL)
    panels = []
    for training in (OWN, ORIGINALS):
        lines: dict[str, list[Spread | None]] = {ORIGINAL: [original] * len(scales)}
        for name in dict.fromkeys(methods):
            lines[name] = [
                _at(rows, "dice", method=name, scale=s, trained_on=training) for s in scales
            ]
        title = f"Vessel Dice, trained on {training}"
        panels.append(Panel(title, [f"x{scale}" for scale in scales], lines))
    return panels


def _at(rows: Sequence[Record], key: str, **wanted: str | int) -> Spread | None:
    for row in rows:
        if key in row and all(row[name] == value for name, value in wanted.items()):
            return float(row[key]), float(row.get(f"{key}_sd", math.nan))
    return None
