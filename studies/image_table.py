"""Table 1 of the 2017 paper: how close enlargements are to the photographs, and how they look."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.quality.datasets import Photograph, split
from retina_viewer.quality.tables import Record, RecordLog, Value
from studies.comparison import FIELD_DIAMETER, Comparison
from studies.contenders import LINEAR, LINEAR_FOLDS, Contenders
from studies.cross_validation import evaluate_linear_folds
from studies.perceptual import Perceptual
from studies.report import (
    command_line,
    held_out_photographs,
    identified,
    provenance,
    write_tables,
)
from studies.results import read_results
from studies.superres import RECORD_KEY, evaluate_superres, needed_figures
from studies.superres_summary import reference_of, summarise

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
    measured, and is not measured again. What earlier runs measured there counts too
    (:func:`of_earlier_runs`), so that a large comparison can be measured part by part.

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
    before = of_earlier_runs(log, records, contenders.identities(), asked.perceptual)
    models = contenders.models()
    if LINEAR in methods:
        more, rests_on = evaluate_linear_folds(
            photographs, conditions, diameter=FIELD_DIAMETER, perceptual=looks, log=log,
            progress=part_of(progress, share, 1.0),
        )  # fmt: skip
        records += more
        models |= {str(more[0]["method"]): rests_on} if more else {}
    records += before
    names = {f"{record['dataset']}/{record['photograph']}" for record in records}
    measured = [photograph for photograph in found if photograph.name in names]
    about = provenance(command_line("tables", asked.options()), measured, models)
    about |= identified(measured, asked.device)
    about["commands"] = _commands(out, about["command"]) if before else [about["command"]]
    tables = summarise(records, reference=reference_of(methods))
    return write_tables(out, STEM, tables, records, about)


def of_earlier_runs(
    log: RecordLog, measured: Sequence[Record], identities: Mapping[str, str], perceptual: bool
) -> list[Record]:
    """What a log holds of other photographs and conditions than those of this run.

    A photograph counts under a condition only where every method was measured on it, with the
    weights of today: all means are then over the same photographs.

    Args:
        log: all records.
        measured: this run's.
        identities: of the methods that rest on something, as of ``Contenders``.
        perceptual: whether records without LPIPS are left out.

    Returns:
        Their records, of this run's methods alone.
    """
    methods = dict.fromkeys(str(record["method"]) for record in measured)
    done = {_case(record) for record in measured}
    cases: dict[tuple[Value, ...], dict[str, Record]] = {}
    for record in log:
        name = str(record["method"])
        current = name == LINEAR_FOLDS or record["model"] == identities.get(name, "")
        known = all(figure in record for figure in needed_figures(perceptual))
        if name in methods and current and known and _case(record) not in done:
            cases.setdefault(_case(record), {})[name] = record
    needed = methods.keys() - {LINEAR_FOLDS}
    complete = (case for case in cases.values() if needed <= case.keys())
    return [case[name] for case in complete for name in methods if name in case]


def _case(record: Record) -> tuple[Value, ...]:
    return tuple(record[name] for name in ("dataset", "photograph", "protocol", "kernel", "scale"))


def _commands(out: Path, command: str) -> list[str]:
    """Of all runs whose records count, oldest first."""
    try:
        earlier = read_results(out)[1].provenance
    except (UserError, KeyError):  # broken off before it wrote a table
        return [command]
    return list(dict.fromkeys([*earlier.get("commands", [earlier["command"]]), command]))
