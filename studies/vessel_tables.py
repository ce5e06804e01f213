"""From the vessel records to table 2 of the 2017 paper and table 2 of the 2025 paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.records import Record
from retina_viewer.quality.statistics import wilcoxon_p
from studies.comparison import Comparison
from studies.comparison_networks import ComparisonTrainer
from studies.measuring import mean_row
from studies.report import identified, provenance, write_tables
from studies.tables import Table, by_photograph, columns
from studies.vessel_study import ORIGINAL, study_vessels

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
    "dataset:set", "scale", "trained_on:network trained on", "method:measured on", "n",
)  # fmt: skip
_TABLE_2 = columns(
    *_WHO, "accuracy:accuracy:4", "accuracy_sd:SD:4", "sensitivity:sensitivity:4",
    "sensitivity_sd:SD:4", "specificity:specificity:4", "auc:AUC:4", "dice:Dice:4", "dice_sd:SD:4",
    "p:p:p", "cldice:clDice:4", "sensitivity_thin:of thin:4", "accuracy_whole:accuracy whole:4",
    "dice_whole:Dice whole:4",
)  # fmt: skip
_TABLE_3 = columns(
    *_WHO, "precision:precision:4", "sensitivity:recall:4", "dice:F1:4",
    "precision_whole:precision whole:4", "sensitivity_whole:recall whole:4",
    "dice_whole:F1 whole:4",
)  # fmt: skip
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
        row |= mean_row(members, _FIGURES, _SPREAD)
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
    asked: Comparison,
    trainer: ComparisonTrainer,
    reference: str,
    progress: Progress = no_progress,
) -> str:
    """Train and measure what is missing, write tables 2 and 3 into ``asked.out``, return them.

    Args:
        reference: the method against which p is computed.

    Raises:
        UserError: as :func:`~studies.vessel_study.study_vessels`, or a file cannot be written.
    """
    records, sets, models = study_vessels(found, asked, trainer, asked.out, progress=progress)
    seen = [photograph for halves in sets for photograph in halves.all]
    again = replace(asked, iterations=trainer.iterations, minutes=None)
    about = provenance(again.command(), seen, models) | identified(seen, asked.device)
    about["networks"] = trainer.identity
    about["halves"] = {
        halves.dataset: {
            part: [one.id for one in getattr(halves, part)]
            for part in ("train", "validation", "test")
        }
        for halves in sets
    }
    tables = vessel_tables(records, reference, str(trainer.iterations), asked.tables)
    return "\n".join(
        write_tables(asked.out, STEMS[number], [table], records, about)
        for number, table in tables.items()
    )
