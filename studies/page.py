"""The page of a comparison, made from its results: tables, printed figures, claims tested.

Every sentence is computed or holds for whatever was measured, so the page is made anew by the
command and never edited.
"""

from collections.abc import Iterator, Mapping

from retina_viewer.quality.tables import Column, Table
from studies.claim_words import advice, losses, outcome, sentence_of, verdict
from studies.claims import (
    METRICS,
    Case,
    image_cases,
    summary_rows,
    vessel_cases,
)
from studies.contenders import LINEAR_FOLDS
from studies.page_harm import harm
from studies.page_limits import limits
from studies.page_tables import (
    beside_2025,
    beside_table_1,
    beside_table_2,
    likeness_table,
    printed_below,
    vessel_table,
    widest_set,
)
from studies.published import TABLE_1, rmse_of_psnr
from studies.results import TableResults
from studies.vessel_study import ORIGINAL

_CLAIM_COLUMNS = (
    Column("metric", "metric"), Column("dataset", "set"), Column("seen", "trained on"),
    Column("cases", "cases"), Column("first", "first in"), Column("others", "first otherwise"),
    Column("median", "behind, median", digits=4), Column("most", "behind, most", digits=4),
    Column("worst", "where most"), Column("clear", "p < 0.05 in"),
)  # fmt: skip


def cases_of(results: Mapping[int, TableResults]) -> list[Case]:
    """Every case that the tables hold."""
    cases = image_cases(results[1].rows) if 1 in results else []
    return cases + (vessel_cases(results[2].rows) if 2 in results else [])


def page(results: Mapping[int, TableResults], plots: Mapping[str, str]) -> str:
    """The whole page as Markdown.

    Args:
        results: of :func:`~studies.results.read_results`.
        plots: titles by address, relative to the page.
    """
    cases = cases_of(results)
    parts = ["# Benchmarks", _measured(results), *_conclusions(cases)]
    if 1 in results:
        parts += harm(results[1])
    parts += _claims(cases)
    if 1 in results:
        parts += _likeness(results[1])
    if plots:
        parts += ["## Plots", *(f"![{title}]({address})" for address, title in plots.items())]
    if 2 in results:
        parts += _vessels(results[2])
    if 3 in results:
        parts += _table_2025(results[3], results.get(1))
    parts += limits(results)
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _measured(results: Mapping[int, TableResults]) -> str:
    sets: dict[str, set[str]] = {}
    for one in results.values():
        for record in one.records:
            sets.setdefault(str(record["dataset"]), set()).add(str(record["photograph"]))
    counted = sentence_of([f"{len(names)} of {name}" for name, names in sorted(sets.items())])
    commands = dict.fromkeys(
        command
        for one in results.values()
        for command in one.provenance.get("commands", [one.provenance["command"]])
    )
    first = next(iter(results.values())).provenance
    lines = "\n".join(f"    {command}" for command in commands)
    return (
        f"Measured on photographs that no training of the methods saw: {counted}. Made by\n\n"
        f"{lines}\n    retina-viewer evaluate tables -o DIR --page docs/benchmarks.md\n\n"
        f"on {first['date']}, with version {first['program']} and torch "
        f"{first['versions']['torch']}, on {first['device']}, threads: {first['threads']}. "
        "Beside the plots, in `figures/`, lie every figure of every photograph "
        "(`*_per_image.csv`) and the hashes of weights and photographs (`*_provenance.json`). "
        "What the metrics are: [figures/README.md](figures/README.md)."
    )


def _conclusions(cases: list[Case]) -> Iterator[str]:
    yield "## What to conclude"
    yield verdict(cases)
    said = advice(cases)
    if said:
        yield "What came first most often among the methods measured:"
        yield "\n".join(f"- {sentence}." for sentence in said)
        yield (
            "A method that comes first has shown more of what is in the original, not all of it: "
            "look at S3 and at the vessels found in the original itself before trusting a detail. "
            "Where p is not small, the order of two methods is not settled by these photographs."
        )


def _claims(cases: list[Case]) -> Iterator[str]:
    yield "## Claims tested"
    yield (
        "The 2017 paper puts the saliency GAN first at every scale. A case is one set under one "
        f"condition; the best mean is first; `{LINEAR_FOLDS}` does not compete."
    )
    yield "\n".join(f"- {outcome(metric, cases)}" for metric in METRICS)
    rows = summary_rows(cases)
    if rows:
        yield Table(_CLAIM_COLUMNS, rows).to_markdown()
    for metric in METRICS:
        said = losses(metric, cases)
        if said:
            yield "\n".join(f"- {sentence}" for sentence in said)


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
    for protocol in results.values("protocol"):
        for kernel in results.values("kernel"):
            table = likeness_table(results, dataset, str(protocol), str(kernel))
            if table.rows:
                yield f"### {dataset}, {protocol}, {kernel}"
                yield table.to_markdown()
    table, where = beside_table_1(results)
    yield "### Beside the printed figures"
    yield f"Printed / measured here ({where})."
    yield table.to_markdown()
    yield _not_comparable(results)


def _reference(results: TableResults) -> str:
    """The method that the others were tested against: the one whose rows alone lack p."""
    tested = {str(row["method"]) for row in results.rows if "p" in row}
    others = {str(name) for name in results.values("method")} - tested - {ORIGINAL}
    return f"`{others.pop()}`" if len(others) == 1 else "no other"


def _not_comparable(results: TableResults) -> str:
    psnr = float(TABLE_1[0]["psnr"])
    contradiction = (
        "These are not comparable, and no bar. The paper's photographs, split and definition of S3 "
        "and RMSE are not public, and its table contradicts itself: a PSNR of "
        f"{psnr:.1f} dB is an RMSE of {rmse_of_psnr(psnr) * 1e3:.1f}e-3 of full scale, which its "
        f"column prints as {TABLE_1[0]['rmse']}e-6, and its other rows fit no better."
    )
    beaten, compared = printed_below(results, "bicubic")
    if not compared:
        return contradiction
    return (
        f"{contradiction} Plain bicubic interpolation, on the protocol above, has a higher SSIM "
        f"than {beaten} of the {compared} printed for the methods that the paper compares with."
    )


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
    yield "Printed / measured here; both are means over the scales."
    yield beside_table_2(results).to_markdown()
    yield (
        "Not comparable either: the paper's U-Nets are those of another work, it does not say "
        "where it counted, and an accuracy over the whole image gains from the dark surround, "
        "where nothing can be wrong. What can be compared is the order, and how far each method "
        "stays below the originals."
    )


def _table_2025(results: TableResults, images: TableResults | None) -> Iterator[str]:
    yield "## Table 2 of the 2025 paper: precision, recall, F1"
    yield "At x4, networks trained on the method's own images; PSNR and SSIM of native size."
    yield beside_2025(results, images).to_markdown()
    yield (
        "The printed row is of another task on another set: APTOS-2019 has no drawn vessels, and "
        "the paper does not say what was segmented or against which labels."
    )
