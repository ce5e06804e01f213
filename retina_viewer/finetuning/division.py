"""Patients divided into those that train, those that tell when to stop, and those held out."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.plan import SUBSETS, PlannedPhotograph, Subset

SHARES: dict[Subset, float] = {"train": 0.60, "validation": 0.15, "held_out": 0.25}
"""Of the photographs, where nothing else is asked."""
LEAST_PATIENTS = 3
VERDICT_PATIENTS = 6
"""Two-sided, Wilcoxon's test can reach p < .05 only with six pairs or more (2 / 2^6 = .031)."""
_ENOUGH_FOR_VERDICT = 12
"""From so many patients on, at least six are held out, whatever the shares say."""


@dataclass(frozen=True)
class Division:
    """Attributes:
    subset_of: of every group.
    warnings: what a person should know before starting, whole sentences.
    """

    subset_of: dict[str, Subset]
    warnings: tuple[str, ...]


def divide(
    groups: Mapping[str, Sequence[str]],
    seed: int,
    shares: Mapping[Subset, float] = SHARES,
) -> Division:
    """Divide patients so that each subset has its share of the photographs.

    The largest patients are placed first, each where most is lacking; the order of equals comes
    from the seed and the hashes of their photographs alone. So the same photographs are divided
    alike wherever they lie and however they are called.

    Args:
        groups: the SHA-256 of every photograph, by patient.
        seed: another one gives another division.
        shares: of the photographs; sum 1.

    Raises:
        UserError: fewer than three patients.
    """
    if len(groups) < LEAST_PATIENTS:
        raise UserError(
            f"There are photographs of {_people(len(groups))} only.",
            "At least 3 are needed: to train, to tell when to stop, and to judge the result. "
            "Add photographs, or group them in another way.",
        )
    total = sum(len(photographs) for photographs in groups.values())
    target = {subset: shares[subset] * total for subset in SUBSETS}
    filled: dict[Subset, int] = dict.fromkeys(SUBSETS, 0)
    placed: dict[str, Subset] = {}
    for name in sorted(groups, key=lambda name: (-len(groups[name]), _rank(groups[name], seed))):
        subset = max(SUBSETS, key=lambda subset: target[subset] - filled[subset])
        placed[name] = subset
        filled[subset] += len(groups[name])
    _supply(placed, groups, seed)
    return Division(placed, tuple(_warnings(placed, groups)))


def _supply(placed: dict[str, Subset], groups: Mapping[str, Sequence[str]], seed: int) -> None:
    """Move the smallest patients to where the least number is not reached."""
    wanted: dict[Subset, int] = dict.fromkeys(SUBSETS, 1)
    if len(groups) >= _ENOUGH_FOR_VERDICT:
        wanted["held_out"] = VERDICT_PATIENTS
    for subset in SUBSETS:
        while _count(placed, subset) < wanted[subset]:
            spare = [name for name, s in placed.items() if _count(placed, s) > wanted[s]]
            # From train where possible: it has the most.
            from_train = [name for name in spare if placed[name] == "train"]
            donors = from_train or spare
            smallest = min(donors, key=lambda n: (len(groups[n]), _rank(groups[n], seed)))
            placed[smallest] = subset


def _count(placed: Mapping[str, Subset], subset: Subset) -> int:
    return sum(1 for value in placed.values() if value == subset)


def _rank(photographs: Sequence[str], seed: int) -> str:
    return hashlib.sha256(f"{seed} {sorted(photographs)}".encode()).hexdigest()


def _warnings(placed: Mapping[str, Subset], groups: Mapping[str, Sequence[str]]) -> list[str]:
    found = []
    held_out = _count(placed, "held_out")
    if held_out < VERDICT_PATIENTS:
        found.append(
            f"Only {_people(held_out)} will be held out: too few for a verdict, which needs "
            f"{VERDICT_PATIENTS}. With {_ENOUGH_FOR_VERDICT} patients in all there is a verdict."
        )
    training = sum(len(groups[name]) for name, subset in placed.items() if subset == "train")
    if training < 8:
        found.append(
            f"Only {training} photograph{'s' * (training != 1)} will be trained on: "
            "expect little, and look at the result closely."
        )
    return found


def _people(count: int) -> str:
    return f"{count} patient{'s' * (count != 1)}"


def planned(
    photographs: Mapping[Path, str],
    patients: Mapping[Path, str],
    division: Division,
    masks: Mapping[Path, tuple[Path, str, bool]] | None = None,
) -> tuple[PlannedPhotograph, ...]:
    """What a plan lists.

    Args:
        photographs: those that are kept, with their SHA-256.
        patients: the group of each, already hashed.
        division: of these groups.
        masks: for vessels: of each photograph the mask, its SHA-256, and whether it is inverted.
    """
    found = []
    for path, sha256 in photographs.items():
        mask, mask_sha256, inverted = (masks or {}).get(path, (None, None, False))
        found.append(
            PlannedPhotograph(
                path=path,
                sha256=sha256,
                group=patients[path],
                subset=division.subset_of[patients[path]],
                mask=mask,
                mask_sha256=mask_sha256,
                mask_inverted=inverted,
            )
        )
    return tuple(found)
