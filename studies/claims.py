"""The claim of the 2017 paper, tested: is the saliency GAN first, everywhere?

A case is one set under one condition. What comes first in it is told by the means over the set's
photographs. ``linear-5fold`` does not compete: it has seen the very cameras.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from retina_viewer.quality.records import Record, Value
from studies.contenders import LINEAR_FOLDS
from studies.superres import ALL_SETS
from studies.vessel_study import ORIGINAL
from studies.vessel_tables import ORIGINALS, OWN

CLAIMANT = "saliency-gan"
_SEEN_CAMERAS = ("CHASE_DB1", "FIVES", "HRF", "IDRiD")
Row = Mapping[str, Value]


@dataclass(frozen=True)
class Metric:
    """``key`` of a row, ``p`` the key of its p value, ``sign`` 1 where more is better, else -1."""

    key: str
    title: str
    p: str
    sign: int
    digits: int = 4


SSIM = Metric("ssim", "SSIM", "p_ssim", 1)
LPIPS = Metric("lpips", "LPIPS", "p_lpips", -1)
DICE = Metric("dice", "vessel Dice", "p", 1)
METRICS = (SSIM, LPIPS, DICE)


@dataclass(frozen=True)
class Case:
    """One comparison of all methods.

    Attributes:
        first: the method with the best mean.
        own: the claimant's mean.
        rival: the best other method, its mean, and p of the difference (NaN where none).
    """

    metric: Metric
    dataset: str
    where: str
    first: str
    own: float
    rival: str
    rival_value: float
    p: float

    @property
    def lead(self) -> float:
        """By how much the claimant is better than the best other; negative where it is worse."""
        return self.metric.sign * (self.own - self.rival_value)

    @property
    def is_first(self) -> bool:
        return self.first == CLAIMANT

    def as_record(self) -> Record:
        """For a file: every field, and the lead."""
        return {
            "metric": self.metric.title, "dataset": self.dataset, "where": self.where,
            "first": self.first, CLAIMANT: self.own, "best other": self.rival,
            "its value": self.rival_value, "lead": self.lead, "p": self.p,
        }  # fmt: skip


def is_unseen(dataset: str) -> bool:
    """Whether no photograph of the set was trained on; of the others only patients are unseen."""
    return dataset not in _SEEN_CAMERAS


def image_cases(rows: Iterable[Row]) -> list[Case]:
    """SSIM and LPIPS, from the summary of table 1."""
    groups = by_condition(rows)
    return [
        case
        for metric in (SSIM, LPIPS)
        for (dataset, where), members in groups.items()
        for case in _case(metric, dataset, where, members)
    ]


def by_condition(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    """Rows of table 1 by set and condition; those over all sets are left out."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["dataset"] != ALL_SETS:
            where = f"{row['protocol']}, {row['kernel']}, x{row['scale']}"
            groups.setdefault((str(row["dataset"]), where), []).append(row)
    return groups


def vessel_cases(rows: Iterable[Row]) -> list[Case]:
    """Dice, from the summary of table 2: of networks of either training."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["method"] != ORIGINAL:
            training = {OWN: "trained on it", ORIGINALS: "trained on originals"}
            where = f"x{row['scale']}, {training[str(row['trained_on'])]}"
            groups.setdefault((str(row["dataset"]), where), []).append(row)
    return [
        case
        for (dataset, where), members in groups.items()
        for case in _case(DICE, dataset, where, members)
    ]


def _case(metric: Metric, dataset: str, where: str, members: Sequence[Row]) -> Iterable[Case]:
    """One, or none where the claimant or any other was not measured."""
    values = {str(row["method"]): float(row[metric.key]) for row in members if metric.key in row}
    values.pop(LINEAR_FOLDS, None)
    if CLAIMANT not in values or len(values) < 2:
        return
    own = values.pop(CLAIMANT)
    rival = max(values, key=lambda name: metric.sign * values[name])
    wins = metric.sign * own >= metric.sign * values[rival]
    p = next((float(r[metric.p]) for r in members if r["method"] == rival and metric.p in r), None)
    yield Case(
        metric, dataset, where, CLAIMANT if wins else rival, own, rival, values[rival],
        float("nan") if p is None else p,
    )  # fmt: skip


def summary_rows(cases: Sequence[Case]) -> list[Record]:
    """One row a metric and set: in how many cases the claimant is first, who else is, by what."""
    rows: list[Record] = []
    for metric in METRICS:
        for dataset in dict.fromkeys(case.dataset for case in cases if case.metric == metric):
            own = [one for one in cases if one.metric == metric and one.dataset == dataset]
            lost = [case for case in own if not case.is_first]
            row: Record = {
                "metric": metric.title,
                "dataset": dataset,
                "seen": "no" if is_unseen(dataset) else "other patients",
                "cases": len(own),
                "first": len(own) - len(lost),
                "others": _counted(Counter(case.first for case in lost)),
            }
            if lost:
                row["median"] = float(np.median([-case.lead for case in lost]))
                worst = min(lost, key=lambda case: case.lead)
                row["most"], row["worst"] = -worst.lead, worst.where
                row["clear"] = sum(case.p < 0.05 for case in lost)
            rows.append(row)
    return rows


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts.most_common()) or "-"
