"""The super-resolution tables: degrade, enlarge, compare with the truth.

Every figure is measured between 8-bit images, on luminance (BT.601, studio range, peak 255) and on
green, inside the field of view eroded by 2r + 4 pixels; luminance over the whole image stands
beside it, because the hard rim of the field of view dominates there.
"""

import json
import shlex
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.evaluation.contenders import LINEAR, SHARP_BICUBIC, Contenders
from retina_viewer.evaluation.datasets import Photograph, find_photographs, split
from retina_viewer.evaluation.metrics import (
    Mask,
    evaluation_mask,
    luminance_studio,
    psnr,
    rmse,
    ssim,
)
from retina_viewer.evaluation.perceptual import Perceptual
from retina_viewer.evaluation.protocols import Condition, Protocol, Truth, prepare, small_image
from retina_viewer.evaluation.report import held_out_photographs, make_folder, provenance
from retina_viewer.evaluation.superres_summary import summarise
from retina_viewer.evaluation.tables import (
    Record,
    RecordLog,
    Table,
    records_to_csv,
    write_report,
)
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.tiles import enhance_image

DEFAULT_METHODS = ("bicubic", SHARP_BICUBIC, LINEAR, "pixel")
_KEY = ("dataset", "photograph", "protocol", "kernel", "scale", "method", "model")


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
    perceptual: Perceptual | None = None,
    log: RecordLog | None = None,
    progress: Progress = no_progress,
) -> list[Record]:
    """Measure every method under every condition on every photograph.

    Args:
        photographs: what to measure on.
        contenders: methods and conditions.
        perceptual: measures LPIPS and S3 too; None leaves them out.
        log: what was measured before; it is not measured again. New records go into it.
        progress: called before every enlargement.

    Returns:
        One record a photograph, condition and method: the names of :func:`measure`, and who.
    """
    known = RecordLog(None, _KEY) if log is None else log
    identities = {name: model["sha256"][:16] for name, model in contenders.models().items()}
    total = len(photographs) * len(contenders.conditions) * len(contenders.methods)
    records: list[Record] = []
    for photograph in photographs:
        truths: dict[Protocol, Truth] = {}
        for condition, method in product(contenders.conditions, contenders.methods):
            progress(len(records) / total, f"{photograph.name}, {condition}, {method}")
            who: Record = {
                "dataset": photograph.dataset,
                "photograph": photograph.id,
                "patient": photograph.patient,
                "protocol": condition.protocol,
                "kernel": condition.kernel,
                "scale": condition.scale,
                "method": method,
                "model": identities.get(method, ""),
            }
            record = known.find(**{name: who[name] for name in _KEY})
            if record is None or (perceptual is not None and "lpips" not in record):
                if condition.protocol not in truths:
                    truths[condition.protocol] = prepare(photograph, condition.protocol)
                enhancer = contenders.enhancer(method, condition)
                truth = truths[condition.protocol]
                record = who | _measured(truth, condition, enhancer, perceptual)
                known.add(record)
            records.append(record)
    progress(1.0, "Evaluated")
    return records


def _measured(
    truth: Truth, condition: Condition, enhancer: Enhancer, perceptual: Perceptual | None
) -> Record:
    cropped = truth.cropped(condition.scale)
    small = small_image(cropped, condition)
    start = time.perf_counter()
    result = enhance_image(enhancer, small).astype(np.uint8, copy=False)
    seconds = time.perf_counter() - start
    mask = evaluation_mask(cropped.mask, condition.scale)
    looks = {} if perceptual is None else perceptual.measure(cropped, result, mask)
    return {**measure(cropped, result, mask), **looks, "seconds": seconds}


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
        methods: of ``superres.methods``, and ``linear`` and ``bicubic-0.75``; p values are given
            against the last one.
        kernels: ``gaussian`` and ``bicubic``.
        protocols: ``native`` and ``paper``.
        sets: names of sets to measure on, e.g. ``DRIVE``; empty for all that are there.
        limit: at most so many photographs of each set.
        training_data: where the linear filter's photographs lie; where None, in ``data`` and, if
            none is there, beside it.
        model: a model for the methods with a network.
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
    training = _training(found, data, training_data) if LINEAR in methods else []
    fitting = part_of(progress, 0.0, 0.0)
    contenders = Contenders(methods, conditions, training, model, device, fitting)
    make_folder(out)
    log = RecordLog(out / "superres_records.jsonl", _KEY)
    looks = Perceptual(device) if perceptual else None
    records = evaluate_superres(
        photographs, contenders, perceptual=looks, log=log, progress=progress
    )
    table = summarise(records, reference=methods[-1])
    command = _command_line(scales, methods, kernels, protocols, sets, limit, model, perceptual)
    about = provenance(command, photographs, contenders.models())
    _write(out, table, records, about)
    return table.to_markdown()


def _training(found: Iterable[Photograph], data: Path, training: Path | None) -> list[Photograph]:
    if training is not None:
        return split(find_photographs(training))["train"]
    here = split(found)["train"]
    return here or split(find_photographs(data.resolve().parent))["train"]


def _command_line(
    scales: Sequence[int],
    methods: Sequence[str],
    kernels: Sequence[str],
    protocols: Sequence[str],
    sets: Sequence[str],
    limit: int | None,
    model: str | None,
    perceptual: bool,
) -> str:
    def words() -> Iterator[str]:
        yield from ("retina-viewer", "evaluate", "sr", "DATA", "--scales", *map(str, scales))
        yield from ("--methods", *methods, "--kernels", *kernels, "--protocols", *protocols)
        if sets:
            yield from ("--sets", *sets)
        if limit is not None:
            yield from ("--limit", str(limit))
        if model is not None:
            yield from ("--model", model)
        if perceptual:
            yield "--perceptual"
        yield from ("-o", "DIR")

    return shlex.join(words())


def _write(out: Path, table: Table, records: Sequence[Record], about: dict[str, object]) -> None:
    markdown = f"{table.to_markdown()}\nMeasured by `{about['command']}`.\n"
    write_report(out / "superres.md", markdown)
    write_report(out / "superres.csv", table.to_csv())
    write_report(out / "superres_per_image.csv", records_to_csv(list(records[0]), records))
    whole = {"provenance": about, "summary": list(table.rows), "records": list(records)}
    write_report(out / "superres.json", json.dumps(whole, indent=1) + "\n")
