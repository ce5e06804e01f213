"""Enlargements against the photographs they came from: shrink, enlarge, compare.

Every figure is measured between 8-bit images, on luminance (BT.601, studio range, peak 255) and on
green, inside the field of view eroded by 2r + 4 pixels; luminance over the whole image stands
beside it, because the hard rim of the field of view dominates there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.metrics import Mask, colour_drift, luminance_studio, psnr, rmse, ssim
from retina_viewer.quality.protocols import (
    Condition,
    EvaluationPair,
    EvaluationPairs,
    Protocol,
    Truth,
)
from retina_viewer.quality.records import Record, RecordLog, Value
from retina_viewer.quality.statistics import rank_biserial, wilcoxon_p
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.methods import default_method
from retina_viewer.superres.tiles import enhanced_whole
from studies.contenders import LINEAR, SHARP_BICUBIC, Contenders
from studies.data_folders import find_photographs, split
from studies.measuring import Job, grouped, mean_row, measure_all
from studies.report import held_out_photographs
from studies.sharpness import Perceptual
from studies.study import ComparingMethods, OfSets
from studies.tables import Column, Table, by_photograph, columns

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
_WHO = ("dataset:set", "protocol", "kernel", "scale", "method", "n")
RECORD_KEY = ("dataset", "photograph", "protocol", "kernel", "scale", "method", "model")


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


def _groups(records: Sequence[Record]) -> list[tuple[tuple[Value, ...], list[Record]]]:
    """Set by set, the union of all sets last; within, scales as numbers."""
    groups = grouped(records, _GROUP)
    if len({record["dataset"] for record in records}) > 1:
        together = grouped(records, _GROUP[1:])
        groups |= {(ALL_SETS, *condition): some for condition, some in together.items()}
    return sorted(groups.items(), key=lambda item: (item[0][0] == ALL_SETS, *item[0]))


def paired(
    members: Sequence[Record], first: str, second: str, name: str
) -> tuple[list[float], list[float]]:
    """Two methods' values of the photographs on which both were measured, in one order."""
    one, other = (
        by_photograph((one for one in members if one["method"] == method), name)
        for method in (first, second)
    )
    common = sorted(one.keys() & other.keys())
    return [one[key] for key in common], [other[key] for key in common]


def _figures(
    members: Sequence[Record], method: str, baseline: str | None, reference: str
) -> Record:
    own = [one for one in members if one["method"] == method]
    shown = [name for name in _PERCEPTUAL if all(name in one for one in members)]
    names = ("psnr", *(name for name in _AVERAGED if name in members[0]), *shown)
    figures: Record = {"n": len(own), **mean_row(own, names, _SPREAD)}
    if baseline is not None:
        figures |= _gains(members, method, baseline, "lpips" in shown)
    if method != reference and any(one["method"] == reference for one in members):
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


def _closeness_columns(baseline: str | None) -> Sequence[Column]:
    return columns(
        *_WHO, "psnr:PSNR Y", "psnr_sd:SD", f"gain:gain over {baseline or 'nothing'}:+2", "p:p:p",
        "effect", "ssim:SSIM Y:4", "ssim_sd:SD:4", "p_ssim:p SSIM:p", "rmse:RMSE Y",
        "psnr_green:PSNR green", "psnr_whole:PSNR Y whole", "ssim_whole:SSIM Y whole:4",
    )  # fmt: skip


def _looks_columns(lpips: bool) -> Sequence[Column]:
    looks = (
        "lpips:LPIPS:4", "lpips_sd:SD:4", "lpips_change:change %:+0", "p_lpips:p LPIPS:p",
        "s3_ratio:S3 / original",
    )  # fmt: skip
    return columns(*_WHO, *(looks if lpips else ()), "drift:drift:3", "seconds:s/image")


def measure(truth: Truth, result: NDArray[np.uint8], mask: Mask) -> dict[str, float]:
    """All figures of one result: ``truth.rgb8`` and ``result`` of one shape, ``mask`` eroded."""
    y, z = luminance_studio(truth.rgb8), luminance_studio(result)
    return {
        "psnr": psnr(y, z, mask),
        "ssim": ssim(y, z, mask),
        "rmse": rmse(y, z, mask),
        "psnr_green": psnr(truth.rgb8[..., 1], result[..., 1], mask),
        "psnr_whole": psnr(y, z),
        "ssim_whole": ssim(y, z),
        "rmse_whole": rmse(y, z),
    }


