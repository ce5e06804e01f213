"""Where methods are worse than interpolation: what they drew took from the picture."""

from collections.abc import Iterator

from retina_viewer.quality.tables import Column, Record, Table
from studies.claims import LPIPS, SSIM, Metric, Row, by_condition
from studies.contenders import LINEAR_FOLDS
from studies.results import TableResults

BASELINE = "bicubic"
_PSNR = Metric("psnr", "PSNR", "p", 1, digits=2)
_MEASURES = (_PSNR, SSIM, LPIPS)
_NAMED = 3
_ENLARGED = (
    " Under the paper protocol originals of less than 1024 pixels are themselves enlarged, and "
    "soft: whatever sharpens is then further from them, most at x2."
)
_COLUMNS = (
    Column("method", "method"), Column("cases", "cases"),
    *(Column(metric.key, f"worse in {metric.title}") for metric in _MEASURES),
    Column("where", "where in PSNR (by dB)"),
)  # fmt: skip


def harm(results: TableResults) -> Iterator[str]:
    """A section: for every method, in how many cases interpolation is better; nothing where
    interpolation was not measured."""
    rows = harm_rows(results.rows)
    if not rows:
        return
    yield "### Worse than interpolation"
    yield (
        "Cases, each one set under one condition, in which the mean of plain bicubic interpolation "
        "is better: what the method added took more from the picture than it gave."
        + (_ENLARGED if "paper" in results.values("protocol") else "")
    )
    yield Table(_COLUMNS, rows).to_markdown()


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
