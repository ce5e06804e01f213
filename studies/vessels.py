"""A model's vessels against the first observer's, inside the field of view."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.readers import open_image
from retina_viewer.quality.datasets import Photograph, read_mask
from retina_viewer.quality.metrics import Mask, dice
from retina_viewer.quality.protocols import field_of_view_mask
from retina_viewer.quality.records import Record
from retina_viewer.vessels.segment import VesselSegmenter, load_segmenter
from studies.measuring import mean_row
from studies.report import make_folder, named
from studies.study import OfSets
from studies.tables import Table, columns
from studies.vessel_metrics import all_vessel_figures, vessel_figures

MEAN, POOLED = "mean", "pooled"
_FIGURES = (
    "auc", "dice", "sensitivity", "sensitivity_thin", "specificity", "accuracy", "precision",
    "cldice", "dice_observers", "seconds",
)  # fmt: skip
_COLUMNS = columns(
    "dataset:set", "over", "n", "auc:AUC:4", "auc_sd:SD:4", "dice:Dice:4", "dice_sd:SD:4",
    "sensitivity:sensitivity:4", "sensitivity_thin:of thin:4", "specificity:specificity:4",
    "accuracy:accuracy:4", "precision:precision:4", "cldice:clDice:4",
    "dice_observers:Dice of 2nd observer:4", "seconds:s/image",
)  # fmt: skip
_NOTE = (
    "Against the first observer, inside the field of view. `mean` is over images (SD beside it), "
    "`pooled` over all pixels of the set. Dice and the four rates at the threshold {threshold:g} "
    "of the model {model}'s card, chosen on validation photographs; `of thin`: sensitivity for "
    "vessels at most 3 px wide; clDice: of centre lines."
)


class _Pool:
    """All pixels inside the fields of view of one set."""

    def __init__(self) -> None:
        self._probability: list[NDArray[np.float32]] = []
        self._mask: list[Mask] = []
        self._truth: list[Mask] = []

    def add(self, probability: NDArray[np.float32], mask: Mask, truth: Mask, inside: Mask) -> None:
        self._probability.append(probability[inside])
        self._mask.append(mask[inside])
        self._truth.append(truth[inside])

    def figures(self) -> dict[str, float]:
        truth = np.concatenate(self._truth)
        everywhere = np.ones_like(truth)
        probability, mask = np.concatenate(self._probability), np.concatenate(self._mask)
        return vessel_figures(probability, mask, truth, everywhere)


def evaluate_vessels(
    photographs: Sequence[Photograph],
    segmenter: VesselSegmenter,
    *,
    progress: Progress = no_progress,
) -> tuple[list[Record], Table]:
    """Segment and measure every photograph that has vessel labels.

    Returns:
        One record a photograph, and a table of means and pooled figures by set.
    """
    records: list[Record] = []
    pools: dict[str, _Pool] = {}
    labelled = [photograph for photograph in photographs if photograph.vessels is not None]
    for done, photograph in enumerate(labelled):
        share = part_of(progress, done / len(labelled), (done + 1) / len(labelled))
        share(0.0, photograph.name)
        pool = pools.setdefault(photograph.dataset, _Pool())
        records.append(_measured(photograph, segmenter, pool, share))
    rows = [row for name, pool in pools.items() for row in _rows(name, records, pool)]
    threshold = cast(float, segmenter.card.threshold)
    note = _NOTE.format(threshold=threshold, model=segmenter.card.name)
    return records, Table(_COLUMNS, rows, (note,))


def _measured(
    photograph: Photograph, segmenter: VesselSegmenter, pool: _Pool, progress: Progress
) -> Record:
    assert photograph.vessels is not None
    image = open_image(photograph.image)
    truth = read_mask(photograph.vessels)
    inside = field_of_view_mask(photograph, image.display_rgb)
    start = time.perf_counter()
    found = segmenter.segment(image, progress)
    record: Record = {
        "dataset": photograph.dataset,
        "photograph": photograph.id,
        "patient": photograph.patient,
        "seconds": time.perf_counter() - start,
        **all_vessel_figures(found.probability, found.mask, truth, inside),
    }
    if photograph.vessels_second is not None:
        record["dice_observers"] = dice(read_mask(photograph.vessels_second), truth, inside)
    pool.add(found.probability, found.mask, truth, inside)
    return record


def _rows(dataset: str, records: Sequence[Record], pool: _Pool) -> list[Record]:
    members = [record for record in records if record["dataset"] == dataset]
    mean: Record = {"dataset": dataset, "over": MEAN, "n": len(members)}
    mean |= mean_row(members, _FIGURES, ("auc", "dice"))
    pooled: Record = {"dataset": dataset, "over": POOLED, "n": len(members), **pool.figures()}
    return [mean, pooled]


@dataclass(frozen=True)
class Vessels(OfSets):
    """On held-out photographs with drawn vessels; of DRIVE the test half.

    Leaves ``vessels.md``, ``.csv``, ``_per_image.csv`` and ``.json``; an older report is replaced.
    """

    model: str | None = option(None, metavar="NAME", help="default: the shipped one")

    def measure(self, progress: Progress = no_progress) -> str:
        photographs = self.held_out(lambda one: one.vessels is not None, self.sets)
        segmenter = load_segmenter(self.model, self.device)
        make_folder(self.out)  # before hours are spent
        records, table = evaluate_vessels(photographs, segmenter, progress=progress)
        models = {"vessels": named(segmenter.card)}
        return self.report("vessels", [table], records, photographs, models)
