"""The acceptance gate: is a tuned model better than its base, on patients that it never saw?

Measures both on whole held-out photographs and on the bundled ones of other cameras;
:mod:`retina_viewer.quality.verdict` has the rule that concludes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import sha256_of
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.model_store.card import ModelCard, Values, Verdict
from retina_viewer.networks.devices import resolve_device
from retina_viewer.quality.candidates import Candidate
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.gate_figures import SuperresFigures, vessel_figures_of
from retina_viewer.quality.protocols import Condition
from retina_viewer.quality.scenes import Scenes
from retina_viewer.quality.tables import Record, RecordLog
from retina_viewer.quality.verdict import conclude
from retina_viewer.vessels.segment import VesselSegmenter

KERNELS: tuple[Kernel, ...] = ("gaussian", "bicubic")
LARGEST_FIELD = 1000
"""Pixels across the field of view; larger photographs are shrunk to it before they are degraded:
training sees none much larger, and at full size they hold little that a small one lacks."""
GENERAL_FIELD = 640
_KEY = ("photograph", "kernel", "scale", "model")
_CASES = ("base", "tuned")


@dataclass(frozen=True)
class _Measurement:
    """One record to make: which model, on what, and how."""

    who: Record
    patient: str
    measure: Callable[[Progress], dict[str, float]]


def general_photographs(task: str) -> list[Photograph]:
    """The bundled photographs that show forgetting; no shipped training saw them.

    Args:
        task: ``superres``, or ``vessels`` for those with drawn vessels alone.
    """
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
    base_twin: ModelCard | None = None,
    tuned_twin: ModelCard | None = None,
    device: str = "auto",
    log: Path | None = None,
    progress: Progress = no_progress,
) -> Verdict:
    """Compare two models and conclude.

    Args:
        base: what the tuning began with.
        tuned: its result; both cards were read from model folders and are of one task.
        held_out: photographs of patients that the tuning did not see; ``patient`` tells them
            apart. For vessel models each needs its drawn vessels.
        general: photographs that show forgetting; None for :func:`general_photographs`.
        scales: of super-resolution, those that were trained; None for all that both models have.
        base_twin, tuned_twin: of saliency GANs, where a twin is not installed.
        device: where to compute.
        log: a JSON-lines file from which an interrupted comparison goes on; holds no names.
        progress: called several times a photograph; may cancel.

    Raises:
        UserError: the models are of two tasks or no common scale, or a photograph cannot be read.
    """
    if base.task != tuned.task:
        raise UserError(f"{base.name!r} and {tuned.name!r} are models of different tasks.")
    general = general_photographs(base.task) if general is None else general
    where = resolve_device(device)
    if base.task == "vessels":
        plan = _vessel_plan(base, tuned, where)
    else:
        twins = (base_twin, tuned_twin)
        models = [Candidate(c, where, t) for c, t in zip((base, tuned), twins, strict=True)]
        plan = _superres_plan(models, _common(base, tuned, scales), where)
    kept = RecordLog(log, _KEY)
    own = [(one, sha256_of(one.image)[:16]) for one in held_out]
    known = [(one, one.id) for one in general]
    middle = len(own) / max(1, len(own) + len(known))
    values = _measured(plan(own, LARGEST_FIELD), kept, part_of(progress, 0, middle))
    elsewhere = _measured(plan(known, GENERAL_FIELD), kept, part_of(progress, middle, 1))
    progress(1.0, "compared")
    return conclude(base, tuned, values, elsewhere)


_Plan = Callable[[Sequence[tuple[Photograph, str]], int], list[_Measurement]]


def _common(base: ModelCard, tuned: ModelCard, wanted: Sequence[int] | None) -> list[int]:
    both = sorted({*base.scales} & {*tuned.scales})
    chosen = [scale for scale in both if wanted is None or scale in wanted]
    if not chosen:
        raise UserError(f"{base.name!r} and {tuned.name!r} have no scale in common to compare.")
    return chosen


def _superres_plan(
    models: Sequence[Candidate], scales: Sequence[int], device: torch.device
) -> _Plan:
    figures = SuperresFigures(device)
    identities = [model.identity() for model in models]

    def plan(photographs: Sequence[tuple[Photograph, str]], diameter: int) -> list[_Measurement]:
        found = []
        for photograph, name in photographs:
            scenes = Scenes(photograph, diameter)
            # One truth after the other, base and tuned side by side: what is computed of a truth
            # or of a scene alone is kept as long as it is needed.
            for scale in scales:
                for kernel in KERNELS:
                    condition = Condition("native", kernel, scale)
                    for model, identity in zip(models, identities, strict=True):
                        found.append(
                            _Measurement(
                                _who(name, identity, kernel, scale),
                                photograph.patient,
                                figures.measuring(model, scenes, condition),
                            )
                        )
        return found

    return plan


def _vessel_plan(base: ModelCard, tuned: ModelCard, device: torch.device) -> _Plan:
    segmenters = [VesselSegmenter(card, device) for card in (base, tuned)]

    def plan(photographs: Sequence[tuple[Photograph, str]], diameter: int) -> list[_Measurement]:
        return [
            _Measurement(
                _who(name, _identity(segmenter.card)),
                photograph.patient,
                vessel_figures_of(segmenter, photograph),
            )
            for photograph, name in photographs
            for segmenter in segmenters
        ]

    return plan


def _identity(card: ModelCard) -> str:
    return f"{card.weights_sha256[:16]} {card.threshold}"


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
