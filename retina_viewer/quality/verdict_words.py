"""A verdict in plain words."""

from collections.abc import Iterator, Sequence

from retina_viewer.model_store.card import Change, ComparedFigure, Verdict


def sentences(
    verdict: Verdict, doubted: Sequence[ComparedFigure], lost: Sequence[Change]
) -> Iterator[str]:
    """The conclusion, what it rests on, what stands against it, and what was forgotten.

    Args:
        verdict: complete but for its sentences.
        doubted: figures beside the leading one that lost.
        lost: of other cameras, one a camera that lost.
    """
    lead = next((one for one in verdict.comparisons if one.leads), None)
    if lead is None:
        yield "No held-out photograph could be measured, so there is no verdict."
    elif verdict.conclusion == "too few":
        yield from _too_few(verdict, lead)
    else:
        yield _conclusion(verdict, lead)
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


def _conclusion(verdict: Verdict, lead: ComparedFigure) -> str:
    if verdict.conclusion == "better":
        return "The tuned model is better on your photographs."
    if verdict.conclusion == "worse":
        return "The tuned model is worse on your photographs. Keep the base."
    if lead.is_gain and lead.p < 0.05:
        return "The tuned model gains in one respect and may lose in another: not better."
    return "No difference that counts was found between the tuned model and the base."


def _lead(verdict: Verdict, lead: ComparedFigure) -> str:
    number, what = (
        (lead.improved, "better") if lead.gain >= 0 else (lead.worsened, "worse")
    )  # the share that agrees with the mean
    return (
        f"On {_people(verdict.patients)} that it was not trained on, {amount(lead)}; "
        f"{what} for {number} of {verdict.patients} ({probability(lead.p)})."
    )


def _against(
    verdict: Verdict, lead: ComparedFigure, doubted: Sequence[ComparedFigure]
) -> Iterator[str]:
    for one in doubted:
        yield f"Against it: {_loss(one)}."
    gained = lead.is_gain and lead.p < 0.05
    if verdict.conclusion == "worse" and gained:
        yield "A gain in one respect does not pay for a certain loss in another."


def _loss(one: ComparedFigure) -> str:
    """In the mean, or where that hardly moved, in how many patients."""
    if one.is_loss:
        return f"{amount(one)} ({probability(one.p)})"
    return f"{one.title} is worse in {one.harmed} of {_people(one.patients)}"


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


def _people(count: int) -> str:
    return f"{count} patient{'s' * (count != 1)}"
