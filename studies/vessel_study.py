"""Table 2 of the 2017 paper: vessel networks trained on originals and on each method's images.

Of every set, scale and method: a network of one small form and one budget is trained on the
enlargements of the training half and measured on those of the test half; the one that was trained
on originals is measured on the same enlargements, and on the originals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.degradation import Kernel, crop_to_multiple
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition, field_of_view_mask, prepare, small_image
from retina_viewer.quality.records import Record, RecordLog
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.tiles import enhanced_whole
from retina_viewer.vessels.segment import VesselSegmenter
from studies.comparison import Comparison
from studies.comparison_networks import ComparisonTrainer
from studies.contenders import Contenders
from studies.data_folders import split
from studies.measuring import Job, measure_all
from studies.vessel_metrics import found_vessels

_CHASE_CHILDREN = 10
_FIRST_TRAINING = 20  # photographs at most, of sets without a division of their own
ORIGINAL = "original"
RECORDS = "vessel_records.jsonl"
KERNEL: Kernel = "gaussian"
_KEY = ("dataset", "photograph", "kernel", "scale", "trained_on", "method", "model")


@dataclass(frozen=True)
class Halves:
    """Of one set: what networks learn from, what tells their best weights, what measures them."""

    dataset: str
    train: tuple[Photograph, ...]
    validation: tuple[Photograph, ...]
    test: tuple[Photograph, ...]

    @property
    def all(self) -> tuple[Photograph, ...]:
        return self.train + self.validation + self.test


def halves_of(photographs: Sequence[Photograph], limit: int | None = None) -> list[Halves]:
    """Every set that has drawn vessels of enough patients, divided.

    Args:
        photographs: of any sets; those without drawn vessels are left out.
        limit: at most so many photographs in each part.

    Returns:
        One a set, by name; none for a set of fewer than three patients, or of one half alone.
    """
    labelled = [photograph for photograph in photographs if photograph.vessels is not None]
    found = []
    for dataset in sorted({photograph.dataset for photograph in labelled}):
        members = [one for one in labelled if one.dataset == dataset]
        learning = [one for one in members if _learns(one, members)]
        test = [one for one in members if one not in learning]
        patients = list(dict.fromkeys(one.patient for one in learning))
        if len(patients) < 2 or not test:
            continue
        judging = patients[-max(1, len(patients) // 5) :]
        train = [one for one in learning if one.patient not in judging]
        validation = [one for one in learning if one.patient in judging]
        parts = (tuple(part[:limit]) for part in (train, validation, test))
        found.append(Halves(dataset, *parts))
    return found


def _learns(photograph: Photograph, members: Sequence[Photograph]) -> bool:
    if photograph.part:
        return photograph.part == "training"
    patients = list(dict.fromkeys(one.patient for one in members))
    if photograph.dataset == "CHASE_DB1":
        return int(photograph.patient) <= _CHASE_CHILDREN
    return patients.index(photograph.patient) < min(len(patients) // 2, _FIRST_TRAINING)


def enlarged(
    photograph: Photograph, enhancer: Enhancer, condition: Condition, folder: Path
) -> Photograph:
    """The photograph shrunk and enlarged again, with its labels, as files in ``folder``.

    Cut at the bottom and right where the scale does not divide its sides. The folder has the form
    of a set (``images``, ``vessels``, ``fov``); what lies there already is not made again, since
    ``folder`` is of one method with one set of weights and one condition.

    Raises:
        UserError: the photograph or a label cannot be read, or a file cannot be written.
    """
    image = folder / "images" / f"{photograph.id}.png"
    vessels, fov = (folder / name / image.name for name in ("vessels", "fov"))
    if not image.exists():
        truth = prepare(photograph, "native").cropped(condition.scale)
        drawn = crop_to_multiple(photograph.read_vessels(), condition.scale)
        small = small_image(truth, condition).astype(np.float32) / np.float32(255)
        result = enhanced_whole(enhancer.fitted_to(small), small, np.dtype(np.uint8))
        _save(drawn.astype(np.uint8) * 255, vessels)
        _save(truth.mask.astype(np.uint8) * 255, fov)
        _save(result.astype(np.uint8, copy=False), image)  # last: it says that all are there
    return replace(photograph, image=image, vessels=vessels, fov=fov)


def _save(pixels: NDArray[np.uint8], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, replace=True) as stream:
        Image.fromarray(pixels).save(stream, "PNG", compress_level=1)


@dataclass
class _Study:
    """One set, with what its networks share."""

    halves: Halves
    contenders: Contenders
    trainer: ComparisonTrainer
    out: Path

    @cached_property
    def identities(self) -> dict[str, str]:
        return self.contenders.identities()

    @cached_property
    def of_originals(self) -> VesselSegmenter:
        return self.network(self.halves, ORIGINAL, no_progress)

    def shown(self, condition: Condition, method: str, progress: Progress) -> Halves:
        """The set as the method shows it, each photograph enlarged from a shrunk copy."""
        name = f"{method}-{self.identities.get(method, 'plain')}"
        place = f"{self.halves.dataset}-{condition.kernel}-x{condition.scale}"
        folder = self.out / "enlarged" / name / place
        enhancer = self.contenders.enhancer(method, condition)
        made: dict[str, Photograph] = {}
        for photograph in self.halves.all:
            share = len(made) / len(self.halves.all)
            progress(share, f"enlarging {photograph.name}, x{condition.scale}, {method}")
            made[photograph.id] = enlarged(photograph, enhancer, condition, folder)
        train, validation, test = (
            tuple(made[one.id] for one in part)
            for part in (self.halves.train, self.halves.validation, self.halves.test)
        )
        return Halves(self.halves.dataset, train, validation, test)

    def network(self, shown: Halves, name: str, progress: Progress) -> VesselSegmenter:
        folder = self.out / "networks" / f"{self.halves.dataset}-{name}-{self.trainer.identity}"
        return self.trainer(shown.train, shown.validation, folder, progress)


@dataclass
class _Unit:
    """One method at one scale, or the originals (no condition): its networks and its records."""

    study: _Study
    condition: Condition | None
    method: str
    _shown: dict[str, Photograph] = field(default_factory=dict)
    _networks: dict[str, VesselSegmenter] = field(default_factory=dict)

    def records(self, log: RecordLog, progress: Progress) -> list[Record]:
        """Measured, or as the log holds them; then nothing is enlarged or trained."""
        trained_on = dict.fromkeys((ORIGINAL, self.method))
        jobs = [self._job(test, on) for on in trained_on for test in self.study.halves.test]
        if any(log.find(**job.who) is None for job in jobs):
            self._prepare(progress)
        return measure_all(jobs, log=log, progress=part_of(progress, 0.9, 1.0))

    def _prepare(self, progress: Progress) -> None:
        study, training = self.study, part_of(progress, 0.3, 0.9)
        if self.condition is None:
            shown = study.halves
            self._networks[ORIGINAL] = study.network(shown, ORIGINAL, training)
        else:
            shown = study.shown(self.condition, self.method, part_of(progress, 0.0, 0.3))
            identity = study.identities.get(self.method, "plain")
            name = f"{self.method}-{identity}-{self.condition.kernel}-x{self.condition.scale}"
            self._networks[self.method] = study.network(shown, name, training)
            self._networks[ORIGINAL] = study.of_originals
        self._shown = {photograph.id: photograph for photograph in shown.test}

    def _job(self, photograph: Photograph, trained_on: str) -> Job:
        who: Record = {
            "dataset": photograph.dataset,
            "photograph": photograph.id,
            "kernel": "" if self.condition is None else self.condition.kernel,
            "scale": 1 if self.condition is None else self.condition.scale,
            "trained_on": trained_on,
            "method": self.method,
            "model": f"{self.study.trainer.identity} {self.study.identities.get(self.method, '')}",
        }

        def measured() -> Record:
            return figures(self._networks[trained_on], photograph, self._shown[photograph.id])

        return Job(who, measured, ("dice",))


def study_vessels(
    found: Sequence[Photograph],
    asked: Comparison,
    trainer: ComparisonTrainer,
    out: Path,
    *,
    progress: Progress = no_progress,
) -> tuple[list[Record], list[Halves], dict[str, dict[str, str]]]:
    """Train and measure all networks that are asked for.

    Args:
        found: photographs of any sets; those with drawn vessels count.
        asked: methods, scales, sets and limit.
        out: takes the enlargements (``enlarged``), the networks (``networks``) and
            ``vessel_records.jsonl``, from which a run that was broken off goes on.

    Returns:
        One record a test photograph, method, scale and what the network was trained on: the
        names of :func:`~studies.vessel_metrics.all_vessel_figures`; the sets as
        they were divided; what the methods rest on.

    Raises:
        UserError: no set has drawn vessels of three patients or more; or as the trainer.
    """
    compared = [one for one in found if not asked.sets or one.dataset in asked.sets]
    sets = halves_of(compared, asked.limit)
    if not sets:
        raise UserError(
            "The data folders hold no set with drawn vessels of at least three patients.",
            "Name one such as DRIVE or CHASE_DB1, or leave out the tables 2 and 3.",
        )
    conditions = [Condition("native", KERNEL, scale) for scale in asked.vessel_scales]
    settings = EnhanceSettings(device=asked.device)
    contenders = Contenders(asked.chosen_methods(), conditions, split(found)["train"], settings)
    log = RecordLog(out / RECORDS, _KEY)
    studies = [_Study(halves, contenders, trainer, out) for halves in sets]
    pairs = list(product(conditions, contenders.methods))
    units = [
        _Unit(study, condition, method)
        for study in studies
        for condition, method in [(None, ORIGINAL), *pairs]
    ]
    records: list[Record] = []
    for number, unit in enumerate(units):
        share = part_of(progress, number / len(units), (number + 1) / len(units))
        records += unit.records(log, share)
    return records, sets, contenders.models()


def figures(segmenter: VesselSegmenter, original: Photograph, shown: Photograph) -> Record:
    """Of the vessels found in ``shown``, which may be an enlargement of a copy of ``original``."""
    rgb8, pixels = original.read_rgb(), shown.read_rgb()
    height, width = pixels.shape[:2]
    seen = find_field_of_view(rgb8)
    inside = field_of_view_mask(original, rgb8)[:height, :width]
    seen = replace(seen, mask=seen.mask[:height, :width])
    truth = original.read_vessels()[:height, :width]
    return found_vessels(segmenter, pixels, seen, truth, inside)
