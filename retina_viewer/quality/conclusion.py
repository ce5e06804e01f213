"""The rule of the acceptance gate: from figures of held-out patients to a conclusion in words.

One figure leads, and is tested alone, at 5 %: what the model was trained for. The others cannot
make a model better, but can stand against it. docs/decisions/gate.md gives the reasons.

- Photographs of one patient are averaged: patients are what is independent, eyes are not.
- ``too few``: fewer than six patients. Wilcoxon's smallest p of n pairs is 2 ** (1 - n): 0.0625
  for five, 0.031 for six.
- ``worse``: the leading figure lost, or one of the others did by more than chance explains after
  Holm's correction for their number.
- ``better``: the leading figure gained, none of the others lost, even uncorrected, and the result
  is as true as before: no figure of fidelity is worse by more than counts, in the mean or in over
  half of the patients, certain or not, and no other camera lost closeness to the truth.
- Gains and losses count from a size that matters; smaller ones are ``no difference`` however
  certain they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from retina_viewer import __version__
from retina_viewer.model_store.card import (
    Change,
    ComparedFigure,
    Conclusion,
    ModelCard,
    Values,
    Verdict,
)
from retina_viewer.quality.statistics import rank_biserial, wilcoxon_p

VERDICT_PATIENTS = 6
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Measure:
    """A figure that is compared; the fields are those of :class:`ComparedFigure`."""

    metric: str
    title: str
    counts_from: float
    unit: str = ""
    digits: int = 2
    higher_is_better: bool = True
    share: bool = False  # counts_from is a share of the base's value
    fidelity: bool = False


SUPERRES = (
    Measure("psnr", "closeness to the true photograph (PSNR)", 0.05, unit="dB", fidelity=True),
    Measure("lpips", "visible difference (LPIPS)", 0.005, digits=4, higher_is_better=False),
    Measure("ssim", "structural similarity (SSIM)", 0.001, digits=4, fidelity=True),
    Measure("vessel_dice", "agreement of the vessels (Dice)", 0.005, digits=3, fidelity=True),
    Measure("consistency", "contradiction to the photograph", 0.02, unit="grey levels", digits=3,
            higher_is_better=False, share=True, fidelity=True),
    Measure("drift", "colour drift", 0.2, unit="delta E", higher_is_better=False),
)  # fmt: skip
VESSELS = (
    Measure("dice", "agreement with the drawn vessels (Dice)", 0.005, digits=3, fidelity=True),
    Measure("auc", "separation of vessels from the rest (AUC)", 0.002, digits=4, fidelity=True),
)


def measures_of(card: ModelCard) -> tuple[Measure, ...]:
    """What is compared for a model, the leading figure first.

    PSNR leads for a pixel-trained model. A saliency GAN gives up PSNR for looks, so LPIPS leads,
    and PSNR only stands by.
    """
    if card.task == "vessels":
        return VESSELS
    if card.twin is None:
        return SUPERRES
    psnr, lpips, *others = SUPERRES
    return (lpips, psnr, *others)


def conclude(
    base: ModelCard, tuned: ModelCard, held_out: Sequence[Values], general: Sequence[Values]
) -> Verdict:
    """The verdict over measured values; the order of the values does not matter.

    Args:
        held_out: of patients that the tuning did not see.
        general: of the bundled photographs; every one counts as a patient of its own.
    """
    measures = measures_of(tuned)
    compared = _compared(measures, held_out)
    patients = compared[0].patients if compared and compared[0].leads else 0
    missing = max(0, VERDICT_PATIENTS - patients)
    changed = tuple(
        _change(measure, *(values.mean() for values in pair))
        for measure in measures
        if (pair := _by_patient(general, measure.metric)) is not None
    )
    lost = _cameras_that_lost(measures, general)
    conclusion = _conclusion(compared, missing, forgets=bool(lost))
    verdict = Verdict(
        conclusion=conclusion,
        sentences=(),
        base=base.name,
        base_sha256=base.weights_sha256,
        tuned_sha256=tuned.weights_sha256,
        patients=patients,
        photographs=len({one.photograph for one in held_out}),
        more_patients_needed=missing,
        comparisons=compared,
        general=changed,
        forgets=bool(lost) or any(change.is_loss for change in changed),
        values=tuple(held_out),
        general_values=tuple(general),
        program=__version__,
    )
    doubted = [] if missing else doubts(compared)
    return verdict.model_copy(update={"sentences": tuple(sentences(verdict, doubted, lost))})


def doubts(compared: Iterable[ComparedFigure]) -> list[ComparedFigure]:
    """The figures beside the leading one that lost: by a test of each alone, or in fidelity."""
    return [
        one
        for one in compared
        if not one.leads and (one.forbids_better or (one.is_loss and one.p < SIGNIFICANT))
    ]


def _cameras_that_lost(measures: Sequence[Measure], general: Sequence[Values]) -> list[Change]:
    """What each other camera lost in the first figure of fidelity, where that counts."""
    measure = next(one for one in measures if one.fidelity)
    pair = _by_patient(general, measure.metric)
    cameras = () if pair is None else zip(*pair, strict=True)
    changes = [_change(measure, base, tuned) for base, tuned in cameras]
    return [change for change in changes if change.is_loss]


def _conclusion(compared: Sequence[ComparedFigure], missing: int, *, forgets: bool) -> Conclusion:
    if missing or not compared or not compared[0].leads:
        return "too few"
    lead, others = compared[0], compared[1:]
    certain = lead.p < SIGNIFICANT
    corrected = holm([one.p for one in others])
    harmed = any(one.is_loss and p < SIGNIFICANT for one, p in zip(others, corrected, strict=True))
    if harmed or (certain and lead.is_loss):
        return "worse"
    if certain and lead.is_gain and not doubts(compared) and not forgets:
        return "better"
    return "no difference"


def holm(values: Sequence[float]) -> list[float]:
    """Probabilities corrected for their number (Holm 1979), in the order given."""
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected, least = [0.0] * len(values), 0.0
    for place, number in enumerate(order):
        least = max(least, min(1.0, (len(values) - place) * values[number]))
        corrected[number] = least
    return corrected


def _compared(measures: Sequence[Measure], values: Sequence[Values]) -> tuple[ComparedFigure, ...]:
    found = []
    for number, measure in enumerate(measures):
        pair = _by_patient(values, measure.metric)
        if pair is None:
            continue
        base, tuned = pair
        good, bad = (tuned, base) if measure.higher_is_better else (base, tuned)
        change = _change(measure, base.mean(), tuned.mean())
        each = [_change(measure, *both) for both in zip(base, tuned, strict=True)]
        found.append(
            ComparedFigure(
                **change.model_dump(),
                p=wilcoxon_p(good, bad),
                effect=rank_biserial(good, bad),
                improved=int((good > bad).sum()),
                worsened=int((good < bad).sum()),
                patients=len(each),
                harmed=sum(one.is_loss for one in each),
                fidelity=measure.fidelity,
                leads=number == 0,
            )
        )
    return tuple(found)


def _by_patient(
    values: Iterable[Values], metric: str
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...] | None:
    """Base's and tuned's figure of each patient, averaged over photographs and conditions."""
    pairs: dict[int, list[tuple[float, float]]] = {}
    for one in values:
        if metric in one.base and metric in one.tuned:
            pairs.setdefault(one.patient, []).append((one.base[metric], one.tuned[metric]))
    if not pairs:
        return None
    means = np.array([np.mean(pairs[patient], axis=0) for patient in sorted(pairs)])
    return means[:, 0], means[:, 1]


def _change(measure: Measure, base: float, tuned: float) -> Change:
    difference = float(tuned - base)
    return Change(
        metric=measure.metric,
        title=measure.title,
        unit=measure.unit,
        digits=measure.digits,
        higher_is_better=measure.higher_is_better,
        base=float(base),
        tuned=float(tuned),
        gain=difference if measure.higher_is_better else -difference,
        counts_from=measure.counts_from * (abs(float(base)) if measure.share else 1.0),
    )


def sentences(
    verdict: Verdict, doubted: Sequence[ComparedFigure], lost: Sequence[Change]
) -> Iterator[str]:
    """The conclusion, what it rests on, what stands against it (:func:`doubts`), and what was
    forgotten: ``lost`` has a change for each other camera that lost."""
    lead = next((one for one in verdict.comparisons if one.leads), None)
    if lead is None:
        yield "No held-out photograph could be measured, so there is no verdict."
    elif verdict.conclusion == "too few":
        yield from _too_few(verdict, lead)
    else:
        yield _concluded(verdict, lead)
        yield _lead(verdict, lead)
        yield from _against(verdict, lead, doubted)
    yield from _forgotten(verdict, lost)


def _too_few(verdict: Verdict, lead: ComparedFigure) -> Iterator[str]:
    more = verdict.more_patients_needed
    yield (
        f"Too few patients to tell: {verdict.patients} held out. With fewer than "
        f"{verdict.patients + more} no difference, however large, can be told from chance; "
        f"hold out {more} more."
    )
    yield f"On those there are, {amount(lead)}; that may be chance."


def _concluded(verdict: Verdict, lead: ComparedFigure) -> str:
    if verdict.conclusion == "better":
        return "The tuned model is better on your photographs."
    if verdict.conclusion == "worse":
        return "The tuned model is worse on your photographs. Keep the base."
    if lead.is_gain and lead.p < 0.05:
        return "The tuned model gains in one respect and may lose in another: not better."
    return "No difference that counts was found between the tuned model and the base."


def _lead(verdict: Verdict, lead: ComparedFigure) -> str:
    # The share that agrees with the mean.
    number, what = (lead.improved, "better") if lead.gain >= 0 else (lead.worsened, "worse")
    return (
        f"On {people(verdict.patients)} that it was not trained on, {amount(lead)}; "
        f"{what} for {number} of {verdict.patients} ({probability(lead.p)})."
    )


def _against(
    verdict: Verdict, lead: ComparedFigure, doubted: Sequence[ComparedFigure]
) -> Iterator[str]:
    for one in doubted:
        if one.is_loss:
            yield f"Against it: {amount(one)} ({probability(one.p)})."
        else:  # in the mean it hardly moved
            yield f"Against it: {one.title} is worse in {one.harmed} of {people(one.patients)}."
    if verdict.conclusion == "worse" and lead.is_gain and lead.p < 0.05:
        yield "A gain in one respect does not pay for a certain loss in another."


def _forgotten(verdict: Verdict, cameras: Sequence[Change]) -> Iterator[str]:
    if not verdict.general:
        return
    lost = [amount(one) for one in verdict.general if one.is_loss]
    lost += [f"of one camera {amount(one)}" for one in cameras]
    if lost:
        yield (
            f"On the bundled photographs of other cameras {'; '.join(lost)}: the model forgets. "
            "Keep the base for such cameras."
        )
    else:
        yield "On the bundled photographs of other cameras nothing that counts was lost."


def amount(change: Change) -> str:
    """``closeness to the true photograph (PSNR) rose by 0.42 dB, to 31.20``."""
    moved = change.tuned - change.base
    size = f"{abs(moved):.{change.digits}f}"
    if float(size) == 0:
        return f"{change.title} did not change"
    unit = f" {change.unit}" if change.unit else ""
    direction = "rose" if moved > 0 else "fell"
    return f"{change.title} {direction} by {size}{unit}, to {change.tuned:.{change.digits}f}"


def probability(p: float) -> str:
    """``p = 0.031``, ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def people(count: int) -> str:
    """``1 patient``, ``2 patients``."""
    return f"{count} patient{'s' * (count != 1)}"
