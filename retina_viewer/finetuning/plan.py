"""The plan of a fine-tuning: everything that decides what it makes, frozen in one TOML file.

A plan names files of this machine, so it stays in its run folder. What leaves the machine with a
model is its card: counts and hashes, among them :meth:`TrainingPlan.digest`.
"""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Literal, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write, read_toml
from retina_viewer.core.settings import KeptPath
from retina_viewer.model_store.card import NAME_PATTERN, ModelCard

Subset = Literal["train", "validation", "held_out"]
Preset = Literal["gentle", "standard", "thorough"]
PlanTask = Literal["superres", "vessels"]
PRESET_NAMES: tuple[Preset, ...] = ("gentle", "standard", "thorough")
SUBSETS: tuple[Subset, ...] = ("train", "validation", "held_out")
OWN, REPLAY = "own", "replay"  # the names of the two sets that train, in caches and cards
_SHA256 = r"^[0-9a-f]{64}$"
_TUNED_METHODS = ("pixel", "saliency-gan")


def task_of_base(card: ModelCard) -> PlanTask | None:
    """What a model would be tuned for; None for one that is not tuned here: the estimator of blur
    and noise, and the methods that are there to be compared with."""
    if card.task == "vessels":
        return "vessels"
    if card.task == "superres" and card.enhancer_method in _TUNED_METHODS:
        return "superres"
    return None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannedPhotograph(_Part):
    """One photograph and what it is for. ``group`` is the patient, as a hash
    (:mod:`retina_viewer.finetuning.patients`), all of whose photographs are in one subset."""

    path: KeptPath
    sha256: str = Field(pattern=_SHA256)
    group: str = Field(min_length=1)
    subset: Subset
    mask: KeptPath | None = None  # vessels: the drawn mask
    mask_sha256: str | None = Field(default=None, pattern=_SHA256)
    mask_inverted: bool = False  # its vessels are the dark part


class Expert(_Part):
    """What an expert may fix; None leaves it to the preset, or to the time budget."""

    rate: float | None = Field(default=None, gt=0, le=0.01)  # learning rate
    # Validations without a better score before a stage ends
    patience: int | None = Field(default=None, gt=0)
    # Share of patches from bundled photographs
    replay: float | None = Field(default=None, ge=0, le=0.9)
    ema: float | None = Field(default=None, ge=0, lt=1)  # decay of the moving average
    seed: int = Field(default=20261122, ge=0)
    iterations: int | None = Field(default=None, gt=0)  # of each stage: no trial then
    batch: int | None = Field(default=None, gt=0)
    patch: int | None = Field(default=None, ge=16)  # pixels of the small photograph
    validate_every: int | None = Field(default=None, gt=0)
    validation_patches: int | None = Field(default=None, gt=0)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


class TrainingPlan(_Part):
    """What to train, on what, for how long."""

    name: str = Field(pattern=NAME_PATTERN)  # of the new model; its folder's name
    title: str = ""  # of the new model; empty for one made of the base's title
    task: PlanTask
    base: str = Field(pattern=NAME_PATTERN)  # of a saliency GAN the twin is tuned too
    steps: tuple[int, ...] = (1, 2)  # of the cascade (step k makes x2^k of x2^(k-1))
    minutes: float = Field(default=30.0, gt=0, le=60 * 24 * 14)  # all stages, on this machine
    preset: Preset = "standard"
    device: str = "auto"
    expert: Expert = Expert()
    photographs: tuple[PlannedPhotograph, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.task == "superres" and (
            not self.steps or list(self.steps) != sorted({k for k in self.steps if 1 <= k <= 4})
        ):
            raise ValueError("steps must be rising numbers from 1 to 4")
        if self.task == "vessels" and any(p.mask is None for p in self.photographs):
            raise ValueError("every photograph needs a mask to train on vessels")
        _check_division(self.photographs)
        return self

    def of(self, subset: Subset) -> list[PlannedPhotograph]:
        """The photographs of one subset, in the plan's order."""
        return [p for p in self.photographs if p.subset == subset]

    @property
    def pixel_stages(self) -> list[tuple[int, ...]]:
        """The steps that each stage of a cascade's pixel training tunes: 1 and 2 together, where
        both are asked for, the others one at a time."""
        first = tuple(step for step in self.steps if step <= 2)
        later: list[tuple[int, ...]] = [(step,) for step in self.steps if step > 2]
        return [first, *later] if first else later

    def patients(self, subset: Subset) -> int:
        """How many there are in a subset."""
        return len({p.group for p in self.of(subset)})

    def digest(self) -> str:
        """A SHA-256 over everything but paths and patients: what a card may show of the plan."""
        shown = self.model_dump(mode="json", exclude={"photographs"})
        files = sorted(f"{p.sha256} {p.mask_sha256} {p.subset}" for p in self.photographs)
        text = f"{sorted(shown.items())}\n{files}"
        return hashlib.sha256(text.encode()).hexdigest()


def _check_division(photographs: tuple[PlannedPhotograph, ...]) -> None:
    """No patient and no picture in two subsets: what is tested on must be new to the model."""
    for key, what in (("group", "patient"), ("sha256", "photograph")):
        places = {(getattr(p, key), p.subset) for p in photographs}
        [(name, count)] = Counter(name for name, _ in places).most_common(1) or [("", 0)]
        if count > 1:
            raise ValueError(f"a {what} is in two subsets: {name[:12]}")
    for subset in ("train", "validation"):
        if not any(p.subset == subset for p in photographs):
            raise ValueError(f"no photograph is for {subset}")


def save_plan(plan: TrainingPlan, path: Path) -> None:
    """Write a plan as TOML, whole or not at all."""
    content = tomli_w.dumps(plan.model_dump(mode="json", exclude_none=True))
    with atomic_write(path, replace=True) as stream:
        stream.write(content.encode())


def load_plan(path: Path) -> TrainingPlan:
    """Read and check a plan; UserError names the field that does not fit."""
    try:
        return TrainingPlan.model_validate(read_toml(path, "plan"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "photographs"
        raise UserError(f"The plan {path.name} is wrong at {where!r}: {first['msg']}.") from error
