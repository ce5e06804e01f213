"""All methods compared: the tables of both papers; goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retina_viewer.core.errors import UserError
from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition
from retina_viewer.quality.records import Record, RecordLog, Value, write_report
from retina_viewer.superres.enhance_settings import EnhanceSettings
from studies.comparison import FIELD_DIAMETER, ITERATIONS, Comparison, photographs_below
from studies.comparison_networks import ComparisonTrainer, iterations_of
from studies.contenders import LINEAR, LINEAR_FOLDS, Contenders
from studies.data_folders import split
from studies.page import cases_of, page
from studies.plots import save_plots
from studies.report import (
    held_out_photographs,
    identified,
    make_folder,
    provenance,
    read_results,
    write_tables,
)
from studies.sharpness import Perceptual
from studies.superres import RECORD_KEY, evaluate_superres, needed_figures, reference_of, summarise
from studies.tables import names_in, records_to_csv
from studies.vessel_tables import measure_vessels

FOLDS = 5
STEM = "table1"
RECORDS = "image_records.jsonl"


def folds_by_patient(
    photographs: Sequence[Photograph], count: int = FOLDS, seed: int = 0
) -> list[list[Photograph]]:
    """Divide photographs so that no patient is in two parts, each set evenly among the parts.

    Returns:
        At most ``count`` parts, none empty; fewer where there are fewer patients.
    """
    random = np.random.default_rng(seed)
    parts: list[list[Photograph]] = [[] for _ in range(count)]
    dealt = 0
    for dataset in sorted({photograph.dataset for photograph in photographs}):
        members = [photograph for photograph in photographs if photograph.dataset == dataset]
        patients = sorted({photograph.patient for photograph in members})
        for place in random.permutation(len(patients)):
            own = [one for one in members if one.patient == patients[place]]
            parts[dealt % count].extend(own)
            dealt += 1
    return [part for part in parts if part]


def evaluate_linear_folds(
    photographs: Sequence[Photograph],
    conditions: Sequence[Condition],
    *,
    diameter: int | None = None,
    perceptual: Perceptual | None = None,
    log: RecordLog | None = None,
    progress: Progress = no_progress,
) -> tuple[list[Record], dict[str, str]]:
    """The best linear filter, each fifth of the patients measured with one fitted to the others.

    What it gains over ``linear``, which learned from the training photographs, is what a method
    gains by having seen the very cameras that it is measured on.

    Args:
        photographs: those that all methods are measured on.
        conditions: likewise; a filter is fitted to each.
        diameter: see :func:`~studies.superres.evaluate_superres`.
        perceptual: likewise, and log.

    Returns:
        Records as of ``evaluate_superres``, and name and SHA-256 of what the filters rest on;
        both empty where there is but one patient.
    """
    folds = folds_by_patient(photographs)
    if len(folds) < 2:
        return [], {}
    records: list[Record] = []
    hashes: list[str] = []
    for number, fold in enumerate(folds):
        share = part_of(progress, number / len(folds), (number + 1) / len(folds))
        others = [one for other in folds if other is not fold for one in other]
        contenders = Contenders(
            (LINEAR_FOLDS,), conditions, others, progress=part_of(share, 0.0, 0.4)
        )
        hashes.append(contenders.models()[LINEAR_FOLDS]["sha256"])
        measuring = part_of(share, 0.4, 1.0)
        records += evaluate_superres(
            fold, contenders, diameter=diameter, perceptual=perceptual, log=log, progress=measuring
        )
    return records, {"name": f"{len(folds)} folds by patient", "sha256": " ".join(hashes)}


def measure_images(
    found: Sequence[Photograph], asked: Comparison, progress: Progress = no_progress
) -> str:
    """Measure every method on every held-out photograph under every condition; write table 1.

    Writes ``table1.md``, ``table1.csv``, ``table1_per_image.csv`` and ``table1.json`` into
    ``asked.out``, which exists. Every record goes into ``image_records.jsonl`` as soon as it is
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
    log = RecordLog(asked.out / RECORDS, RECORD_KEY)
    looks = Perceptual(asked.device) if asked.perceptual else None
    settings = EnhanceSettings(device=asked.device)
    fitting = part_of(progress, 0.0, 0.0)
    contenders = Contenders(methods, conditions, split(found)["train"], settings, fitting)
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
    about = provenance(asked.command(), measured, models)
    about |= identified(measured, asked.device)
    about["commands"] = _commands(asked.out, about["command"]) if before else [about["command"]]
    tables = summarise(records, reference=reference_of(methods))
    return write_tables(asked.out, STEM, tables, records, about)


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


@dataclass(frozen=True)
class Tables(Comparison):
    """Everything is kept as soon as it is measured: a run that was broken off, at any point, goes
    on when it is started again. Records of other weights or budgets stay and are not used.
    """

    unrecorded = (*Comparison.unrecorded, "page")

    data: Sequence[Path] = option((), flags=("data",), metavar="DATA", help="folders of data sets")
    page: Path | None = option(
        None, metavar="FILE",
        help="write the page of the results in DIR; without DATA, of what is there already",
    )  # fmt: skip

    def measure(self, progress: Progress = no_progress) -> str:
        """Measure what ``out`` does not hold yet, and write the tables, plots and page."""
        if self.page is not None and not self.data:
            write_page(self.out, self.page)
            return f"Written to {self.page}"
        methods = self.chosen_methods()
        found = photographs_below(self.data, self.sets)
        make_folder(self.out)
        written = []
        share = 0.5 if len(self.tables) > 1 and 1 in self.tables else 1.0
        if 1 in self.tables:
            written.append(measure_images(found, self, part_of(progress, 0.0, share)))
        if 2 in self.tables or 3 in self.tables:
            later = part_of(progress, share if 1 in self.tables else 0.0, 1.0)
            trainer, reference = self.trainer(), reference_of(methods)
            written.append(measure_vessels(found, self, trainer, reference, later))
        results = read_results(self.out)
        save_plots(results, self.out / "plots")
        cases = [case.as_record() for case in cases_of(results)]
        if cases:
            write_report(self.out / "claims.csv", records_to_csv(list(cases[0]), cases))
        if self.page is not None:
            write_page(self.out, self.page)
        return "\n".join(written)

    def trainer(self) -> ComparisonTrainer:
        """What trains the vessel networks, each with the same steps."""
        steps = self.iterations or ITERATIONS
        if self.minutes is not None:
            steps = iterations_of(self.minutes, self.out, self.device)
        return ComparisonTrainer(steps, self.device)


def write_page(out: Path, file: Path) -> None:
    """Make the page of the results in ``out``; its plots go into ``figures`` beside it, and with
    them what readers may want to reckon with: every figure of every photograph as CSV, and the
    provenance of all as JSON.

    An older page is replaced. Every table in ``out`` is taken, of whichever run.

    Raises:
        UserError: ``out`` holds no tables, or the page cannot be written.
    """
    results = read_results(out)
    figures = file.parent / "figures"
    make_folder(figures)
    titles = save_plots(results, figures, f"{file.stem}_")
    for number in sorted(results.keys() - {3}):  # table 3 is of the second's records
        records = results[number].records
        per_image = records_to_csv(names_in(records), records)
        write_report(figures / f"{file.stem}_table{number}_per_image.csv", per_image)
    about = {f"table{number}": one.provenance for number, one in results.items()}
    write_report(figures / f"{file.stem}_provenance.json", json.dumps(about, indent=1) + "\n")
    addresses = {f"figures/{name}": title for name, title in titles.items()}
    write_report(file, page(results, addresses))
