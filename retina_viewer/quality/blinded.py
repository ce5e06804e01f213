"""Blinded comparison: which of two crops does a person prefer, not knowing which model made it?

A two-alternative forced choice (Fechner 1860) with "no preference" allowed; sides are random, and
what the person sees of a pair says nothing of the model behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import to_8bit
from retina_viewer.model_store.card import ModelCard
from retina_viewer.networks.devices import resolve_device
from retina_viewer.quality.candidates import Candidate
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.gate import LARGEST_FIELD
from retina_viewer.quality.metrics import luminance_full
from retina_viewer.quality.protocols import Condition, EvaluationPair, EvaluationPairs

Side = Literal["left", "right"]
Answer = Literal["left", "right", "same"]
SIDES: tuple[Side, Side] = ("left", "right")
Crop = NDArray[np.uint8]
PAIRS = 20
_PLACES = 12  # random places looked at for each crop; the one with most to see is taken
_LEAST_INSIDE = 0.9  # share of a crop inside the field of view


@dataclass(frozen=True, eq=False)
class Pair:
    """Two results of one place, and the photograph there: ``(S, S, 3)`` uint8 sRGB."""

    left: Crop
    right: Crop
    truth: Crop
    tuned: Side  # not to be shown before all answers are in


@dataclass(frozen=True)
class Preference:
    """What a person's answers say: how often each was chosen."""

    tuned: int
    base: int
    undecided: int
    p: float  # exact two-sided binomial test of tuned against base (sign test)
    sentence: str


def make_pairs(
    base: ModelCard,
    tuned: ModelCard,
    photographs: Sequence[Photograph],
    *,
    scale: int,
    count: int = PAIRS,
    side: int = 256,
    tuned_twin: ModelCard | None = None,
    device: str = "auto",
    progress: Progress = no_progress,
) -> list[Pair]:
    """Pairs of crops of held-out photographs, made anew from shrunk ones by both models.

    Places are random inside the field of view; of twelve, the one with the most detail in the true
    photograph is taken, which favours neither model. The same arguments give the same pairs.

    Args:
        photographs: taken in turn, in random order.
        side: of a crop, pixels; smaller where a photograph is.
    """
    if not photographs:
        raise UserError("There is no held-out photograph to compare on.")
    rng = np.random.default_rng(1)
    where = resolve_device(device)
    models = (Candidate(base, where), Candidate(tuned, where, tuned_twin))
    condition = Condition("native", "gaussian", scale)
    order = rng.permutation(len(photographs))
    turns = [sorted(range(k, count, len(order))) for k in range(min(count, len(order)))]
    pairs: dict[int, Pair] = {}
    for place, numbers in enumerate(turns):
        scene = EvaluationPairs(photographs[int(order[place])], LARGEST_FIELD).scene(condition)
        unit = scene.unit
        fitted = [model.enhancer(scale).fitted_to(unit) for model in models]
        for number in numbers:
            progress(len(pairs) / count, "making crops to compare")
            region = _place(scene, side, scale, rng)
            crops = [to_8bit(one.enhance_region(unit, region)) for one in fitted]
            truth = np.ascontiguousarray(scene.truth.rgb8[region.scaled(scale).slices()])
            chosen: Side = "left" if rng.random() < 0.5 else "right"
            left, right = reversed(crops) if chosen == "left" else crops
            pairs[number] = Pair(left, right, truth, chosen)
    progress(1.0, "crops made")
    return [pairs[number] for number in range(count)]


def _place(scene: EvaluationPair, side: int, scale: int, rng: np.random.Generator) -> Rect:
    """A region of the small image, mostly inside the field where that is possible."""
    height, width = scene.small.shape[:2]
    small = max(1, min(side // scale, height, width))
    detail = np.abs(np.diff(luminance_full(scene.truth.rgb8), axis=1, append=0))
    best, most = Rect(0, 0, small, small), -1.0
    for _ in range(_PLACES):
        x, y = int(rng.integers(width - small + 1)), int(rng.integers(height - small + 1))
        region = Rect(x, y, small, small)
        window = region.scaled(scale).slices()
        inside = float(scene.truth.mask[window].mean())
        # Outside the field there is an edge, its rim, but nothing to compare.
        seen = inside
        if inside > _LEAST_INSIDE:
            seen += float(detail[window][scene.mask[window]].sum())
        if seen > most:
            best, most = region, seen
    return best


def score(pairs: Sequence[Pair], answers: Sequence[Answer]) -> Preference:
    """What the answers say, in the order of the pairs; pairs without one do not count."""
    if len(answers) > len(pairs):
        raise ValueError(f"{len(answers)} answers to {len(pairs)} pairs")
    given = list(zip(pairs, answers, strict=False))
    tuned = sum(answer == pair.tuned for pair, answer in given)
    undecided = sum(answer == "same" for _, answer in given)
    base = len(given) - tuned - undecided
    p = binomial_p(tuned, tuned + base)
    return Preference(tuned, base, undecided, p, _sentence(tuned, base, undecided, p))


def binomial_p(successes: int, trials: int) -> float:
    """Exact two-sided p of ``successes`` in ``trials`` fair throws; 1 for none."""
    fewer = min(successes, trials - successes)
    tail: float = sum(comb(trials, k) for k in range(fewer + 1)) / 2.0**trials
    return min(1.0, 2 * tail)


def _sentence(tuned: int, base: int, undecided: int, p: float) -> str:
    decided = tuned + base
    if not decided:
        return "You preferred neither model."
    name, number = ("tuned", tuned) if tuned >= base else ("base", base)
    same = f", and saw no difference in {undecided}" if undecided else ""
    likely = "which may be chance" if p >= 0.05 else "more than chance explains"
    if tuned == base:
        return f"You preferred each model in {tuned} of {decided}{same}."
    chance = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
    return f"You preferred the {name} model in {number} of {decided}{same}: {likely} ({chance})."
