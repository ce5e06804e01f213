"""The model card: what a model is, where it comes from, what it was measured to do."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from retina_viewer.core.errors import UserError

TaskName = Literal["superres", "formation", "vessels"]
CARD_FILE = "card.json"
WEIGHTS_FILE = "weights.safetensors"
NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"
"""A model's name is its folder's name: portable, and never a way out of the models' folder."""


class _Part(BaseModel):
    # JSON has no NaN: written as null, it could not be read again.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Conclusion = Literal["better", "no difference", "worse", "too few"]


class Change(_Part):
    """One figure of both models, as means over patients, shown with so many ``digits``.

    Attributes:
        metric: ``psnr``, ``lpips``, ``dice``, ...
        gain: ``tuned - base``, its sign turned where low is good.
        counts_from: the least ``gain``, or loss, that is worth mentioning.
    """

    metric: str
    title: str
    unit: str = ""
    digits: int = 2
    higher_is_better: bool = True
    base: float
    tuned: float
    gain: float
    counts_from: float

    @property
    def is_gain(self) -> bool:
        return self.gain >= self.counts_from

    @property
    def is_loss(self) -> bool:
        return self.gain <= -self.counts_from


class ComparedFigure(Change):
    """A :class:`Change` with its test over patients.

    Attributes:
        p: Wilcoxon's signed-rank test, exact, two-sided.
        effect: matched-pairs rank-biserial correlation, 1 where every patient gained, -1 where
            every patient lost.
        improved, worsened, harmed: patients; ``harmed`` lost more than counts.
        patients: in whom both models were measured.
        fidelity: whether it says how true the result is: then any loss that counts forbids
            "better", whether chance explains it or not.
        leads: whether the conclusion rests on this figure; the others can only stand against it.
    """

    p: float = Field(ge=0, le=1)
    effect: float = Field(ge=-1, le=1)
    improved: int
    worsened: int
    patients: int = 0
    harmed: int = 0
    fidelity: bool = False
    leads: bool = False

    @property
    def forbids_better(self) -> bool:
        """Less true in the mean, or in over half of the patients, by more than counts."""
        return self.fidelity and (self.is_loss or 2 * self.harmed > self.patients)


class Values(_Part):
    """One photograph under one condition.

    Attributes:
        photograph: the first digits of its file's SHA-256, or the name of a bundled one.
        patient: a number within this verdict, from 1.
        kernel: how it was shrunk; empty for vessels.
        scale: by how much; 1 for vessels.
        base, tuned: figures by metric.
    """

    photograph: str
    patient: int
    kernel: str = ""
    scale: int = 1
    base: dict[str, float]
    tuned: dict[str, float]


class Verdict(_Part):
    """Base against tuned on held-out patients.

    Attributes:
        sentences: what was found, in plain words, the conclusion first.
        patients, photographs: held out and measured; patients by the leading figure.
        more_patients_needed: before any difference could be told from chance; 0 if enough.
        comparisons: of the held-out patients; the leading figure first.
        general: of the bundled photographs of other cameras, without a test.
        forgets: one of ``general``, or the leading measure of fidelity of one other camera, is a
            loss that counts.
    """

    conclusion: Conclusion
    sentences: tuple[str, ...]
    base: str
    base_sha256: str
    tuned_sha256: str
    patients: int
    photographs: int
    more_patients_needed: int = 0
    comparisons: tuple[ComparedFigure, ...] = ()
    general: tuple[Change, ...] = ()
    forgets: bool = False
    values: tuple[Values, ...] = ()
    general_values: tuple[Values, ...] = ()
    program: str


class TrainingSummary(_Part):
    """Counts and hashes, no names of people or files."""

    recipe: str = Field(description="name of the recipe")
    recipe_sha256: str
    seed: int
    iterations: tuple[int, ...] = Field(description="of each stage")
    best_iterations: tuple[int, ...] = Field(description="whose averaged weights were kept")
    seconds: float
    precision: str
    device: str
    torch: str
    program: str
    photographs: dict[str, int] = Field(description="trained on, by data set")
    validation_photographs: dict[str, int]
    patients: int
    data_sha256: str = Field(description="over the SHA-256 of every training photograph, sorted")


class Measurement(_Part):
    """One figure, measured on photographs that no training saw."""

    data: str
    metric: str
    value: float
    command: str


