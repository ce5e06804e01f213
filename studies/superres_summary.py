"""From one record an image to one row a method."""

from collections.abc import Sequence

import numpy as np

from retina_viewer.core.errors import UserError
from retina_viewer.quality.statistics import rank_biserial, wilcoxon_p
from retina_viewer.quality.tables import Column, Record, Table, by_photograph
from retina_viewer.superres.methods import default_method

ALL_SETS = "all"
_GROUP = ("dataset", "protocol", "kernel", "scale")
_BASELINES = ("bicubic-0.75", "bicubic")
"""Gains are over the first of these that was measured."""

_CLOSENESS_NOTE = (
    "PSNR in dB (peak 255) and RMSE in grey levels, on BT.601 luminance in the studio range "
    "16..235, between 8-bit images, inside the field of view eroded by 2r + 4 px; `whole` is the "
    "whole image. SD over images. p: Wilcoxon signed-rank test over the images against "
    "{reference}, two-sided, exact: with n images not below 2^(1 - n). Effect: rank-biserial "
    "correlation of PSNR, positive where {reference} is better."
)
_LPIPS_NOTE = (
    "LPIPS (VGG-16, version 0.1; less is better), its change against {baseline}, and S3 as a ratio "
    "to the original's, inside the eroded field of view."
)
_DRIFT_NOTE = (
    "Drift: mean CIEDE2000 inside it between result and original, both low-passed by a Gaussian of "
    "2r px. s/image: the enlargement itself."
)
_AVERAGED = (
    "ssim", "rmse", "psnr_green", "psnr_whole", "ssim_whole", "rmse_whole", "drift", "seconds",
)  # fmt: skip
_PERCEPTUAL = ("lpips", "s3_ratio", "lpips_whole", "s3_ratio_whole")
_SPREAD = ("psnr", "ssim", "rmse", "lpips", "s3_ratio")
_TESTED = {
    "psnr": "p", "ssim": "p_ssim", "rmse": "p_rmse", "lpips": "p_lpips", "s3_ratio": "p_s3",
}  # fmt: skip


def reference_of(methods: Sequence[str], asked: str | None = None) -> str:
    """The method that the others are tested against: the one asked for, else the program's default
    method, else the pixel-trained one, where they are among them, else the last.

    Raises:
        UserError: the one asked for is not among them.
    """
    if asked is not None and asked not in methods:
        raise UserError(
            f"{asked!r} is not among the methods that are measured.", "Name it among them too."
        )
    usual = [method for method in (default_method(), "pixel") if method in methods]
    return asked or (usual[0] if usual else methods[-1])


def summarise(records: Sequence[Record], *, reference: str) -> tuple[Table, Table]:
    """One row a set, condition and method; where there are several sets, also over all of them.

    Args:
        records: of :func:`~studies.superres.evaluate_superres`.
        reference: the method that all others are tested against: Wilcoxon's signed-rank test of
            the per-image figures inside the field of view, with the rank-biserial effect size of
            PSNR (positive where the reference is better).

    Returns:
        How close results are to the truth, and how they look: the same rows, other columns.
    """
    measured = {str(record["method"]) for record in records}
    baseline = next((name for name in _BASELINES if name in measured), None)
    rows: list[Record] = []
    for group, members in _groups(records):
        for method in dict.fromkeys(str(record["method"]) for record in members):
            row: Record = dict(zip(_GROUP, group, strict=True))
            row["method"] = method
            rows.append(row | _figures(members, method, baseline, reference))
    closeness = Table(
        _closeness_columns(baseline),
        rows,
        (_CLOSENESS_NOTE.format(reference=reference),),
        "How close results are to the original",
    )
    lpips = any("lpips" in row for row in rows)
    lpips_note = _LPIPS_NOTE.format(baseline=baseline or "nothing")
    notes = (lpips_note, _DRIFT_NOTE) if lpips else (_DRIFT_NOTE,)
    return closeness, Table(_looks_columns(lpips), rows, notes, "How results look")


Group = tuple[str, str, str, int]


