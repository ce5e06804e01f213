"""What the cases of :mod:`~studies.claims` say, in sentences that any outcome
makes true."""

from collections import Counter
from collections.abc import Sequence

from retina_viewer.superres.methods import METHODS, Character
from studies.claims import (
    CLAIMANT,
    DICE,
    LPIPS,
    METRICS,
    SSIM,
    Case,
    Metric,
    is_unseen,
)

_WHY: dict[tuple[str, Character], str] = {
    (SSIM.key, "restores"): "aims for the smallest error alone, so it draws the mean of what may "
    "have been there. SSIM rewards that; a GAN settles for one possibility, and pays where it "
    "guesses wrong.",
    (
        SSIM.key,
        "draws",
    ): "is a GAN as well: the losses on saliency did not bring likeness here that its own lack.",
    (SSIM.key, "interpolates"): "adds no detail: where it comes first, what the networks drew was "
    "further from the truth than nothing.",
    (LPIPS.key, "restores"): "aims for the smallest error alone. LPIPS counts wrong texture "
    "too, and the saliency GAN is measured at its default fidelity, which trades texture for "
    "likeness.",
    (LPIPS.key, "draws"): "is a GAN as well, whose loss compares features of a VGG network, as "
    "LPIPS does.",
    (LPIPS.key, "interpolates"): "adds no detail: where it comes first, the networks' texture "
    "looks less like the original than none.",
    (DICE.key, "restores"): "aims for the smallest error alone. A vessel network asks for lines "
    "in the right place, not for texture.",
    (DICE.key, "draws"): "is a GAN as well: the losses on saliency did not make its vessels easier "
    "to find here.",
    (DICE.key, "interpolates"): "adds no detail. A network trained on soft vessels finds soft "
    "vessels: what was blurred away can be made up for on either side.",
}


def outcome(metric: Metric, cases: Sequence[Case]) -> str:
    """One sentence: in how many cases the claimant is first by this metric."""
    own = [case for case in cases if case.metric == metric]
    if not own:
        return f"{metric.title}: not measured."
    first = sum(case.is_first for case in own)
    unseen = [case for case in own if is_unseen(case.dataset)]
    said = f"{metric.title}: `{CLAIMANT}` is first in {_share(first, len(own))}"
    if unseen and len(unseen) < len(own):
        of_unseen = sum(case.is_first for case in unseen)
        said += f"; on sets that nothing was trained on, in {_share(of_unseen, len(unseen))}"
    return f"{said}."


def _share(part: int, whole: int) -> str:
    if whole == 1:
        return "the one case measured" if part else "none, of the one case measured"
    if part == whole:
        return f"all {whole} cases"
    return f"none of {whole} cases" if part == 0 else f"{part} of {whole} cases"


def verdict(cases: Sequence[Case]) -> str:
    """Whether the claim holds, in one sentence."""
    missing = [metric.title for metric in METRICS if not any(c.metric == metric for c in cases)]
    if len(missing) == len(METRICS):
        return "The claim was not tested: the saliency GAN was not measured against other methods."
    limits = f" Not tested: {sentence_of(missing)}." if missing else ""
    if all(case.is_first for case in cases):
        return f"The claim holds in every case measured here.{limits}"
    if not any(case.is_first for case in cases):
        return f"The claim holds in no case measured here.{limits}"
    kept = [metric.title for metric in METRICS if _always(metric, cases)]
    so_far = f" It does in {sentence_of(kept)}." if kept else ""
    return f"The claim does not hold in general.{so_far}{limits}"


def _always(metric: Metric, cases: Sequence[Case]) -> bool:
    own = [case for case in cases if case.metric == metric]
    return bool(own) and all(case.is_first for case in own)


def losses(metric: Metric, cases: Sequence[Case]) -> list[str]:
    """Where the claimant is not first: how far behind, and why each of those before it is."""
    lost = [case for case in cases if case.metric == metric and not case.is_first]
    if not lost:
        return []
    worst = min(lost, key=lambda case: case.lead)
    clear = sum(case.p < 0.05 for case in lost)
    behind = (
        f"In {metric.title} it is furthest behind on {worst.dataset} ({worst.where}): "
        f"{worst.own:.{metric.digits}f} against {worst.rival_value:.{metric.digits}f} of "
        f"`{worst.first}`. "
    )
    said = [f"{behind}Cases in which it is not first: {len(lost)}, with p < 0.05: {clear}."]
    characters = {method.id: method.character for method in METHODS}
    alike: dict[Character, list[str]] = {}
    for name, _ in Counter(case.first for case in lost).most_common():
        if name in characters:
            alike.setdefault(characters[name], []).append(f"`{name}`")
    for character, names in alike.items():
        who = names[0] if len(names) == 1 else f"Each of {sentence_of(names)}"
        said.append(f"{who} {_WHY[metric.key, character]}")
    return said


def advice(cases: Sequence[Case]) -> list[str]:
    """What to choose for what: the method that is first most often, by metric."""
    purposes = {
        SSIM: "closest to the original in structure",
        LPIPS: "most like the original to the eye",
        DICE: "best for finding vessels",
    }
    said = []
    for metric, purpose in purposes.items():
        firsts = Counter(case.first for case in cases if case.metric == metric)
        if firsts:
            most = max(firsts.values())
            names = sentence_of([f"`{name}`" for name, count in firsts.items() if count == most])
            said.append(f"{purpose}: {names}, first in {_share(most, firsts.total())}")
    return said


def sentence_of(names: Sequence[object]) -> str:
    """``a, b and c``."""
    words = [str(name) for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
