"""Vessels that a network finds again in enlargements: what super-resolution is for.

A vessel network trained on original photographs alone segments the original, its enlargement by
interpolation from a shrunk copy, and by the methods. Of the Dice that interpolation loses, a
method wins back (method - bicubic) / (original - bicubic).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np

from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import Kernel, crop_to_multiple
from retina_viewer.imaging.field_of_view import FieldOfView, find_field_of_view
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.metrics import Mask
from retina_viewer.quality.protocols import Condition, Truth, prepare, small_image
from retina_viewer.quality.records import Record, RecordLog
from retina_viewer.quality.statistics import wilcoxon_p
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.tiles import enhance_image
from retina_viewer.vessels.segment import VesselSegmenter, load_segmenter
from studies.contenders import Contenders
from studies.measuring import Job, grouped, mean_row, measure_all
from studies.report import named
from studies.study import ComparingMethods, OfSets
from studies.tables import Table, columns
from studies.vessel_metrics import found_vessels

ORIGINAL = "original"
"""The method's name of a photograph that was neither shrunk nor enlarged."""
BASELINE = "bicubic"

_COLUMNS = columns(
    "dataset:set", "kernel", "scale", "method", "n", "dice:Dice:4", "dice_sd:SD:4", "auc:AUC:4",
    "sensitivity:sensitivity:4", "sensitivity_thin:of thin:4", "cldice:clDice:4",
    "won_back:Dice won back %:+0", f"p:p vs {BASELINE}:p",
)  # fmt: skip
_NOTE = (
    "Vessels found by {model}, which was trained on original photographs alone and saw none of "
    "these, against the first observer inside the field of view; means over images. `of thin`: "
    "sensitivity for vessels at most 3 px wide; clDice: of centre lines. Won back: of the mean "
    "Dice that lies between bicubic and the original. p: Wilcoxon signed-rank test of the images' "
    "Dice, two-sided, exact."
)
_KEY = ("dataset", "photograph", "kernel", "scale", "method", "model")


def summarise(records: Sequence[Record], model: str) -> Table:
    """One row a set, kernel, scale and method: means, the share won back, and p.

    Args:
        records: of :func:`~studies.vessel_recovery.evaluate_recovery`, with the
            method ``bicubic`` among them.
        model: the vessel model's name, for the note.
    """
    groups = grouped(records, ("dataset", "kernel", "scale", "method"))
    rows: list[Record] = []
    for (dataset, kernel, scale, method), members in sorted(groups.items()):
        row: Record = {
            "dataset": dataset, "kernel": kernel or "-", "scale": scale, "method": method,
            "n": len(members),
        }  # fmt: skip
        row |= mean_row(members, ("dice", "auc", "sensitivity", "sensitivity_thin", "cldice"))
        row |= mean_row(members, ("dice",), spread=("dice",))
        if method not in (ORIGINAL, BASELINE):
            low = groups[dataset, kernel, scale, BASELINE]
            row |= _won_back(members, low, groups[dataset, "", 1, ORIGINAL])
        rows.append(row)
    return Table(_COLUMNS, rows, (_NOTE.format(model=model),))


def _won_back(own: list[Record], low: list[Record], high: list[Record]) -> Record:
    """The share of the mean Dice between ``low`` and ``high`` in percent, and p against ``low``."""
    dice = [
        np.array([float(one["dice"]) for one in sorted(some, key=lambda r: str(r["photograph"]))])
        for some in (own, low, high)
    ]
    found: Record = {"p": wilcoxon_p(dice[0], dice[1])}
    lost = float(dice[2].mean() - dice[1].mean())
    if lost > 0:
        found["won_back"] = 100 * float(dice[0].mean() - dice[1].mean()) / lost
    return found


@dataclass
class _Subject:
    """One photograph and its vessels, read when first asked for."""

    photograph: Photograph

    @cached_property
    def read(self) -> tuple[Truth, Mask, FieldOfView]:
        truth = prepare(self.photograph, "native")
        return truth, self.photograph.read_vessels(), find_field_of_view(truth.rgb8)

    def figures(
        self, segmenter: VesselSegmenter, kernel: Kernel, scale: int, enhancer: Enhancer | None
    ) -> Record:
        """Of the original at scale 1, else of its enlargement from a copy shrunk by ``scale``."""
        truth, vessels, seen = self.read
        truth, vessels = truth.cropped(scale), crop_to_multiple(vessels, scale)
        shown = truth.rgb8
        if enhancer is not None:
            small = small_image(truth, Condition("native", kernel, scale))
            shown = enhance_image(enhancer, small).astype(np.uint8, copy=False)
        seen = replace(seen, mask=crop_to_multiple(seen.mask, scale))
        return found_vessels(segmenter, shown, seen, vessels, truth.mask)


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

        def measured() -> Record:
            enhancer = None if condition is None else contenders.enhancer(method, condition)
            return subject.figures(segmenter, kernel, scale, enhancer)

        who: Record = {
            "dataset": subject.photograph.dataset, "photograph": subject.photograph.id,
            "kernel": "" if condition is None else kernel, "scale": scale, "method": method,
            "model": f"{vessel_model}{identities.get(method, '')}",
        }  # fmt: skip
        return Job(who, measured, ("dice",))

    jobs: list[Job] = []
    for subject in map(_Subject, photographs):
        jobs.append(job(subject, None, ORIGINAL))
        pairs = product(contenders.conditions, contenders.methods)
        jobs += [job(subject, condition, method) for condition, method in pairs]
    return measure_all(jobs, log=log, progress=progress)


@dataclass(frozen=True)
class VesselRecovery(ComparingMethods, OfSets):
    """On held-out photographs with drawn vessels, at native size.

    Leaves ``recovery.md``, ``.csv``, ``_per_image.csv``, ``.json`` and
    ``recovery_records.jsonl``, from which an interrupted run continues.
    """

    vessel_model: str | None = option(None, metavar="NAME", help="default: the shipped one")

    def measure(self, progress: Progress = no_progress) -> str:
        photographs = self.held_out(lambda one: one.vessels is not None, self.sets)
        compared = (BASELINE, *(method for method in self.methods if method != BASELINE))
        contenders = Contenders(compared, self.conditions(), settings=self.settings())
        segmenter = load_segmenter(self.vessel_model, self.device)
        log = self.log("recovery_records.jsonl", _KEY)
        records = evaluate_recovery(photographs, segmenter, contenders, log=log, progress=progress)
        models = contenders.models() | {"vessels": named(segmenter.card)}
        table = summarise(records, segmenter.card.name)
        return self.report("recovery", [table], records, photographs, models)
