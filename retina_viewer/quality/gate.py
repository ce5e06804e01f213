"""The acceptance gate: is a tuned model better than its base, on patients that it never saw?

Measures both on whole held-out photographs and on the bundled ones of other cameras;
:mod:`retina_viewer.quality.conclusion` has the rule that concludes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import sha256_of
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.field_of_view import FieldOfView, find_field_of_view
from retina_viewer.model_store.card import ModelCard, Values, Verdict
from retina_viewer.networks.devices import resolve_device
from retina_viewer.quality import metrics, protocols
from retina_viewer.quality.candidates import Candidate
from retina_viewer.quality.conclusion import conclude
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.lpips import LPIPSReference, fastest_lpips
from retina_viewer.quality.metrics import Mask
from retina_viewer.quality.protocols import Condition, EvaluationPair, EvaluationPairs, Truth
from retina_viewer.quality.records import Record, RecordLog
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.tiles import enhanced_whole
from retina_viewer.vessels.segment import VesselSegmenter, load_segmenter

LARGEST_FIELD = 1000
"""Pixels across the field of view; larger photographs are shrunk to it before they are degraded:
training sees none much larger, and at full size they hold little that a small one lacks."""
GENERAL_FIELD = 640
_KEY = ("photograph", "kernel", "scale", "model")


@dataclass(frozen=True)
class _Measurement:
    """One record to make: which model, on what, and how."""

    who: Record
    patient: str
    measure: Callable[[Progress], dict[str, float]]


def general_photographs(task: str) -> list[Photograph]:
    """The bundled photographs that show forgetting; no shipped training saw them. For ``vessels``
    only those whose vessels are drawn."""
    folder = resources_dir() / "samples"
    found = []
    for image in sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png")):
        if image.stem.endswith(("_fov", "_vessels", "_ma")):
            continue
        fov, vessels = (_beside(image, kind) for kind in ("fov", "vessels"))
        if vessels is not None or task != "vessels":
            found.append(Photograph("general", image.stem, image.stem, image, fov, vessels))
    return found


def _beside(image: Path, kind: str) -> Path | None:
    label = image.with_name(f"{image.stem}_{kind}.png")
    return label if label.is_file() else None


def judge(
    base: ModelCard,
    tuned: ModelCard,
    held_out: Sequence[Photograph],
    general: Sequence[Photograph] | None = None,
    *,
    scales: Sequence[int] | None = None,
    tuned_twin: ModelCard | None = None,
    device: str = "auto",
    log: Path | None = None,
    progress: Progress = no_progress,
) -> Verdict:
    """Compare two models and conclude.

    Args:
        base: what the tuning began with; like ``tuned`` read from a model's folder.
        held_out: photographs of patients that the tuning did not see; ``patient`` tells them
            apart. For vessel models each needs its drawn vessels.
        general: photographs that show forgetting; None for :func:`general_photographs`.
        scales: of super-resolution, those that were trained; None for all that both models have.
        tuned_twin: of a saliency GAN, where that is not installed.
        log: a JSON-lines file from which an interrupted comparison goes on; holds no names.
        progress: called several times a photograph; may cancel.

    Raises:
        UserError: the models are of two tasks or no common scale, or a photograph cannot be read.
    """
    if base.task != tuned.task:
        raise UserError(f"{base.name!r} and {tuned.name!r} are models of different tasks.")
    general = general_photographs(base.task) if general is None else general
    where = resolve_device(device)
    plan: Callable[[Photograph, str, int], Iterator[_Measurement]]
    if base.task == "vessels":
        plan = partial(_of_vessels, [VesselSegmenter(card, where) for card in (base, tuned)])
    else:
        models = [Candidate(base, where), Candidate(tuned, where, tuned_twin)]
        named = [(model, model.identity()) for model in models]
        plan = partial(_of_superres, named, _common(base, tuned, scales), SuperresFigures(where))
    kept = RecordLog(log, _KEY)
    own = [m for p in held_out for m in plan(p, sha256_of(p.image)[:16], LARGEST_FIELD)]
    other = [m for p in general for m in plan(p, p.id, GENERAL_FIELD)]
    middle = len(held_out) / max(1, len(held_out) + len(general))
    values = _measured(own, kept, part_of(progress, 0, middle))
    elsewhere = _measured(other, kept, part_of(progress, middle, 1))
    progress(1.0, "compared")
    return conclude(base, tuned, values, elsewhere)


def _common(base: ModelCard, tuned: ModelCard, wanted: Sequence[int] | None) -> list[int]:
    both = sorted({*base.scales} & {*tuned.scales})
    chosen = [scale for scale in both if wanted is None or scale in wanted]
    if not chosen:
        raise UserError(f"{base.name!r} and {tuned.name!r} have no scale in common to compare.")
    return chosen


def _of_superres(
    models: Sequence[tuple[Candidate, str]],
    scales: Sequence[int],
    figures: SuperresFigures,
    photograph: Photograph,
    name: str,
    diameter: int,
) -> Iterator[_Measurement]:
    pairs = EvaluationPairs(photograph, diameter)
    # One truth after the other, base and tuned side by side: what is computed of a truth or of a
    # pair alone is kept as long as it is needed.
    for scale, kernel in product(scales, protocols.KERNELS):
        condition = Condition("native", kernel, scale)
        for model, identity in models:
            who = _who(name, identity, kernel, scale)
            measure = partial(figures.measured, model, pairs, condition)
            yield _Measurement(who, photograph.patient, measure)


def _of_vessels(
    segmenters: Sequence[VesselSegmenter], photograph: Photograph, name: str, diameter: int
) -> Iterator[_Measurement]:
    for segmenter in segmenters:
        card = segmenter.card
        who = _who(name, f"{card.weights_sha256[:16]} {card.threshold}")
        yield _Measurement(who, photograph.patient, partial(vessel_figures, segmenter, photograph))


def _who(photograph: str, model: str, kernel: str = "", scale: int = 1) -> Record:
    return {"photograph": photograph, "kernel": kernel, "scale": scale, "model": model}


def _measured(plan: Sequence[_Measurement], log: RecordLog, progress: Progress) -> list[Values]:
    """Measure what the log does not hold; two records in a row, base and tuned, make a value."""
    numbers: dict[str, int] = {}
    figures: list[dict[str, float]] = []
    for done, one in enumerate(plan):
        numbers.setdefault(one.patient, len(numbers) + 1)
        share = part_of(progress, done / len(plan), (done + 1) / len(plan))
        share(0.0, "comparing the tuned model with its base")
        record = log.find(**one.who)
        if record is None:
            record = {**one.who, **one.measure(share)}
            log.add(record)
        figures.append({k: float(v) for k, v in record.items() if k not in _KEY})
    return [
        Values(
            photograph=str(one.who["photograph"]),
            patient=numbers[one.patient],
            kernel=str(one.who["kernel"]),
            scale=int(one.who["scale"]),
            base=base,
            tuned=tuned,
        )
        for one, base, tuned in zip(plan[::2], figures[::2], figures[1::2], strict=True)
        if base and tuned
    ]


_NARROWEST = 96.0  # pixels across the field of view; in less there are too few vessels to agree on
_HIGHEST_PSNR = 100.0  # of equal images it is infinite, which neither averages nor JSON know


@dataclass
class _Seen:
    """What is computed of a truth alone, for all its results."""

    truth: Truth
    looks: LPIPSReference
    field: FieldOfView
    vessels: Mask | None


class SuperresFigures:
    """Measures results of super-resolution on one device.

    The figures are ``psnr`` and ``ssim`` of luminance, ``lpips``, ``vessel_dice``: how far the
    shipped vessel model finds in the result what it finds in the truth; ``consistency``: root mean
    squared difference, in grey levels, of the result shrunk again to the photograph; ``drift``:
    CIEDE2000 of the low-passed images. All inside the field of view.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._lpips = fastest_lpips(device)
        self._segmenter: VesselSegmenter | None = None
        self._seen: _Seen | None = None

    def measured(
        self, model: Candidate, pairs: EvaluationPairs, condition: Condition, progress: Progress
    ) -> dict[str, float]:
        """The figures of one result; none where the photograph is too small for the scale."""
        pair = pairs.scene(condition)
        if not pair.mask.any():
            return {}
        return self.figures(model.enhancer(condition.scale), pair, condition, progress)

    def figures(
        self, enhancer: Enhancer, scene: EvaluationPair, condition: Condition, progress: Progress
    ) -> dict[str, float]:
        """Fit the enhancer to the small image, enlarge it, and measure."""
        unit = scene.unit
        fitted = enhancer.fitted_to(unit)
        making = part_of(progress, 0.05, 0.5)
        made = enhanced_whole(fitted, unit, np.dtype(np.uint8), progress=making)
        result = np.asarray(made, np.uint8)
        y, z = (metrics.luminance_studio(rgb8) for rgb8 in (scene.truth.rgb8, result))
        found = {
            "psnr": min(_HIGHEST_PSNR, metrics.psnr(y, z, scene.mask)),
            "ssim": metrics.ssim(y, z, scene.mask),
            "consistency": _contradiction(result, scene, condition),
            "drift": metrics.colour_drift(scene.truth.rgb8, result, condition.scale, scene.mask),
        }
        progress(0.6, "comparing what is seen")
        seen = self._of(scene.truth)
        found["lpips"] = seen.looks.distance(result, scene.mask)
        if seen.vessels is not None:
            vessels = self._vessels(result, seen.field, part_of(progress, 0.8, 1.0))
            found["vessel_dice"] = metrics.dice(vessels, seen.vessels, scene.mask)
        return found

    def _of(self, truth: Truth) -> _Seen:
        if self._seen is None or self._seen.truth is not truth:
            field = find_field_of_view(truth.rgb8)
            wide = field.diameter >= _NARROWEST
            vessels = self._vessels(truth.rgb8, field, no_progress) if wide else None
            self._seen = _Seen(truth, LPIPSReference(self._lpips, truth.rgb8), field, vessels)
        return self._seen

    def _vessels(self, rgb8: NDArray[np.uint8], field: FieldOfView, progress: Progress) -> Mask:
        if self._segmenter is None:
            self._segmenter = load_segmenter(None, str(self._device))
        return vessels_in(self._segmenter.probability(rgb8, field, progress), self._segmenter)