def evaluate_superres(
    photographs: Sequence[Photograph],
    contenders: Contenders,
    *,
    diameter: int | None = None,
    perceptual: Perceptual | None = None,
    log: RecordLog | None = None,
    progress: Progress = no_progress,
) -> list[Record]:
    """Measure every method under every condition on every photograph.

    Args:
        photographs: what to measure on.
        contenders: methods and conditions.
        diameter: see :class:`~retina_viewer.quality.protocols.EvaluationPairs`.
        perceptual: measures LPIPS and S3 too; None leaves them out.
        log: what was measured before; it is not measured again. New records go into it.
        progress: called before every enlargement.

    Returns:
        One record a photograph, condition and method: the names of :func:`figures_of`, and who.
    """
    identities = contenders.identities()
    needs = needed_figures(perceptual is not None)
    records: list[Record] = []
    for number, photograph in enumerate(photographs):
        # One photograph's scenes at a time: at full size they take gigabytes together.
        scenes = EvaluationPairs(photograph, diameter)
        jobs = [
            Job(
                {
                    "dataset": photograph.dataset, "photograph": photograph.id,
                    "protocol": condition.protocol, "kernel": condition.kernel,
                    "scale": condition.scale, "method": method,
                    "model": identities.get(method, ""),
                },
                partial(_measured, contenders, method, condition, scenes, perceptual),
                needs,
                {"patient": photograph.patient},
            )
            for condition, method in product(contenders.conditions, contenders.methods)
        ]  # fmt: skip
        share = part_of(progress, number / len(photographs), (number + 1) / len(photographs))
        records += measure_all(jobs, log=log, progress=share)
    return records


def _measured(
    contenders: Contenders, method: str, condition: Condition, scenes: EvaluationPairs,
    perceptual: Perceptual | None,
) -> Record:  # fmt: skip
    return figures_of(contenders.enhancer(method, condition), scenes.scene(condition), perceptual)


def needed_figures(perceptual: bool) -> tuple[str, ...]:
    """Names without which a record is not taken as measured."""
    return ("psnr", "drift", "lpips") if perceptual else ("psnr", "drift")


def figures_of(enhancer: Enhancer, scene: EvaluationPair, perceptual: Perceptual | None) -> Record:
    """Fit the enhancer to the small image, enlarge it, and measure.

    Returns:
        The names of :func:`measure`; ``drift``; ``seconds`` of the enlargement with its fitting;
        ``blur``, as the enhancer took it; with ``perceptual``, ``lpips`` and ``s3_ratio``.
    """
    unit = scene.small.astype(np.float32) / np.float32(255)
    start = time.perf_counter()
    fitted = enhancer.fitted_to(unit)
    result = enhanced_whole(fitted, unit, np.dtype(np.uint8)).astype(np.uint8, copy=False)
    seconds = time.perf_counter() - start
    figures: Record = {**measure(scene.truth, result, scene.mask)}
    figures["drift"] = colour_drift(scene.truth.rgb8, result, enhancer.scale, scene.mask)
    if perceptual is not None:
        figures |= perceptual.measure(scene.truth, result, scene.mask)
    if fitted.degradation is not None:
        figures["blur"] = fitted.degradation.blur
    return figures | {"seconds": seconds}


@dataclass(frozen=True)
class Superres(ComparingMethods, OfSets):
    """On held-out photographs alone (:func:`~studies.report.held_out_photographs`).

    Leaves ``superres.md``, ``.csv``, ``_per_image.csv``, ``.json`` and ``superres_records.jsonl``,
    from which an interrupted run continues.
    """

    methods: Sequence[str] = option(
        ("bicubic", SHARP_BICUBIC, LINEAR, "pixel"), metavar="M",
        help="methods of enhance, also linear (the best linear filter) and bicubic-0.75",
    )  # fmt: skip
    protocols: Sequence[Protocol] = option(
        ("native",), help="native size, or the 2017 paper's 1024 x 1024"
    )
    training_data: Path | None = option(
        None, metavar="DIR",
        help="what the linear filter is fitted to; default: DATA, else what lies beside it",
    )  # fmt: skip
    reference: str | None = option(
        None, metavar="M",
        help="the method that the others are tested against; default the program's default "
        "method, else the last",
    )  # fmt: skip
    perceptual: bool = option(False, help="LPIPS and S3 too; takes several times as long")

    def measure(self, progress: Progress = no_progress) -> str:
        found = find_photographs(self.data)
        photographs = held_out_photographs(found, self.sets, self.limit)
        tested = reference_of(self.methods, self.reference)
        contenders = Contenders(
            self.methods, self.conditions(self.protocols), self._training(found), self.settings(),
            part_of(progress, 0.0, 0.0),
        )  # fmt: skip
        looks = Perceptual(self.device) if self.perceptual else None
        log = self.log("superres_records.jsonl", RECORD_KEY)
        records = evaluate_superres(
            photographs, contenders, perceptual=looks, log=log, progress=progress
        )
        tables = summarise(records, reference=tested)
        return self.report("superres", tables, records, photographs, contenders.models())

    def _training(self, found: Sequence[Photograph]) -> list[Photograph]:
        if LINEAR not in self.methods:
            return []
        here = find_photographs(self.training_data) if self.training_data else found
        if train := split(here)["train"]:
            return train
        beside = [] if self.training_data else find_photographs(self.data.resolve().parent)
        return split(beside)["train"]
