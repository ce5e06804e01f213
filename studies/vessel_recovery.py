"""What super-resolution is for: the vessels that a network finds again in an enlarged photograph.

A vessel network trained on original photographs alone segments the original, its enlargement by
interpolation from a shrunk copy, and by the methods. Of the Dice that interpolation loses, a
method wins back (method - bicubic) / (original - bicubic).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import Kernel, crop_to_multiple
from retina_viewer.imaging.field_of_view import FieldOfView, find_field_of_view
from retina_viewer.quality.datasets import Photograph, read_mask
from retina_viewer.quality.metrics import Mask
from retina_viewer.quality.protocols import Condition, Truth, prepare, small_image
from retina_viewer.quality.tables import Record, RecordLog
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.tiles import enhance_image
from retina_viewer.vessels.segment import VesselSegmenter, load_segmenter
from studies.contenders import Contenders
from studies.data_folders import find_photographs
from studies.measuring import Job, measure_all
from studies.recovery_summary import BASELINE, ORIGINAL, summarise
from studies.report import (
    command_line,
    held_out_photographs,
    make_folder,
    provenance,
    write_tables,
)
from studies.vessel_metrics import all_vessel_figures

_KEY = ("dataset", "photograph", "kernel", "scale", "method", "model")


@dataclass
class _Subject:
    """One photograph and its vessels, read when first asked for."""

    photograph: Photograph
    _read: tuple[Truth, Mask, FieldOfView] | None = field(default=None, repr=False)

    def read(self) -> tuple[Truth, Mask, FieldOfView]:
        if self._read is None:
            assert self.photograph.vessels is not None
            truth = prepare(self.photograph, "native")
            vessels = read_mask(self.photograph.vessels)
            self._read = (truth, vessels, find_field_of_view(truth.rgb8))
        return self._read

    def figures(
        self, segmenter: VesselSegmenter, kernel: Kernel, scale: int, enhancer: Enhancer | None
    ) -> Record:
        """Of the original at scale 1, else of its enlargement from a copy shrunk by ``scale``."""
        truth, vessels, seen = self.read()
        truth, vessels = truth.cropped(scale), crop_to_multiple(vessels, scale)
        shown = truth.rgb8
        if enhancer is not None:
            small = small_image(truth, Condition("native", kernel, scale))
            shown = enhance_image(enhancer, small).astype(np.uint8, copy=False)
        # The field of view is the original's: how well it is found again is not asked here.
        seen = replace(seen, mask=crop_to_multiple(seen.mask, scale))
        return _found(segmenter, shown, seen, vessels, truth.mask)


def _found(
    segmenter: VesselSegmenter,
    rgb8: NDArray[np.uint8],
    seen: FieldOfView,
    vessels: Mask,
    inside: Mask,
) -> Record:
    probability = segmenter.probability(rgb8, seen)
    mask = probability >= cast(float, segmenter.card.threshold)
    return {**all_vessel_figures(probability, mask, vessels, inside)}


def evaluate_recovery(
    photographs: Sequence[Photograph],
    segmenter: VesselSegmenter,
    contenders: Contenders,
    *,
    log: RecordLog | None = None,
    progress: Progress = no_progress,
) -> list[Record]:
    """Segment the original and every enlargement of every labelled photograph.

    Returns:
        One record a photograph, condition and method, and one of the original (scale 1): the
        names of :func:`~studies.vessel_metrics.all_vessel_figures`.
    """
    identities = contenders.identities()
    vessel_model = segmenter.card.weights_sha256[:16]

    def job(subject: _Subject, condition: Condition | None, method: str) -> Job:
        kernel: Kernel = "gaussian" if condition is None else condition.kernel
        scale = 1 if condition is None else condition.scale
        who: Record = {
            "dataset": subject.photograph.dataset,
            "photograph": subject.photograph.id,
            "kernel": "" if condition is None else kernel,
            "scale": scale,
            "method": method,
            "model": f"{vessel_model}{identities.get(method, '')}",
        }

        def measured() -> Record:
            enhancer = None if condition is None else contenders.enhancer(method, condition)
            return subject.figures(segmenter, kernel, scale, enhancer)

        return Job(who, measured, ("dice",))

    jobs: list[Job] = []
    for subject in map(_Subject, photographs):
        jobs.append(job(subject, None, ORIGINAL))
        pairs = product(contenders.conditions, contenders.methods)
        jobs += [job(subject, condition, method) for condition, method in pairs]
    return measure_all(jobs, log=log, progress=progress)


def evaluate_recovery_command(
    data: Path,
    out: Path,
    *,
    scales: Sequence[int] = (2, 4, 8, 16),
    methods: Sequence[str] = ("pixel",),
    kernels: Sequence[Kernel] = ("gaussian",),
    sets: Sequence[str] = (),
    limit: int | None = None,
    model: str | None = None,
    fidelity: float | None = None,
    back_projection: bool = True,
    vessel_model: str | None = None,
    device: str = "auto",
    progress: Progress = no_progress,
) -> str:
    """``retina-viewer evaluate recovery DATA``: measure, write, return the Markdown table.

    Measures on labelled held-out photographs alone, at native size. Writes ``recovery.md``,
    ``recovery.csv``, ``recovery_per_image.csv``, ``recovery.json`` and
    ``recovery_records.jsonl``, from which an interrupted run continues, into ``out``.

    Args:
        data: a folder of set folders, or one set folder.
        out: where the report goes; an older report there is replaced.
        methods: of ``superres.methods``; bicubic is always measured with them.
        model: a model for the methods with a network.
        fidelity: of the saliency GAN; None for what its card says.
        vessel_model: None for the shipped one.

    Raises:
        UserError: no labelled data, unknown method or model, or the report cannot be written.
    """
    found = [one for one in find_photographs(data) if one.vessels is not None]
    photographs = held_out_photographs(found, sets, limit)
    conditions = [Condition("native", kernel, scale) for kernel, scale in product(kernels, scales)]
    compared = (BASELINE, *(method for method in methods if method != BASELINE))
    contenders = Contenders(
        compared, conditions, (), model, device,
        fidelity=fidelity, back_projection=back_projection,
    )  # fmt: skip
    segmenter = load_segmenter(vessel_model, device)
    make_folder(out)
    log = RecordLog(out / "recovery_records.jsonl", _KEY)
    records = evaluate_recovery(photographs, segmenter, contenders, log=log, progress=progress)
    options = {
        "scales": scales, "methods": methods, "kernels": kernels, "sets": sets, "limit": limit,
        "model": model, "fidelity": fidelity, "no-back-projection": not back_projection,
        "vessel-model": vessel_model,
    }  # fmt: skip
    card = segmenter.card
    models = contenders.models() | {"vessels": {"name": card.name, "sha256": card.weights_sha256}}
    about = provenance(command_line("recovery", options), photographs, models)
    return write_tables(out, "recovery", [summarise(records, card.name)], records, about)
