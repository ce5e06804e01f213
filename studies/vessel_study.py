"""Table 2 of the 2017 paper: vessel networks trained on originals and on each method's images.

Of every set, scale and method: a network of one small form and one budget is trained on the
enlargements of the training half and measured on those of the test half; the one that was trained
on originals is measured on the same enlargements, and on the originals.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Protocol

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.quality.datasets import Photograph, split
from retina_viewer.quality.protocols import Condition, field_of_view_mask
from retina_viewer.quality.tables import Record, RecordLog
from retina_viewer.vessels.segment import VesselSegmenter
from studies.comparison import Comparison
from studies.contenders import Contenders
from studies.measuring import Job, measure_all
from studies.vessel_halves import Halves, enlarged, halves_of
from studies.vessel_metrics import all_vessel_figures

ORIGINAL = "original"
RECORDS = "vessel_records.jsonl"
KERNEL: Kernel = "gaussian"
_KEY = ("dataset", "photograph", "kernel", "scale", "trained_on", "method", "model")


class Trainer(Protocol):
    """Trains one small vessel network; all with one budget."""

    @property
    def identity(self) -> str:
        """Tells budgets and forms apart, fit for a file's name."""

    def __call__(
        self,
        train: Sequence[Photograph],
        validation: Sequence[Photograph],
        folder: Path,
        progress: Progress,
    ) -> VesselSegmenter:
        """A network trained on these photographs; read from ``folder`` where it was trained before.

        Raises:
            UserError: photographs that cannot be read, or no space.
        """


@dataclass
class _Study:
    """One set, with what its networks share."""

    halves: Halves
    contenders: Contenders
    trainer: Trainer
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
    trainer: Trainer,
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
        UserError: no set has drawn vessels of three patients or more; or as :class:`Trainer`.
    """
    compared = [one for one in found if not asked.sets or one.dataset in asked.sets]
    sets = halves_of(compared, asked.limit)
    if not sets:
        raise UserError(
            "The data folders hold no set with drawn vessels of at least three patients.",
            "Name one such as DRIVE or CHASE_DB1, or leave out the tables 2 and 3.",
        )
    conditions = [Condition("native", KERNEL, scale) for scale in asked.vessel_scales]
    contenders = Contenders(
        asked.chosen_methods(), conditions, split(found)["train"], device=asked.device
    )
    log = RecordLog(out / RECORDS, _KEY)
    units = list(_units(sets, contenders, trainer, out))
    records: list[Record] = []
    for number, unit in enumerate(units):
        share = part_of(progress, number / len(units), (number + 1) / len(units))
        records += unit.records(log, share)
    return records, sets, contenders.models()


def _units(
    sets: Sequence[Halves], contenders: Contenders, trainer: Trainer, out: Path
) -> Iterator[_Unit]:
    for halves in sets:
        study = _Study(halves, contenders, trainer, out)
        yield _Unit(study, None, ORIGINAL)
        for condition, method in product(contenders.conditions, contenders.methods):
            yield _Unit(study, condition, method)


def figures(segmenter: VesselSegmenter, original: Photograph, shown: Photograph) -> Record:
    """Of the vessels found in ``shown``, which may be an enlargement of a copy of ``original``.

    The field of view is the original's in both cases: how well it is found again is not asked.
    """
    rgb8, pixels = original.read_rgb(), shown.read_rgb()
    height, width = pixels.shape[:2]
    seen = find_field_of_view(rgb8)
    inside = field_of_view_mask(original, rgb8)[:height, :width]
    seen = replace(seen, mask=seen.mask[:height, :width])
    probability = segmenter.probability(pixels, seen)
    threshold = segmenter.card.threshold
    assert threshold is not None  # a vessel model has one
    truth = original.read_vessels()[:height, :width]
    return {**all_vessel_figures(probability, probability >= threshold, truth, inside)}