Share = Annotated[float, Field(ge=0.0, le=1.0)]
Fidelity = Share | dict[int, Share]
"""A share of the twin's weights: one for all scales, or one for each."""


def share_at(fidelity: Fidelity | None, scale: int) -> float | None:
    """What ``fidelity`` says of a scale, 0 to 1."""
    return fidelity[scale] if isinstance(fidelity, dict) else fidelity


_METHODS_OF = {"linear-filters": "linear", "regression-forests": "sr-forest"}
"""Architectures that one method alone can use."""


class ModelCard(_Part):
    """Everything about a model but its weights. ``directory`` is where it was read from."""

    name: str = Field(pattern=NAME_PATTERN)
    version: str
    title: str
    task: TaskName
    method: str | None = Field(
        default=None,
        description="superres: whose model it is; None: that of an architecture with one method "
        "alone, else the saliency GAN's where it has a twin, else the pixel-trained networks'",
    )
    architecture: str
    parameters: dict[str, Any]
    scales: tuple[int, ...] = ()
    margins: tuple[int, ...] = Field(
        default=(), description="pixels that each step's network sees around its input"
    )
    field_diameter: int | None = Field(
        default=None, description="vessels: the working resolution, px"
    )
    threshold: float | None = Field(default=None, description="vessels: probability of the mask")
    weights_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    licence: str
    training: TrainingSummary
    validation: dict[str, float] = {}
    measurements: tuple[Measurement, ...] = ()
    parent: str | None = Field(default=None, description="its name and version")
    parent_sha256: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{64}$", description="of the parent's weights"
    )
    twin: str | None = Field(
        default=None,
        pattern=NAME_PATTERN,
        description="GAN: the pixel-trained model of the same architecture that it began as",
    )
    fidelity: Fidelity | None = Field(
        default=None, description="GAN: default share of the twin's weights, 0 to 1"
    )
    verdict: Verdict | None = Field(
        default=None, description="tuned models: base against this one, on held-out patients"
    )
    reason: str = Field(
        default="", description="why a person kept it although it was not found to be better"
    )
    created: date
    notes: str = ""
    directory: Path | None = Field(default=None, exclude=True)

    @model_validator(mode="after")
    def _the_method_is_that_of_the_architecture(self) -> ModelCard:
        fitted = _METHODS_OF.get(self.architecture)
        needed = fitted or self.method
        if self.method not in (None, needed) or (not fitted and needed in _METHODS_OF.values()):
            raise ValueError(
                f"the method {self.method!r} is not that of the architecture {self.architecture!r}"
            )
        return self

    @model_validator(mode="after")
    def _a_twin_and_a_fidelity_belong_together(self) -> ModelCard:
        if (self.twin is None) != (self.fidelity is None):
            raise ValueError("twin and fidelity are given together or not at all")
        if isinstance(self.fidelity, dict) and set(self.fidelity) != set(self.scales):
            raise ValueError("the fidelity is given for other scales than the model's")
        return self

    def fidelity_at(self, scale: int) -> float | None:
        """The default share of the twin's weights at a scale; None where there is no twin."""
        return share_at(self.fidelity, scale)

    @property
    def enhancer_method(self) -> str:
        """The super-resolution method that the model is for, as on the command line."""
        named = self.method or _METHODS_OF.get(self.architecture)
        return named or ("pixel" if self.twin is None else "saliency-gan")

    def check_scale(self, scale: int, offered: tuple[int, ...]) -> None:
        """Raise a UserError where a scale is not among those that the model offers."""
        if scale not in offered:
            scales = ", ".join(f"x{one}" for one in offered) or "nothing"
            raise UserError(
                f"The model {self.name!r} cannot enlarge by x{scale}.", f"It offers {scales}."
            )

    @property
    def weights_file(self) -> Path:
        if self.directory is None:
            raise ValueError("this card was not read from a model folder")
        return self.directory / WEIGHTS_FILE


def read_card(directory: Path) -> ModelCard:
    """The card of a model folder. Raises UserError: there is none, or it is not valid; the field at
    fault is named.
    """
    path = directory / CARD_FILE
    try:
        card = ModelCard.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"The model in {directory.name} has no readable {CARD_FILE}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(
            f"The card of the model in {directory.name} is wrong at {where!r}: {first['msg']}.",
            "Import the model again from its original file.",
        ) from error
    return card.model_copy(update={"directory": directory})
