"""The photographs of a plan, taken into the run folder: from then on it needs no other place."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write, sha256_of
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import Progress, part_of
from retina_viewer.finetuning.masks import read_vessel_mask
from retina_viewer.finetuning.plan import OWN, REPLAY, PlannedPhotograph, TrainingPlan
from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.finetuning.tuning import replay_share
from retina_viewer.imaging.colour import to_8bit_depth
from retina_viewer.imaging.readers import open_image
from retina_viewer.quality.datasets import Photograph
from retina_viewer.training.cache import PhotographCache, open_cache
from retina_viewer.training.outcome import TrainingData


@dataclass(frozen=True)
class OwnPhotograph(Photograph):
    """A photograph of a plan; ``id`` is its SHA-256, ``patient`` its group.

    Read like the viewer reads it (any format, turned upright), as 8 bits. Both files must still
    be what they were when the plan was made: otherwise reading them raises UserError.
    """

    mask_sha256: str | None = None
    mask_inverted: bool = False

    def identity(self) -> list[str | int]:
        """Its hash: once it is decoded, the drive that it lies on may be gone."""
        return [self.dataset, self.id]

    def read_rgb(self) -> NDArray[np.uint8]:
        """``(H, W, 3)`` uint8, in the photograph's own colour space."""
        image = open_image(self.image)
        if image.sha256 != self.id:
            raise _changed(self.image)
        return to_8bit_depth(image.pixels)

    def read_vessels(self) -> NDArray[np.bool_]:
        if self.vessels is None:
            raise UserError(f"{self.image.name} has no vessel mask.")
        mask = read_vessel_mask(self.vessels, inverted=self.mask_inverted)
        if self.mask_sha256 is not None and sha256_of(self.vessels) != self.mask_sha256:
            raise _changed(self.vessels)
        return mask


def _changed(path: Path) -> UserError:
    return UserError(
        f"{path.name} has changed since the training was planned.",
        "Put the file back as it was, or plan the training anew.",
    )


def own(planned: Sequence[PlannedPhotograph]) -> list[Photograph]:
    """A plan's photographs, in its order."""
    return [
        OwnPhotograph(
            OWN, p.sha256, p.group, p.path,
            vessels=p.mask, mask_sha256=p.mask_sha256, mask_inverted=p.mask_inverted,
        )
        for p in planned
    ]  # fmt: skip


def replayed(*, with_vessels: bool) -> list[Photograph]:
    """The bundled photographs that keep a model from forgetting what it knew.

    They are of those the shipped models were trained on, and none of those that are bundled to
    show forgetting (``resources/samples``): what is practised must not be the test.
    ``with_vessels`` asks for those whose vessels are drawn.
    """
    found = []
    for image in sorted((resources_dir() / "replay").glob("*.jpg")):
        vessels = image.with_name(f"{image.stem}_vessels.png")
        drawn = vessels if vessels.is_file() else None
        if drawn is not None or not with_vessels:
            patient = re.sub(r"[LR]$", "", image.stem)
            found.append(Photograph(REPLAY, image.stem, patient, image, vessels=drawn))
    return found


_SUPERRES_DIAMETER = 1600.0
_VESSEL_FACTOR = 1.4  # the largest enlargement that augmentation asks for


def load_data(
    run: RunFolder, plan: TrainingPlan, vessel_diameter: int | None, progress: Progress
) -> TrainingData:
    """Decode the photographs to train on and to validate with, and copy the held-out ones.

    Once this has been done, the folders that the plan names may vanish.

    Args:
        vessel_diameter: of a vessel model, its working resolution; None for super-resolution.
        progress: may cancel; what was begun is begun anew the next time.
    """
    vessels = vessel_diameter is not None
    diameter = _SUPERRES_DIAMETER if vessel_diameter is None else vessel_diameter * _VESSEL_FACTOR
    share = replay_share(plan)
    practised = replayed(with_vessels=vessels) if share else []
    train, validation = own(plan.of("train")), own(plan.of("validation"))
    held_out_copies(run, plan, part_of(progress, 0.0, 0.2))
    opened = partial(open_cache, diameter=diameter, with_vessels=vessels)
    decoded = opened(
        [*train, *practised],
        run.cache / "train",
        shares={OWN: 1 - share, REPLAY: share},
        progress=part_of(progress, 0.2, 0.8),
    )
    judged = opened(validation, run.cache / "validation", progress=part_of(progress, 0.8, 1.0))
    return TrainingData(decoded, judged, train, validation)


def held_out_copies(run: RunFolder, plan: TrainingPlan, progress: Progress) -> list[Photograph]:
    """The held-out photographs, copied into the run folder if they are not there yet."""
    folder = run.cache / "held_out"
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    planned = plan.of("held_out")
    for number, photograph in enumerate(planned):
        progress(number / len(planned), "copying held-out photographs")
        image = _copied(photograph.path, photograph.sha256, folder, photograph.sha256)
        mask = photograph.mask
        if mask is not None:
            name = f"{photograph.sha256}_mask"
            mask = _copied(mask, photograph.mask_sha256 or sha256_of(mask), folder, name)
        copies.append(photograph.model_copy(update={"path": image, "mask": mask}))
    return own(copies)


def _copied(source: Path, sha256: str, folder: Path, name: str) -> Path:
    # Only the suffix of the name is kept: names may be those of patients.
    copy = folder / f"{name}{source.suffix.lower()}"
    if copy.exists() and sha256_of(copy) == sha256:
        return copy
    try:
        stream = source.open("rb")
    except OSError as error:
        raise UserError(
            f"{source} cannot be read: {error.strerror}.",
            "Plug its drive in, or put the folder back, and go on.",
        ) from error
    with stream, atomic_write(copy, replace=True) as target:
        shutil.copyfileobj(stream, target)
    if sha256_of(copy) != sha256:
        copy.unlink()
        raise _changed(source)
    return copy


def photographs_of(cache: PhotographCache) -> Sequence[Photograph]:
    """The photographs of a cache, by number: they have no names there."""
    found = ((str(number), cache[number]) for number in range(len(cache)))
    return [_Cached(p.dataset, number, p.patient, Path(), pixels=p.rgb) for number, p in found]


@dataclass(frozen=True)
class _Cached(Photograph):
    """A photograph out of the cache: the drive it came from may be gone by now."""

    pixels: NDArray[np.uint8] | None = None

    def read_rgb(self) -> NDArray[np.uint8]:
        assert self.pixels is not None
        return np.ascontiguousarray(self.pixels)
