"""The super-resolution tables: degrade, enlarge, compare with the truth.

Every figure is measured between 8-bit images, on luminance (BT.601, studio range, peak 255) and on
green, inside the field of view eroded by 2r + 4 pixels; luminance over the whole image stands
beside it, because the hard rim of the field of view dominates there.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.quality.colour_drift import colour_drift
from retina_viewer.quality.datasets import Photograph, split
from retina_viewer.quality.metrics import Mask, luminance_studio, psnr, rmse, ssim
from retina_viewer.quality.protocols import Condition, Protocol, Truth
from retina_viewer.quality.scenes import Scene, Scenes
from retina_viewer.quality.statistics import rank_biserial, wilcoxon_p
from retina_viewer.quality.tables import Column, Record, RecordLog, Table, by_photograph
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.methods import default_method
from retina_viewer.superres.tiles import enhanced_whole
from studies.contenders import LINEAR, SHARP_BICUBIC, Contenders
from studies.data_folders import find_photographs
from studies.measuring import Job, measure_all
from studies.report import (
    command_line,
    held_out_photographs,
    make_folder,
    provenance,
    write_tables,
)
from studies.sharpness import Perceptual

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


DEFAULT_METHODS = ("bicubic", SHARP_BICUBIC, LINEAR, "pixel")
RECORD_KEY = ("dataset", "photograph", "protocol", "kernel", "scale", "method", "model")


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
        diameter: see :class:`~retina_viewer.quality.scenes.Scenes`.
        perceptual: measures LPIPS and S3 too; None leaves them out.
        log: what was measured before; it is not measured again. New records go into it.
        progress: called before every enlargement.

    Returns:
        One record a photograph, condition and method: the names of :func:`figures_of`, and who.
    """
    identities = contenders.identities()
    needs = needed_figures(perceptual is not None)

    def job(scenes: Scenes, condition: Condition, method: str) -> Job:
        photograph = scenes.photograph
        who: Record = {
            "dataset": photograph.dataset,
            "photograph": photograph.id,
            "protocol": condition.protocol,
            "kernel": condition.kernel,
            "scale": condition.scale,
            "method": method,
            "model": identities.get(method, ""),
        }

        def measured() -> Record:
            enhancer = contenders.enhancer(method, condition)
            return figures_of(enhancer, scenes.scene(condition), perceptual)

        return Job(who, measured, needs, {"patient": photograph.patient})

    records: list[Record] = []
    for number, photograph in enumerate(photographs):
        # One photograph's scenes at a time: at full size they take gigabytes together.
        scenes = Scenes(photograph, diameter)
        pairs = product(contenders.conditions, contenders.methods)
        jobs = [job(scenes, condition, method) for condition, method in pairs]
        share = part_of(progress, number / len(photographs), (number + 1) / len(photographs))
        records += measure_all(jobs, log=log, progress=share)
    return records


def needed_figures(perceptual: bool) -> tuple[str, ...]:
    """Names without which a record is not taken as measured."""
    return ("psnr", "drift", "lpips") if perceptual else ("psnr", "drift")


def figures_of(enhancer: Enhancer, scene: Scene, perceptual: Perceptual | None) -> Record:
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
    if fitted.formation is not None:
        figures["blur"] = fitted.formation.blur
    return figures | {"seconds": seconds}


def evaluate_superres_command(
    data: Path,
    out: Path,
    *,
    scales: Sequence[int] = (2, 4, 8, 16),
    methods: Sequence[str] = DEFAULT_METHODS,
    kernels: Sequence[Kernel] = ("gaussian",),
    protocols: Sequence[Protocol] = ("native",),
    sets: Sequence[str] = (),
    limit: int | None = None,
    training_data: Path | None = None,
    model: str | None = None,
    fidelity: float | None = None,
    back_projection: bool = True,
    reference: str | None = None,
    device: str = "auto",
    perceptual: bool = False,
    progress: Progress = no_progress,
) -> str:
    """``retina-viewer evaluate sr DATA``: measure, write the tables, return the Markdown one.

    Measures on the held-out photographs alone (``evaluation.datasets.subset_of``; DRIVE's test
    half). Writes into ``out`` (made where it is missing): ``superres.md``, ``superres.csv`` (the
    summary), ``superres_per_image.csv``, ``superres.json`` (all, with provenance), and
    ``superres_records.jsonl``, from which an interrupted run continues.

    Args:
        data: a folder of set folders, or one set folder.
        out: where the report goes; an older report there is replaced.
        methods: of ``superres.methods``, and ``linear`` and ``bicubic-0.75``.
        kernels: ``gaussian`` and ``bicubic``.
        protocols: ``native`` and ``paper``.
        sets: names of sets to measure on, e.g. ``DRIVE``; empty for all that are there.
        limit: at most so many photographs of each set.
        training_data: where the linear filter's photographs lie; where None, in ``data`` and, if
            none is there, beside it.
        model: a model for the methods with a network.
        fidelity: of the saliency GAN; None for what its card says.
        back_projection: whether the networks' results are held to the photograph.
        reference: the method that all others are tested against; None for the program's default
            method where it is measured, else the last one.
        perceptual: LPIPS and S3 too, which take several times as long as all else.

    Raises:
        UserError: no data, unknown method or model, or the report cannot be written.
    """
    found = find_photographs(data)
    photographs = held_out_photographs(found, sets, limit)
    conditions = [
        Condition(protocol, kernel, scale)
        for protocol, kernel, scale in product(protocols, kernels, scales)
    ]
    tested = reference_of(methods, reference)
    contenders = Contenders(
        methods,
        conditions,
        _training(found, data, training_data) if LINEAR in methods else [],
        model,
        device,
        part_of(progress, 0.0, 0.0),
        fidelity,
        back_projection,
    )
    make_folder(out)
    log = RecordLog(out / "superres_records.jsonl", RECORD_KEY)
    looks = Perceptual(device) if perceptual else None
    records = evaluate_superres(
        photographs, contenders, perceptual=looks, log=log, progress=progress
    )
    options = {
        "scales": scales, "methods": methods, "kernels": kernels, "protocols": protocols,
        "sets": sets, "limit": limit, "model": model, "fidelity": fidelity,
        "no-back-projection": not back_projection, "reference": reference,
        "perceptual": perceptual,
    }  # fmt: skip
    about = provenance(command_line("sr", options), photographs, contenders.models())
    return write_tables(out, "superres", summarise(records, reference=tested), records, about)


def _training(found: Iterable[Photograph], data: Path, training: Path | None) -> list[Photograph]:
    if training is not None:
        return split(find_photographs(training))["train"]
    here = split(found)["train"]
    return here or split(find_photographs(data.resolve().parent))["train"]
