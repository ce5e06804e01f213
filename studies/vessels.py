"""The vessel tables: a model's map against the first observer, inside the field of view."""

import json
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.readers import open_image
from retina_viewer.quality.datasets import Photograph, read_mask
from retina_viewer.quality.metrics import Mask, dice
from retina_viewer.quality.protocols import field_of_view_mask
from retina_viewer.quality.tables import (
    Column,
    Record,
    Table,
    records_to_csv,
    write_report,
)
from retina_viewer.vessels.segment import VesselSegmenter, load_segmenter
from studies.data_folders import find_photographs
from studies.report import held_out_photographs, make_folder, provenance
from studies.vessel_metrics import all_vessel_figures, vessel_figures

MEAN, POOLED = "mean", "pooled"
_FIGURES = (
    "auc",
    "dice",
    "sensitivity",
    "sensitivity_thin",
    "specificity",
    "accuracy",
    "precision",
    "cldice",
    "dice_observers",
    "seconds",
)
_COLUMNS = (
    Column("dataset", "set"),
    Column("over", "over"),
    Column("n", "n"),
    Column("auc", "AUC", digits=4),
    Column("auc_sd", "SD", digits=4),
    Column("dice", "Dice", digits=4),
    Column("dice_sd", "SD", digits=4),
    Column("sensitivity", "sensitivity", digits=4),
    Column("sensitivity_thin", "of thin", digits=4),
    Column("specificity", "specificity", digits=4),
    Column("accuracy", "accuracy", digits=4),
    Column("precision", "precision", digits=4),
    Column("cldice", "clDice", digits=4),
    Column("dice_observers", "Dice of 2nd observer", digits=4),
    Column("seconds", "s/image"),
)
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
    for name in _FIGURES:
        values = [float(record[name]) for record in members if name in record]
        if values:
            mean[name] = float(np.mean(values))
        if name in ("auc", "dice") and len(values) > 1:
            mean[f"{name}_sd"] = float(np.std(values, ddof=1))
    pooled: Record = {"dataset": dataset, "over": POOLED, "n": len(members), **pool.figures()}
    return [mean, pooled]


def evaluate_vessels_command(
    data: Path,
    out: Path,
    *,
    sets: Sequence[str] = (),
    limit: int | None = None,
    model: str | None = None,
    device: str = "auto",
    progress: Progress = no_progress,
) -> str:
    """``retina-viewer evaluate vessels DATA``: measure, write, return the Markdown table.

    Measures on the held-out photographs alone (``evaluation.datasets.subset_of``; DRIVE's test
    half). Writes ``vessels.md``, ``vessels.csv``, ``vessels_per_image.csv`` and ``vessels.json``
    into ``out`` (made where it is missing); an older report there is replaced.

    Args:
        data: a folder of set folders, or one set folder.
        out: where the report goes.
        sets: names of sets to measure on, e.g. ``DRIVE``; empty for all that are there.
        limit: at most so many photographs of each set.
        model: a vessel model's name; None for the shipped one.

    Raises:
        UserError: no labelled data, no such model, or the report cannot be written.
    """
    found = [one for one in find_photographs(data) if one.vessels is not None]
    photographs = held_out_photographs(found, sets, limit)
    segmenter = load_segmenter(model, device)
    make_folder(out)
    records, table = evaluate_vessels(photographs, segmenter, progress=progress)
    words = ["retina-viewer", "evaluate", "vessels", "DATA"]
    words += ["--sets", *sets] if sets else []
    words += ["--limit", str(limit)] if limit is not None else []
    words += ["--model", model] if model is not None else []
    card = segmenter.card
    models = {"vessels": {"name": card.name, "sha256": card.weights_sha256}}
    about = provenance(shlex.join([*words, "-o", "DIR"]), photographs, models)
    markdown = table.to_markdown()
    write_report(out / "vessels.md", f"{markdown}\nMeasured by `{about['command']}`.\n")
    write_report(out / "vessels.csv", table.to_csv())
    keys = list(dict.fromkeys(name for record in records for name in record))
    write_report(out / "vessels_per_image.csv", records_to_csv(keys, records))
    whole = {"provenance": about, "summary": list(table.rows), "records": records}
    write_report(out / "vessels.json", json.dumps(whole, indent=1) + "\n")
    return markdown
