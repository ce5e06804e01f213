"""What the acceptance gate found of a tuned model: the record that its card keeps.

The rule that makes one is in :mod:`retina_viewer.quality.verdict`.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Conclusion = Literal["better", "no difference", "worse", "too few"]


class _Part(BaseModel):
    # JSON has no NaN: written as null, it could not be read again.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Change(_Part):
    """One figure of both models, as means over patients.

    Attributes:
        metric: ``psnr``, ``lpips``, ``dice``, ...
        title: for people.
        unit: ``dB``, or empty.
        digits: after the point, when shown.
        higher_is_better: of ``base`` and ``tuned``; ``gain`` is always high when it is good.
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


class Comparison(Change):
    """A :class:`Change` with its test over patients.

    Attributes:
        p: Wilcoxon's signed-rank test, exact, two-sided.
        effect: matched-pairs rank-biserial correlation, 1 where every patient gained, -1 where
            every patient lost.
        improved, worsened: patients.
        patients: in whom both models were measured.
        harmed: patients who lost more than counts.
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
    comparisons: tuple[Comparison, ...] = ()
    general: tuple[Change, ...] = ()
    forgets: bool = False
    values: tuple[Values, ...] = ()
    general_values: tuple[Values, ...] = ()
    program: str
