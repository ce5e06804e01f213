"""Which plots a comparison has."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

from retina_viewer.quality.tables import Record, by_photograph
from studies.page_tables import widest_set
from studies.plots import Panel, Spread, save_plot
from studies.results import TableResults
from studies.vessel_study import ORIGINAL
from studies.vessel_tables import ORIGINALS, OWN

_BASELINE = "bicubic"
_LIKENESS = (("psnr", "PSNR, dB"), ("ssim", "SSIM"), ("lpips", "LPIPS (less is better)"))
_BARS = "Bars: one SD over the photographs."
_BARS_OF_DIFFERENCES = "Bars: one SD of the difference over the photographs."


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
        conditions = [(record["protocol"], record["kernel"]) for record in results[1].records]
        for protocol, kernel in dict.fromkeys(conditions):
            records = [
                record for record in results[1].records
                if (record["protocol"], record["kernel"]) == (protocol, kernel)
            ]  # fmt: skip
            name = f"{stem}likeness_{protocol}_{kernel}.png"
            differs = any(record["method"] == _BASELINE for record in records)
            note = _BARS_OF_DIFFERENCES if differs else _BARS
            save_plot(likeness_panels(records), folder / name, note)
            titles[name] = f"Likeness: {widest_set(results[1])}, {protocol}, {kernel}"
    if 2 in results:
        for dataset in results[2].values("dataset"):
            name = f"{stem}vessels_{dataset}.png"
            records = [one for one in results[2].records if one["dataset"] == dataset]
            save_plot(vessel_panels(records), folder / name, _BARS_OF_DIFFERENCES)
            titles[name] = f"Vessels: {dataset}"
    return titles


def likeness_panels(records: Sequence[Record]) -> list[Panel]:
    """PSNR, SSIM and (where measured) LPIPS against scale: of every photograph the difference to
    interpolation, which its brightness and detail do not move as they do the figures themselves;
    the figures where interpolation was not measured."""
    scales = sorted({int(record["scale"]) for record in records})
    methods = dict.fromkeys(str(record["method"]) for record in records)
    against = f", against {_BASELINE}" if _BASELINE in methods else ""
    panels = []
    for key, title in _LIKENESS:
        lines: dict[str, list[Spread | None]] = {name: [] for name in methods}
        for scale in scales:
            own = [one for one in records if one["scale"] == scale and key in one]
            base = _of(own, key, _BASELINE)
            for name, line in lines.items():
                line.append(_difference(_of(own, key, name), base if against else None))
        if any(spread is not None for line in lines.values() for spread in line):
            panels.append(Panel(f"{title}{against}", [f"x{scale}" for scale in scales], lines))
    return panels


def vessel_panels(records: Sequence[Record]) -> list[Panel]:
    """Dice against scale, for networks of either training: of every photograph the difference to
    what is found in the original by a network that was trained on originals."""
    scales = sorted({int(record["scale"]) for record in records} - {1})
    methods = dict.fromkeys(str(one["method"]) for one in records if one["method"] != ORIGINAL)
    original = _of(records, "dice", ORIGINAL)
    panels = []
    for training in (OWN, ORIGINALS):
        own = [one for one in records if (one["trained_on"] == ORIGINAL) == (training == ORIGINALS)]
        lines: dict[str, list[Spread | None]] = {}
        for name in methods:
            lines[name] = [
                _difference(
                    _of([one for one in own if one["scale"] == scale], "dice", name),
                    original or None,
                )
                for scale in scales
            ]
        against = ", against the original's" if original else ""
        title = f"Vessel Dice{against}, trained on {training}"
        panels.append(Panel(title, [f"x{scale}" for scale in scales], lines))
    return panels


Values = dict[tuple[str, str], float]


def _of(records: Sequence[Record], key: str, method: str) -> Values:
    return by_photograph((one for one in records if one["method"] == method), key)


def _difference(own: Values, base: Values | None) -> Spread | None:
    """Over the photographs of both; of the values themselves where there is no base."""
    common = own if base is None else own.keys() & base.keys()
    values = [own[name] - (0.0 if base is None else base[name]) for name in common]
    if not values:
        return None
    return fmean(values), stdev(values) if len(values) > 1 else math.nan
