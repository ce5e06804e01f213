"""Table 1 of the 2017 paper: how close enlargements are to the photographs, and how they look."""

from collections.abc import Sequence
from pathlib import Path

from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.evaluation.comparison import FIELD_DIAMETER, Comparison
from retina_viewer.evaluation.contenders import LINEAR, Contenders
from retina_viewer.evaluation.cross_validation import evaluate_linear_folds
from retina_viewer.evaluation.datasets import Photograph, split
from retina_viewer.evaluation.perceptual import Perceptual
from retina_viewer.evaluation.report import (
    command_line,
    held_out_photographs,
    identified,
    provenance,
    write_tables,
)
from retina_viewer.evaluation.superres import RECORD_KEY, evaluate_superres
from retina_viewer.evaluation.superres_summary import reference_of, summarise
from retina_viewer.evaluation.tables import RecordLog

STEM = "table1"
RECORDS = "image_records.jsonl"


def measure_images(
    found: Sequence[Photograph],
    out: Path,
    asked: Comparison,
    *,
    progress: Progress = no_progress,
) -> str:
    """Measure every method on every held-out photograph under every condition; write table 1.

    Writes ``table1.md``, ``table1.csv``, ``table1_per_image.csv`` and ``table1.json`` into
    ``out``, which exists. Every record goes into ``image_records.jsonl`` as soon as it is
    measured, and is not measured again.

    Args:
        found: the photographs; the training ones among them are what the linear filter learns
            from, the held-out ones what is measured on.
        asked: methods and conditions.

    Returns:
        The tables as Markdown.

    Raises:
        UserError: no held-out photograph, no model of a method, or a file cannot be written.
    """
    photographs = held_out_photographs(found, asked.sets, asked.limit)
    methods, conditions = asked.chosen_methods(), asked.conditions
    log = RecordLog(out / RECORDS, RECORD_KEY)
    looks = Perceptual(asked.device) if asked.perceptual else None
    contenders = Contenders(
        methods, conditions, split(found)["train"], device=asked.device,
        progress=part_of(progress, 0.0, 0.0),
    )  # fmt: skip
    share = 0.85 if LINEAR in methods else 1.0
    records = evaluate_superres(
        photographs, contenders, diameter=FIELD_DIAMETER, perceptual=looks, log=log,
        progress=part_of(progress, 0.0, share),
    )  # fmt: skip
    models = contenders.models()
    if LINEAR in methods:
        more, rests_on = evaluate_linear_folds(
            photographs, conditions, diameter=FIELD_DIAMETER, perceptual=looks, log=log,
            progress=part_of(progress, share, 1.0),
        )  # fmt: skip
        records += more
        models |= {str(more[0]["method"]): rests_on} if more else {}
    about = provenance(command_line("tables", asked.options()), photographs, models)
    about |= identified(photographs, asked.device)
    tables = summarise(records, reference=reference_of(methods))
    return write_tables(out, STEM, tables, records, about)