def vessels_in(probability: NDArray[np.float32], segmenter: VesselSegmenter) -> Mask:
    """The mask at the threshold of the segmenter's card."""
    threshold = segmenter.card.threshold
    assert threshold is not None  # a segmenter is made of no other card
    return np.asarray(probability >= threshold)


def _contradiction(result: NDArray[np.uint8], scene: EvaluationPair, condition: Condition) -> float:
    again = protocols.small_image(Truth(result, scene.truth.mask), condition)
    every = slice(condition.scale // 2, None, condition.scale)
    difference = again.astype(np.float64) - scene.small
    return float(np.sqrt(np.mean(difference[scene.mask[every, every]] ** 2)))


def vessel_figures(
    segmenter: VesselSegmenter, photograph: Photograph, progress: Progress
) -> dict[str, float]:
    """Dice and AUC of one photograph against its drawn vessels.

    No AUC where the drawing has nothing inside the field of view.
    """
    rgb8, truth = photograph.read_rgb(), photograph.read_vessels()
    if truth.shape != rgb8.shape[:2]:
        raise UserError(
            f"The vessel mask of {photograph.image.name} is not of the photograph's size."
        )
    inside = protocols.field_of_view_mask(photograph, rgb8)
    probability = segmenter.probability(rgb8, find_field_of_view(rgb8), progress)
    found = {"dice": metrics.dice(vessels_in(probability, segmenter), truth, inside)}
    if truth[inside].any() and not truth[inside].all():
        found["auc"] = metrics.auc(probability, truth, inside)
    return found
