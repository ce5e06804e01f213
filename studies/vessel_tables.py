"""From the vessel records to table 2 of the 2017 paper and table 2 of the 2025 paper."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.statistics import wilcoxon_p
from retina_viewer.quality.tables import Column, Record, Table, by_photograph
from studies.comparison import Comparison
from studies.report import (
    command_line,
    identified,
    provenance,
    write_tables,
)
from studies.vessel_study import ORIGINAL, Trainer, study_vessels

STEMS = {2: "table2", 3: "table3"}
OWN = "its own images"
ORIGINALS = "originals"
_FIGURES = (
    "accuracy", "sensitivity", "specificity", "precision", "auc", "dice", "cldice",
    "sensitivity_thin", "accuracy_whole", "sensitivity_whole", "specificity_whole",
    "precision_whole", "auc_whole", "dice_whole", "cldice_whole", "sensitivity_thin_whole",
)  # fmt: skip
_SPREAD = ("accuracy", "sensitivity", "dice")
_WHO = (
    Column("dataset", "set"),
    Column("scale", "scale"),
    Column("trained_on", "network trained on"),
    Column("method", "measured on"),
    Column("n", "n"),
)
_TABLE_2 = (
    *_WHO,
    Column("accuracy", "accuracy", digits=4),
    Column("accuracy_sd", "SD", digits=4),
    Column("sensitivity", "sensitivity", digits=4),
    Column("sensitivity_sd", "SD", digits=4),
    Column("specificity", "specificity", digits=4),
    Column("auc", "AUC", digits=4),
    Column("dice", "Dice", digits=4),
    Column("dice_sd", "SD", digits=4),
    Column("p", "p", digits=4, as_p=True),
    Column("cldice", "clDice", digits=4),
    Column("sensitivity_thin", "of thin", digits=4),
    Column("accuracy_whole", "accuracy whole", digits=4),
    Column("dice_whole", "Dice whole", digits=4),
)
_TABLE_3 = (
    *_WHO,
    Column("precision", "precision", digits=4),
    Column("sensitivity", "recall", digits=4),
    Column("dice", "F1", digits=4),
    Column("precision_whole", "precision whole", digits=4),
    Column("sensitivity_whole", "recall whole", digits=4),
    Column("dice_whole", "F1 whole", digits=4),
)
_NOTE = (
    "Against the first observer, inside the field of view; `whole` counts the dark surround too. "
    "Means over the photographs of the test half; Dice is the F1 score; `of thin`: sensitivity for "
    "vessels at most 3 px wide. p: Wilcoxon signed-rank test of the images' Dice against "
    "{reference}, two-sided, exact. Every network: the same small U-Net, the same {budget} steps, "
    "its threshold from validation photographs. Images: shrunk by a Gaussian, then enlarged."
)


def vessel_summary(records: Sequence[Record], reference: str) -> list[Record]:
    """One row a set, scale, training and method: means, SD, and p of Dice against ``reference``."""
    groups: dict[tuple[str, int, str, str], list[Record]] = {}
    for one in records:
        dataset, trained_on, method = (str(one[key]) for key in ("dataset", "trained_on", "method"))
        training = ORIGINALS if trained_on == ORIGINAL else OWN
        groups.setdefault((dataset, int(one["scale"]), training, method), []).append(one)
    rows: list[Record] = []
    for (dataset, scale, training, method), members in groups.items():
        row: Record = {
            "dataset": dataset, "scale": scale, "trained_on": training, "method": method,
            "n": len(members),
        }  # fmt: skip
        for name in _FIGURES:
            values = [float(one[name]) for one in members if name in one]
            if values:
                row[name] = float(np.mean(values))
            if name in _SPREAD and len(values) > 1:
                row[f"{name}_sd"] = float(np.std(values, ddof=1))
        other = groups.get((dataset, scale, training, reference))
        if other is not None and method != reference:
            row["p"] = _p_of_dice(other, members)
        rows.append(row)
    order = {name: place for place, name in enumerate((OWN, ORIGINALS))}
    return sorted(
        rows, key=lambda r: (str(r["dataset"]), int(r["scale"]), order[str(r["trained_on"])])
    )


def _p_of_dice(first: Sequence[Record], second: Sequence[Record]) -> float:
    """Of the photographs that were measured in both."""
    one, two = (by_photograph(some, "dice") for some in (first, second))
    common = sorted(one.keys() & two.keys())
    return wilcoxon_p([one[key] for key in common], [two[key] for key in common])


def vessel_tables(
    records: Sequence[Record], reference: str, budget: str, numbers: Sequence[int]
) -> dict[int, Table]:
    """Tables 2 and 3, those of them that are asked for; table 3 is of x4 as in the 2025 paper."""
    rows = vessel_summary(records, reference)
    note = _NOTE.format(reference=reference, budget=budget)
    titles = {
        2: "Vessels found, by what the network was trained on and measured on",
        3: "Precision, recall and F1 of vessels at x4",
    }
    at_four = [row for row in rows if row["scale"] in (1, 4)]
    every = {
        2: Table(_TABLE_2, rows, (note,), titles[2]),
        3: Table(_TABLE_3, at_four, (note,), titles[3]),
    }
    return {number: table for number, table in every.items() if number in numbers}


def measure_vessels(
    found: Sequence[Photograph],
    out: Path,
    asked: Comparison,
    trainer: Trainer,
    budget: str,
    reference: str,
    *,
    progress: Progress = no_progress,
) -> str:
    """Train and measure what is missing, write tables 2 and 3 into ``out``, return them.

    Args:
        budget: what every network was given, for people and for the command, e.g. ``600``.
        reference: the method against which p is computed.

    Raises:
        UserError: as :func:`~studies.vessel_study.study_vessels`, or a file
            cannot be written.
    """
    records, sets, models = study_vessels(found, asked, trainer, out, progress=progress)
    seen = [photograph for halves in sets for photograph in halves.all]
    options: Mapping[str, object] = asked.options() | {"iterations": budget}
    about = provenance(command_line("tables", options), seen, models)
    about |= identified(seen, asked.device)
    about["networks"] = trainer.identity
    about["halves"] = {
        halves.dataset: {
            part: [one.id for one in getattr(halves, part)]
            for part in ("train", "validation", "test")
        }
        for halves in sets
    }
    tables = vessel_tables(records, reference, budget, asked.tables)
    return "\n".join(
        write_tables(out, STEMS[number], [table], records, about)
        for number, table in tables.items()
    )
