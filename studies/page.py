"""The page of a comparison: its tables, with the papers' printed figures beside.

What the tables say is written by people, in ``docs/results.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from retina_viewer.quality.records import Record
from studies.claims import (
    CLAIMANT,
    LPIPS,
    SSIM,
    Case,
    Metric,
    Row,
    by_condition,
    image_cases,
    summary_rows,
    vessel_cases,
)
from studies.contenders import LINEAR_FOLDS
from studies.page_tables import (
    beside_2025,
    beside_table_1,
    beside_table_2,
    likeness_table,
    vessel_table,
    widest_set,
)
from studies.report import TableResults
from studies.tables import Table, columns
from studies.vessel_study import ORIGINAL

BASELINE = "bicubic"
_PSNR = Metric("psnr", "PSNR", "p", 1, digits=2)
_MEASURES = (_PSNR, SSIM, LPIPS)
_NAMED = 3
_HARM_COLUMNS = columns(
    "method", "cases", *(f"{metric.key}:worse in {metric.title}" for metric in _MEASURES),
    "where:where in PSNR (by dB)",
)  # fmt: skip
_CLAIM_COLUMNS = columns(
    "metric", "dataset:set", "seen:trained on", "cases", "first:first in", "others:first otherwise",
    "median:behind, median:4", "most:behind, most:4", "worst:where most", "clear:p < 0.05 in",
)  # fmt: skip


def cases_of(results: Mapping[int, TableResults]) -> list[Case]:
    """Every case that the tables hold."""
    cases = image_cases(results[1].rows) if 1 in results else []
    return cases + (vessel_cases(results[2].rows) if 2 in results else [])


def page(results: Mapping[int, TableResults], plots: Mapping[str, str]) -> str:
    """The whole page as Markdown.

    Args:
        results: of :func:`~studies.report.read_results`.
        plots: titles by address, relative to the page.
    """
    parts = ["# Benchmarks", *_measured(results)]
    claims, harm = (
        summary_rows(cases_of(results)),
        harm_rows(results[1].rows) if 1 in results else [],
    )
    if claims:
        parts += [
            "## Claims tested",
            f"Where `{CLAIMANT}` has the best mean. A case is one set under one condition.",
            Table(_CLAIM_COLUMNS, claims).to_markdown(),
        ]
    if harm:
        parts += [
            "## Worse than interpolation",
            "Cases in which the mean of plain bicubic interpolation is better.",
            Table(_HARM_COLUMNS, harm).to_markdown(),
        ]
    if 1 in results:
        parts += _likeness(results[1])
    if plots:
        parts += ["## Plots", *(f"![{title}]({address})" for address, title in plots.items())]
    if 2 in results:
        parts += _vessels(results[2])
    if 3 in results:
        parts += [
            "## Table 2 of the 2025 paper: precision, recall, F1",
            "At x4, networks trained on the method's own images; likeness of native size.",
            beside_2025(results[3], results.get(1)).to_markdown(),
        ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _measured(results: Mapping[int, TableResults]) -> Iterator[str]:
    """On what, when and how."""
    sets: dict[str, set[str]] = {}
    for one in results.values():
        for record in one.records:
            sets.setdefault(str(record["dataset"]), set()).add(str(record["photograph"]))
    rows: list[Record] = [
        {"dataset": name, "n": len(photographs)} for name, photographs in sorted(sets.items())
    ]
    yield (
        "Tables alone, made by the commands below; what they say is in [results.md](results.md), "
        "what the metrics are in [figures/README.md](figures/README.md)."
    )
    yield Table(columns("dataset:set", "n:photographs that no training saw"), rows).to_markdown()
    commands = dict.fromkeys(
        command
        for one in results.values()
        for command in one.provenance.get("commands", [one.provenance["command"]])
    )
    shown = [*commands, "python -m studies evaluate tables -o DIR --page docs/benchmarks.md"]
    yield "\n".join(f"    {command}" for command in shown)
    first = next(iter(results.values())).provenance
    about: Record = {
        "date": first["date"], "version": first["program"],
        "torch": first["versions"]["torch"], "device": first["device"],
        "threads": first["threads"],
    }  # fmt: skip
    yield Table(columns(*about), [about]).to_markdown()
    yield (
        "Every figure of every photograph: `figures/*_per_image.csv`. Hashes of weights and "
        "photographs: `figures/*_provenance.json`."
    )


def _likeness(results: TableResults) -> Iterator[str]:
    yield "## Table 1 of the 2017 paper: likeness"
    dataset = widest_set(results)
    yield (
        "Mean ± SD over the photographs. PSNR (dB), RMSE (grey levels) and SSIM of BT.601 "
        "luminance, studio range, LPIPS (VGG-16, less is better) and S3 as a ratio to the "
        "original's, inside the field of view eroded by 2r + 4 px; p: Wilcoxon signed-rank test, "
        f"two-sided, exact, against {_reference(results)}. Each set by itself: `table1.md` in "
        "DIR."
    )
    for protocol, kernel in product(results.values("protocol"), results.values("kernel")):
        table = likeness_table(results, dataset, str(protocol), str(kernel))
        if table.rows:
            yield f"### {dataset}, {protocol}, {kernel}"
            yield table.to_markdown()
    table, where = beside_table_1(results)
    yield "### Beside the printed figures"
    yield f"Printed / measured here ({where}). Not comparable, and no bar."
    yield table.to_markdown()


def _reference(results: TableResults) -> str:
    """The method that the others were tested against: the one whose rows alone lack p."""
    tested = {str(row["method"]) for row in results.rows if "p" in row}
    others = {str(name) for name in results.values("method")} - tested - {ORIGINAL}
    return f"`{others.pop()}`" if len(others) == 1 else "no other"


def _vessels(results: TableResults) -> Iterator[str]:
    yield "## Table 2 of the 2017 paper: vessels"
    steps = str(results.provenance["networks"]).rpartition("-")[2]
    yield (
        f"A small U-Net, {steps} steps for each, trained on the training half of the set as "
        "the method shows it (`its own images`) or as it is (`originals`), measured on the test "
        "half as the method shows it. Small photographs by the Gaussian kernel. Inside the field "
        "of view unless `whole`; `of thin`: sensitivity for vessels at most 3 px wide; p of Dice "
        f"against {_reference(results)}."
    )
    for dataset in results.values("dataset"):
        yield f"### {dataset}"
        yield vessel_table(results, str(dataset)).to_markdown()
    yield "### Beside the printed figures"
    yield "Printed / measured here; both are means over the scales. Not comparable, and no bar."
    yield beside_table_2(results).to_markdown()


def harm_rows(summary: list[Record]) -> list[Record]:
    """One row a method, in the order of the summary of table 1; ``linear-5fold`` is left out."""
    cases = {
        case: {str(row["method"]): row for row in rows}
        for case, rows in by_condition(summary).items()
    }
    compared = {case: methods for case, methods in cases.items() if BASELINE in methods}
    names = dict.fromkeys(name for methods in compared.values() for name in methods)
    found: list[Record] = []
    for name in names:
        if name in (BASELINE, LINEAR_FOLDS):
            continue
        pairs = {
            case: (methods[name], methods[BASELINE])
            for case, methods in compared.items()
            if name in methods
        }
        line: Record = {"method": name, "cases": len(pairs)}
        for metric in _MEASURES:
            gains = _gains(pairs, metric)
            line[metric.key] = sum(gain < 0 for gain in gains.values())
            if metric is _PSNR:
                line["where"] = _places(gains)
        found.append(line)
    return found


def _gains(
    pairs: dict[tuple[str, str], tuple[Row, Row]], metric: Metric
) -> dict[tuple[str, str], float]:
    """Over interpolation, positive where better; of the cases where both have the figure."""
    key = metric.key
    return {
        case: metric.sign * (float(own[key]) - float(base[key]))
        for case, (own, base) in pairs.items()
        if key in own and key in base
    }


def _places(gains: dict[tuple[str, str], float]) -> str:
    """The worst first: ``CHASE_DB1: native, bicubic, x2 (-1.42)``."""
    lost = sorted((gain, case) for case, gain in gains.items() if gain < 0)
    said = [f"{case[0]}: {case[1]} ({gain:.2f})" for gain, case in lost[:_NAMED]]
    more = len(lost) - _NAMED
    return "; ".join(said) + (f"; and {more} more" if more > 0 else "") or "-"
