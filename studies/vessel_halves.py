"""Sets with drawn vessels, divided for networks that are trained on them, and their enlargements.

The division is the set's own where it has one (DRIVE), the usual one of CHASE_DB1 (children 1 to
10 train), else the first half of the patients trains. No patient is on both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.core.files import atomic_write
from retina_viewer.imaging.degradation import crop_to_multiple
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition, prepare, small_image
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.tiles import enhanced_whole

_CHASE_CHILDREN = 10
_FIRST_TRAINING = 20  # photographs at most, of sets without a division of their own


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
