"""From one record an image to one row a method."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from retina_viewer.evaluation.statistics import rank_biserial, wilcoxon_p
from retina_viewer.evaluation.tables import Column, Record, Table

_GROUP = ("dataset", "protocol", "kernel", "scale")
_BASELINES = ("bicubic-0.75", "bicubic")
"""The gain is over the first of these that was measured."""

_NOTE = (
    "PSNR in dB (peak 255) and RMSE in grey levels, on BT.601 luminance in the studio range "
    "16..235, between 8-bit images, inside the field of view eroded by 2r + 4 px; `whole` is the "
    "whole image. SD over images. p: Wilcoxon signed-rank test on the images' PSNR, two-sided, "
    "exact; effect: rank-biserial correlation, positive where the reference is better."
)
_AVERAGED = ("ssim", "rmse", "psnr_green", "psnr_whole", "ssim_whole", "seconds")


def summarise(records: Sequence[Record], *, reference: str) -> Table:
    """One row a set, condition and method.

    Args:
        records: of :func:`~retina_viewer.evaluation.superres.evaluate_superres`.
        reference: the method that all others are tested against: Wilcoxon's signed-rank test of
            the per-image PSNR inside the field of view, with the rank-biserial effect size
            (positive where the reference is better).
    """
    measured = {str(record["method"]) for record in records}
    baseline = next((name for name in _BASELINES if name in measured), None)
    rows: list[Record] = []
    groups = sorted({tuple(record[name] for name in _GROUP) for record in records}, key=_natural)
    for group in groups:
        members = [r for r in records if tuple(r[name] for name in _GROUP) == group]
        for method in dict.fromkeys(str(record["method"]) for record in members):
            row: Record = dict(zip(_GROUP, group, strict=True))
            row["method"] = method
            rows.append(row | _figures(members, method, baseline, reference))
    return Table(_columns(baseline, reference, rows), rows, (_NOTE,))


def _natural(group: tuple[str | int | float, ...]) -> tuple[str, str, str, int]:
    """Sorts scales as numbers."""
    dataset, protocol, kernel, scale = group
    return str(dataset), str(protocol), str(kernel), int(scale)


def _values(members: Sequence[Record], method: str, name: str) -> list[float]:
    """In the order of the photographs, so that two methods' values are paired."""
    ordered = sorted(members, key=lambda record: str(record["photograph"]))
    return [float(cast(float, record[name])) for record in ordered if record["method"] == method]


def _figures(
    members: Sequence[Record], method: str, baseline: str | None, reference: str
) -> Record:
    own = _values(members, method, "psnr")
    figures: Record = {
        "n": len(own),
        "psnr": float(np.mean(own)),
    }
    if len(own) > 1:
        figures["psnr_sd"] = float(np.std(own, ddof=1))
    for name in _AVERAGED:
        figures[name] = float(np.mean(_values(members, method, name)))
    for name in ("lpips", "s3_ratio"):  # measured on request
        if all(name in record for record in members):
            figures[name] = float(np.mean(_values(members, method, name)))
    if baseline is not None:
        figures["gain"] = float(np.mean(own) - np.mean(_values(members, baseline, "psnr")))
    if method != reference:
        other = _values(members, reference, "psnr")
        figures["p"] = wilcoxon_p(other, own)
        figures["effect"] = rank_biserial(other, own)
    return figures


def _columns(baseline: str | None, reference: str, rows: Sequence[Record]) -> list[Column]:
    columns = [
        Column("dataset", "set"),
        Column("protocol", "protocol"),
        Column("kernel", "kernel"),
        Column("scale", "scale"),
        Column("method", "method"),
        Column("n", "n"),
        Column("psnr", "PSNR Y"),
        Column("psnr_sd", "SD"),
        Column("gain", f"gain over {baseline or 'nothing'}", signed=True),
        Column("ssim", "SSIM Y", digits=4),
        Column("rmse", "RMSE Y"),
        Column("psnr_green", "PSNR green"),
        Column("psnr_whole", "PSNR Y whole"),
        Column("ssim_whole", "SSIM Y whole", digits=4),
        Column("seconds", "s/image"),
        Column("p", f"p vs {reference}", digits=4, as_p=True),
        Column("effect", "effect"),
    ]
    if any("lpips" in row for row in rows):
        columns[-3:-3] = [Column("lpips", "LPIPS", digits=4), Column("s3_ratio", "S3 / truth")]
    return columns
