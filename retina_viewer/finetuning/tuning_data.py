"""The photographs of a plan, taken into the run folder: from then on it needs no other place."""

import shutil
from pathlib import Path

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write, sha256_of
from retina_viewer.core.progress import Progress, part_of
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.finetuning.tuning import replay_share
from retina_viewer.quality.datasets import Photograph
from retina_viewer.training.cache import open_cache
from retina_viewer.training.outcome import TrainingData
from retina_viewer.training.own_photographs import OWN, REPLAY, own, replayed

_SUPERRES_DIAMETER = 1600.0
_VESSEL_FACTOR = 1.4  # the largest enlargement that augmentation asks for


def load_data(
    run: RunFolder, plan: TrainingPlan, vessel_diameter: int | None, progress: Progress
) -> TrainingData:
    """Decode the photographs to train on and to validate with, and copy the held-out ones.

    Once this has been done, the folders that the plan names may vanish.

    Args:
        run: its cache is filled, or found filled.
        plan: of the run.
        vessel_diameter: of a vessel model, its working resolution; None for super-resolution.
        progress: may cancel; what was begun is begun anew the next time.

    Raises:
        UserError: a photograph is missing, unreadable or changed, or the disk is full.
    """
    vessels = vessel_diameter is not None
    diameter = _SUPERRES_DIAMETER if vessel_diameter is None else vessel_diameter * _VESSEL_FACTOR
    share = replay_share(plan)
    practised = replayed(with_vessels=vessels) if share else []
    train, validation = own(plan.of("train")), own(plan.of("validation"))
    held_out_copies(run, plan, part_of(progress, 0.0, 0.2))
    return TrainingData(
        open_cache(
            [*train, *practised],
            run.cache / "train",
            diameter=diameter,
            with_vessels=vessels,
            shares={OWN: 1 - share, REPLAY: share},
            progress=part_of(progress, 0.2, 0.8),
        ),
        open_cache(
            validation,
            run.cache / "validation",
            diameter=diameter,
            with_vessels=vessels,
            progress=part_of(progress, 0.8, 1.0),
        ),
        train,
        validation,
    )


def held_out_copies(run: RunFolder, plan: TrainingPlan, progress: Progress) -> list[Photograph]:
    """The held-out photographs, copied into the run folder if they are not there yet.

    Raises:
        UserError: a file is missing, or not the one that was planned.
    """
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
    _read_into(source, copy)
    if sha256_of(copy) != sha256:
        copy.unlink()
        raise UserError(
            f"{source.name} has changed since the training was planned.",
            "Put the file back as it was, or plan the training anew.",
        )
    return copy


def _read_into(source: Path, copy: Path) -> None:
    try:
        stream = source.open("rb")
    except OSError as error:
        raise UserError(
            f"{source} cannot be read: {error.strerror}.",
            "Plug its drive in, or put the folder back, and go on.",
        ) from error
    with stream, atomic_write(copy, replace=True) as target:
        shutil.copyfileobj(stream, target)
