"""Whether the saliency layer points at lesions, and at which size of the retina it does best.

The layer of a photograph is computed at several widths of its field of view and compared with the
masks of its lesions: the area under the ROC curve is the chance that a pixel of a lesion is more
salient than one of none, .5 for a map that points at nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.readers import open_image
from retina_viewer.quality.datasets import Photograph, read_mask
from retina_viewer.quality.metrics import auc
from retina_viewer.quality.records import Record
from retina_viewer.saliency.layer import FIELD, saliency_layer
from studies.measuring import grouped, mean_row
from studies.report import make_folder
from studies.study import OnPhotographs
from studies.tables import Table, columns

_KINDS = {
    "EX": "hard exudates",
    "MA": "microaneurysms",
    "HE": "haemorrhages",
    "SE": "soft exudates",
}
_STEP = 2  # every second pixel each way: sorting twelve million takes a second
_COLUMNS = columns(
    "dataset:set", "field:field px", "n", *(f"{kind}:{title}" for kind, title in _KINDS.items())
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
    for (dataset, field), own in sorted(grouped(records, ("dataset", "field")).items()):
        row: Record = {"dataset": dataset, "field": field, "n": len(own)}
        rows.append(row | mean_row(own, _KINDS))
    return Table(_COLUMNS, rows, (_NOTE,))


@dataclass(frozen=True)
class SaliencyOfLesions(OnPhotographs):
    """On held-out photographs with masks of lesions.

    Leaves ``saliency.md``, ``.csv``, ``_per_image.csv`` and ``.json``; an older report is replaced.
    """

    fields: Sequence[int] = option(
        (300, FIELD, 2000), metavar="PX", help="widths of the field of view to compute it at"
    )

    def measure(self, progress: Progress = no_progress) -> str:
        photographs = self.held_out(lambda one: bool(one.lesions))
        make_folder(self.out)  # before hours are spent
        jobs = [(photograph, field) for photograph in photographs for field in self.fields]
        records = []
        for done, (photograph, field) in enumerate(jobs):
            part = part_of(progress, done / len(jobs), (done + 1) / len(jobs))
            part(0.0, f"{photograph.name}, {field} px")
            records.append(measured(photograph, field, self.device, part))
        return self.report("saliency", [summarise(records)], records, photographs, {})
