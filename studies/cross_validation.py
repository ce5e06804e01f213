"""Cross-validation by patient, for what can be fitted anew in minutes."""

from collections.abc import Sequence

import numpy as np

from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition
from retina_viewer.quality.tables import Record, RecordLog
from studies.contenders import LINEAR_FOLDS, Contenders
from studies.perceptual import Perceptual
from studies.superres import evaluate_superres

FOLDS = 5


def folds_by_patient(
    photographs: Sequence[Photograph], count: int = FOLDS, seed: int = 0
) -> list[list[Photograph]]:
    """Divide photographs so that no patient is in two parts, each set evenly among the parts.

    Returns:
        At most ``count`` parts, none empty; fewer where there are fewer patients.
    """
    random = np.random.default_rng(seed)
    parts: list[list[Photograph]] = [[] for _ in range(count)]
    dealt = 0
    for dataset in sorted({photograph.dataset for photograph in photographs}):
        members = [photograph for photograph in photographs if photograph.dataset == dataset]
        patients = sorted({photograph.patient for photograph in members})
        for place in random.permutation(len(patients)):
            own = [one for one in members if one.patient == patients[place]]
            parts[dealt % count].extend(own)
            dealt += 1
    return [part for part in parts if part]


def evaluate_linear_folds(
    photographs: Sequence[Photograph],
    conditions: Sequence[Condition],
    *,
    diameter: int | None = None,
    perceptual: Perceptual | None = None,
    log: RecordLog | None = None,
    progress: Progress = no_progress,
) -> tuple[list[Record], dict[str, str]]:
    """The best linear filter, each fifth of the patients measured with one fitted to the others.

    What it gains over ``linear``, which learned from the training photographs, is what a method
    gains by having seen the very cameras that it is measured on.

    Args:
        photographs: those that all methods are measured on.
        conditions: likewise; a filter is fitted to each.
        diameter: see :func:`~studies.superres.evaluate_superres`.
        perceptual: likewise, and log.

    Returns:
        Records as of ``evaluate_superres``, and name and SHA-256 of what the filters rest on;
        both empty where there is but one patient.
    """
    folds = folds_by_patient(photographs)
    if len(folds) < 2:
        return [], {}
    records: list[Record] = []
    hashes: list[str] = []
    for number, fold in enumerate(folds):
        share = part_of(progress, number / len(folds), (number + 1) / len(folds))
        others = [one for other in folds if other is not fold for one in other]
        contenders = Contenders(
            (LINEAR_FOLDS,), conditions, others, progress=part_of(share, 0.0, 0.4)
        )
        hashes.append(contenders.models()[LINEAR_FOLDS]["sha256"])
        measuring = part_of(share, 0.4, 1.0)
        records += evaluate_superres(
            fold, contenders, diameter=diameter, perceptual=perceptual, log=log, progress=measuring
        )
    return records, {"name": f"{len(folds)} folds by patient", "sha256": " ".join(hashes)}
