"""What a person has chosen for a training so far, and the plan that follows from it; no Qt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.finetuning import patients as people
from retina_viewer.finetuning.intake import Examined, Intake
from retina_viewer.finetuning.masks import MaskCheck, NamePatterns
from retina_viewer.finetuning.plan import Expert, PlanTask, Preset, TrainingPlan, task_of_base
from retina_viewer.model_store.card import ModelCard

_EYE = "left|right|od|os|LEFT|RIGHT|OD|OS"
SIDES = rf"^(.+?)(?:[ _.-]+(?:{_EYE})|(?:(?<=[0-9])|[ _.-]+)[LRlr])$"
"""File names that end with the eye: the patient is what stands before it."""
_MOST_OF_A_PATIENT = 12
"""Photographs in one folder; fuller folders are no patients but collections."""


class Way(Enum):
    """How patients are told apart."""

    FOLDER = "folder"
    PATTERN = "file name"
    DICOM = "DICOM"
    TABLE = "table"
    FILE = "each one"


@dataclass(frozen=True)
class GroupingChoice:
    """The way and what it needs; None before one is chosen."""

    way: Way | None = None
    pattern: str = SIDES
    table: Path | None = None

    def group(self, files: Sequence[Path], progress: Progress = no_progress) -> people.Grouping:
        """Who is on which photograph. Raises UserError: the pattern or the table is not usable, or
        none was chosen.
        """
        if self.way is None:
            raise UserError(
                "It is not clear which photographs are of one patient.",
                "Choose how patients are told apart.",
            )
        if self.way is Way.DICOM:
            return people.by_dicom(files, progress)
        if self.way is Way.PATTERN:
            return people.by_pattern(self.pattern, files)
        if self.way is Way.TABLE:
            if self.table is None:
                raise UserError("No table has been chosen yet.", "Choose a CSV file.")
            return people.by_table(self.table, files)
        return people.by_folder(files) if self.way is Way.FOLDER else people.by_file(files)


def suggested_grouping(files: Sequence[Path]) -> GroupingChoice:
    """The way that fits these files best: the first that finds patients with several photographs
    and is plausible. None where none is: that each photograph is another patient's is for the
    person to say."""
    for way in (Way.DICOM, Way.PATTERN, Way.FOLDER):
        choice = GroupingChoice(way)
        found = choice.group(files)
        sizes = Counter(found.patients.values()).values()
        if len(found.unmatched) * 2 > len(files) or len(sizes) < 2:
            continue
        if max(sizes) > 1 and max(sizes) <= _MOST_OF_A_PATIENT:
            return choice
    return GroupingChoice()


@dataclass
class Draft:
    """The choices; pages write them, each its own.

    Attributes:
        intake: what was found in the places; None until they were looked at.
        decided: photographs of which the person says otherwise than proposed.
        grouping: how patients are told apart; ``patients`` what came of it.
        patterns, masks: vessels: how masks are found, and those that were checked.
    """

    places: list[Path] = field(default_factory=list)
    task: PlanTask = "superres"
    intake: Intake | None = None
    decided: dict[Path, bool] = field(default_factory=dict)
    patterns: NamePatterns = field(default_factory=NamePatterns)
    masks: dict[Path, tuple[Path, MaskCheck]] = field(default_factory=dict)
    grouping: GroupingChoice = field(default_factory=GroupingChoice)
    patients: people.Grouping | None = None
    base: str = ""
    steps: tuple[int, ...] = (1, 2)
    minutes: float = 30.0
    preset: Preset = "standard"
    expert: Expert = field(default_factory=Expert)
    device: str = "auto"

    def begin_with(self, base: ModelCard) -> None:
        """Have this model trained on, for what it is for."""
        task = task_of_base(base)
        if task is None:
            raise ValueError(f"{base.name} is not tuned")
        self.task, self.base = task, base.name

    @staticmethod
    def can_keep(file: Examined) -> bool:
        """Whether there is anything to decide: not of what is unreadable, or there already."""
        return file.kind not in ("unreadable", "duplicate", "mask")

    def keeps(self, file: Examined) -> bool:
        """What the person decided, or else what was proposed."""
        return self.can_keep(file) and self.decided.get(file.path, file.proposed == "keep")

    @property
    def kept(self) -> list[Examined]:
        """The photographs to work with; for vessels those with a mask."""
        vessels = self.task == "vessels"
        return [one for one in self.chosen if not vessels or one.path in self.masks]

    @property
    def chosen(self) -> list[Examined]:
        """All photographs that are not left out."""
        files = () if self.intake is None else self.intake.photographs
        return [file for file in files if self.keeps(file)]

    def division(self, salt: bytes) -> people.Division:
        """Who trains, validates and is held out. Raises UserError: too few patients."""
        hashes = {file.path: file.sha256 for file in self.kept}
        groups: dict[str, list[str]] = {}
        for path, group in self.groups(salt).items():
            groups.setdefault(group, []).append(hashes[path])
        return people.divide(groups, self.expert.seed)

    def groups(self, salt: bytes) -> dict[Path, str]:
        """The hashed patient of every kept photograph."""
        if self.patients is None or self.intake is None:
            raise ValueError("the photographs are not grouped yet")
        completed = self.patients.completed()
        kept = {file.path for file in self.kept}
        labels = {path: label for path, label in completed.items() if path in kept}
        # Pairs that are alike must not be torn apart, whatever the person says of patients.
        together = people.joined(labels, list(self.intake.alike))
        return {path: people.hashed(label, salt) for path, label in together.items()}

    def plan(self, salt: bytes, name: str, title: str = "") -> TrainingPlan:
        """Everything chosen, frozen. Raises UserError: too few patients."""
        groups, division = self.groups(salt), self.division(salt)
        hashes = {file.path: file.sha256 for file in self.intake.files} if self.intake else {}
        kept = {file.path: file.sha256 for file in self.kept}
        masks = {
            photograph: (mask, hashes[mask], check.inverted)
            for photograph, (mask, check) in self.masks.items()
        }
        return TrainingPlan(
            name=name,
            title=title,
            task=self.task,
            base=self.base,
            steps=self.steps,
            minutes=self.minutes,
            preset=self.preset,
            device=self.device,
            expert=self.expert,
            photographs=people.planned(
                kept, groups, division, masks if self.task == "vessels" else None
            ),
        )


def own_name(base: str) -> str:
    """A name for what is made of a model: ``pixel-own``."""
    name = re.sub(r"[^a-z0-9._-]", "-", base.removesuffix("-own").lower())
    return f"{name[:59]}-own"


def counted(count: int, what: str) -> str:
    """``1 photograph``, ``12 patients``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
