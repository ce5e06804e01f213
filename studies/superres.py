"""The super-resolution tables: degrade, enlarge, compare with the truth.

Every figure is measured between 8-bit images, on luminance (BT.601, studio range, peak 255) and on
green, inside the field of view eroded by 2r + 4 pixels; luminance over the whole image stands
beside it, because the hard rim of the field of view dominates there.
"""

import time
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.quality.colour_drift import colour_drift
from retina_viewer.quality.datasets import Photograph, split
from retina_viewer.quality.metrics import Mask, luminance_studio, psnr, rmse, ssim
from retina_viewer.quality.protocols import Condition, Protocol, Scene, Scenes, Truth
from retina_viewer.quality.tables import Record, RecordLog
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.tiles import enhanced_whole
from studies.contenders import LINEAR, SHARP_BICUBIC, Contenders
from studies.data_folders import find_photographs
from studies.measuring import Job, measure_all
from studies.perceptual import Perceptual
from studies.report import (
    command_line,
    held_out_photographs,
    make_folder,
    provenance,
    write_tables,
)
from studies.superres_summary import reference_of, summarise

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
        diameter: see :class:`~retina_viewer.quality.protocols.Scenes`.
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
    if fitted.degradation is not None:
        figures["blur"] = fitted.degradation.blur
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
