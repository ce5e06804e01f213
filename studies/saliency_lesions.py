"""Whether the saliency layer points at lesions, and at which size of the retina it does best.

The layer of a photograph is computed at several widths of its field of view and compared with the
masks of its lesions: the area under the ROC curve is the chance that a pixel of a lesion is more
salient than one of none, .5 for a map that points at nothing.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.readers import open_image
from retina_viewer.quality.datasets import Photograph, read_mask
from retina_viewer.quality.metrics import auc
from retina_viewer.quality.tables import Column, Record, Table
from retina_viewer.saliency.layer import FIELD, saliency_layer
from studies.data_folders import find_photographs
from studies.report import (
    command_line,
    held_out_photographs,
    make_folder,
    provenance,
    write_tables,
)

FIELDS = (300, FIELD, 2000)
_KINDS = {
    "EX": "hard exudates",
    "MA": "microaneurysms",
    "HE": "haemorrhages",
    "SE": "soft exudates",
}
_STEP = 2  # every second pixel each way: sorting twelve million takes a second
_COLUMNS = (
    Column("dataset", "set"),
    Column("field", "field px"),
    Column("n", "n"),
    *(Column(kind, title, digits=2) for kind, title in _KINDS.items()),
)
_NOTE = (
    "AUC of the saliency layer for the pixels of each kind of lesion, inside the field of view, "
    "over every second pixel each way; the mean over the n images, of those that have the kind. "
    "Field: its width in pixels that the layer is computed at, then resized to the photograph."
)


def measured(photograph: Photograph, field: int, device: str, progress: Progress) -> Record:
    """The AUC of one photograph's layer for each kind of lesion that it has."""
    image = open_image(photograph.image)
    inside = image.field_of_view.mask[::_STEP, ::_STEP]
    values = saliency_layer(image, field=field, device=device, progress=progress)
    values = values[::_STEP, ::_STEP]
    record: Record = {
        "dataset": photograph.dataset, "photograph": photograph.id, "field": field
    }  # fmt: skip
    for kind in _KINDS:
        if kind not in photograph.lesions:
            continue
        lesions = read_mask(photograph.lesions[kind])[::_STEP, ::_STEP]
        if (lesions & inside).any():
            record[kind] = auc(values, lesions, inside)
    return record


def summarise(records: Sequence[Record]) -> Table:
    """One row a set and field: the mean over images."""
    rows: list[Record] = []
    groups = dict.fromkeys((str(one["dataset"]), int(one["field"])) for one in records)
    for dataset, field in sorted(groups):
        own = [one for one in records if (one["dataset"], one["field"]) == (dataset, field)]
        row: Record = {"dataset": dataset, "field": field, "n": len(own)}
        for kind in _KINDS:
            values = [float(one[kind]) for one in own if kind in one]
            if values:
                row[kind] = float(np.mean(values))
        rows.append(row)
    return Table(_COLUMNS, rows, (_NOTE,))


def evaluate_saliency_command(
    data: Path,
    out: Path,
    *,
    fields: Sequence[int] = FIELDS,
    limit: int | None = None,
    device: str = "auto",
    progress: Progress = no_progress,
) -> str:
    """``retina-viewer evaluate saliency DATA``: measure, write, return the Markdown table.

    Measures on held-out photographs with lesion masks. Writes ``saliency.md``, ``saliency.csv``,
    ``saliency_per_image.csv`` and ``saliency.json`` into ``out``; an older report is replaced.

    Args:
        data: a folder of set folders, or one set folder.
        out: where the report goes.
        fields: widths of the field of view, px.
        limit: at most so many photographs of each set.

    Raises:
        UserError: no data with lesions, or the report cannot be written.
    """
    found = [one for one in find_photographs(data) if one.lesions]
    photographs = held_out_photographs(found, (), limit)
    make_folder(out)
    jobs = [(photograph, field) for photograph in photographs for field in fields]
    records = []
    for done, (photograph, field) in enumerate(jobs):
        part = part_of(progress, done / len(jobs), (done + 1) / len(jobs))
        part(0.0, f"{photograph.name}, {field} px")
        records.append(measured(photograph, field, device, part))
    options = {"fields": () if tuple(fields) == FIELDS else fields, "limit": limit}
    about = provenance(command_line("saliency", options), photographs, {})
    return write_tables(out, "saliency", [summarise(records)], records, about)