def _groups(records: Sequence[Record]) -> list[tuple[Group, list[Record]]]:
    """Set by set, the union of all sets last; within, scales as numbers."""
    groups: dict[Group, list[Record]] = {}
    several = len({record["dataset"] for record in records}) > 1
    for record in records:
        dataset, protocol, kernel, scale = (record[name] for name in _GROUP)
        condition = str(protocol), str(kernel), int(scale)
        for name in (str(dataset), ALL_SETS) if several else (str(dataset),):
            groups.setdefault((name, *condition), []).append(record)
    return sorted(groups.items(), key=lambda item: (item[0][0] == ALL_SETS, *item[0]))


def _values(members: Sequence[Record], method: str, name: str) -> dict[tuple[str, str], float]:
    return by_photograph((one for one in members if one["method"] == method), name)


def paired(
    members: Sequence[Record], first: str, second: str, name: str
) -> tuple[list[float], list[float]]:
    """Two methods' values of the photographs on which both were measured, in one order."""
    one, other = (_values(members, method, name) for method in (first, second))
    common = sorted(one.keys() & other.keys())
    return [one[key] for key in common], [other[key] for key in common]


def _figures(
    members: Sequence[Record], method: str, baseline: str | None, reference: str
) -> Record:
    shown = [name for name in _PERCEPTUAL if all(name in one for one in members)]
    names = ("psnr", *(name for name in _AVERAGED if name in members[0]), *shown)
    figures: Record = {"n": len(_values(members, method, "psnr"))}
    for name in names:
        values = list(_values(members, method, name).values())
        figures[name] = float(np.mean(values))
        if name in _SPREAD and len(values) > 1:
            figures[f"{name}_sd"] = float(np.std(values, ddof=1))
    if baseline is not None:
        figures |= _gains(members, method, baseline, "lpips" in shown)
    measured = {str(one["method"]) for one in members}
    if method != reference and reference in measured:
        for name, p in _TESTED.items():
            if name in figures:
                figures[p] = wilcoxon_p(*paired(members, reference, method, name))
        figures["effect"] = rank_biserial(*paired(members, reference, method, "psnr"))
    return figures


def _gains(members: Sequence[Record], method: str, baseline: str, lpips: bool) -> Record:
    """Over the baseline, on the photographs on which both were measured."""
    own, base = paired(members, method, baseline, "psnr")
    if not own:
        return {}
    gains: Record = {"gain": float(np.mean(own) - np.mean(base))}
    if lpips:
        own, base = paired(members, method, baseline, "lpips")
        if np.mean(base) > 0:
            gains["lpips_change"] = 100 * float(np.mean(own) / np.mean(base) - 1)
    return gains


_WHO = (
    Column("dataset", "set"),
    Column("protocol", "protocol"),
    Column("kernel", "kernel"),
    Column("scale", "scale"),
    Column("method", "method"),
    Column("n", "n"),
)


def _closeness_columns(baseline: str | None) -> list[Column]:
    return [
        *_WHO,
        Column("psnr", "PSNR Y"),
        Column("psnr_sd", "SD"),
        Column("gain", f"gain over {baseline or 'nothing'}", signed=True),
        Column("p", "p", digits=4, as_p=True),
        Column("effect", "effect"),
        Column("ssim", "SSIM Y", digits=4),
        Column("ssim_sd", "SD", digits=4),
        Column("p_ssim", "p SSIM", digits=4, as_p=True),
        Column("rmse", "RMSE Y"),
        Column("psnr_green", "PSNR green"),
        Column("psnr_whole", "PSNR Y whole"),
        Column("ssim_whole", "SSIM Y whole", digits=4),
    ]


def _looks_columns(lpips: bool) -> list[Column]:
    columns = [*_WHO, Column("drift", "drift", digits=3), Column("seconds", "s/image")]
    if lpips:
        columns[len(_WHO) : len(_WHO)] = [
            Column("lpips", "LPIPS", digits=4),
            Column("lpips_sd", "SD", digits=4),
            Column("lpips_change", "change %", digits=0, signed=True),
            Column("p_lpips", "p LPIPS", digits=4, as_p=True),
            Column("s3_ratio", "S3 / original"),
        ]
    return columns
