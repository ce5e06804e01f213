"""From a recipe and a data folder to a model folder: caches, stages, checkpoints, the card."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import nn

from retina_viewer import __version__
from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write, sha256_of
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.evaluation.datasets import Photograph, find_photographs, split
from retina_viewer.model_store.card import ModelCard, TrainingSummary
from retina_viewer.model_store.store import save_card, save_weights
from retina_viewer.networks.architectures import build
from retina_viewer.networks.cascade import GeneratorCascade
from retina_viewer.networks.devices import resolve_device
from retina_viewer.networks.generator import ResidualGenerator
from retina_viewer.training.cache import PhotographCache, open_cache
from retina_viewer.training.checkpoint import Counters
from retina_viewer.training.loop import Event, Surroundings, run_stage
from retina_viewer.training.pairs import PairSource
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import SuperresRecipe, VesselRecipe, load_recipe
from retina_viewer.training.superres_task import SuperresTask
from retina_viewer.training.task import Task
from retina_viewer.training.vessel_task import VesselTask

_SUPERRES_CACHE_DIAMETER = 1600.0
_VESSEL_CACHE_FACTOR = 1.4  # the largest enlargement that augmentation asks for
_LICENCE = "CC-BY-4.0 (trained on CC BY 4.0 photographs)"


@dataclass(frozen=True)
class TrainingData:
    """The photographs of one training, decoded."""

    train: PhotographCache
    validation: PhotographCache
    train_photographs: list[Photograph]
    validation_photographs: list[Photograph]


def train(
    recipe_file: Path,
    data: Path,
    out: Path,
    *,
    device: str = "auto",
    resume: bool = False,
    events: Callable[[Event], None] = lambda event: None,
    progress: Progress = no_progress,
) -> ModelCard:
    """Train what a recipe says; the model is left in ``out/model``.

    Args:
        recipe_file: TOML, see :mod:`retina_viewer.training.recipe`.
        data: the folder that holds the data sets.
        out: checkpoints, caches and the model; made if missing.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        resume: go on from the checkpoints in ``out``; without it, old ones are an error.
        events: told of the start, losses, validations, ends of stages and the model.
        progress: may raise Cancelled; a checkpoint is written first.

    Raises:
        UserError: recipe, data, device or disk are not usable, or the losses left the numbers.
    """
    recipe = load_recipe(recipe_file)
    target = resolve_device(device)
    if recipe.threads is not None:
        torch.set_num_threads(recipe.threads)
    _prepare_folder(out, recipe_file, resume)
    loaded = _load_data(recipe, data, out / "cache", part_of(progress, 0.0, 0.02))
    torch.manual_seed(recipe.seed)
    network = build(_architecture(recipe), recipe.architecture.model_dump())
    network.to(target)
    events({"event": "start", "task": recipe.task, "device": str(target), "name": recipe.name})
    finished: list[Counters] = []
    for number, task in enumerate(_tasks(recipe, network, loaded, target)):
        checkpoint = out / f"stage{number + 1}.safetensors"
        span = part_of(
            progress,
            0.02 + 0.98 * number / len(recipe.stages),
            0.02 + 0.98 * (number + 1) / len(recipe.stages),
        )
        where = Surroundings(checkpoint, recipe.seed, target, events, span)
        finished.append(run_stage(task, number, where))
        events({"event": "stage finished", "task": task.name, **_best(finished[-1])})
    card = _write_model(recipe, recipe_file, network, loaded, finished, out, str(target))
    events({"event": "model", "folder": str(out / "model"), "name": card.name})
    return card


def _best(counters: Counters) -> dict[str, float]:
    return {"best_score": counters.best_score or 0.0, "best_step": float(counters.best_step)}


def _prepare_folder(out: Path, recipe_file: Path, resume: bool) -> None:
    """A folder belongs to one recipe; going on with another would mix two trainings."""
    kept = out / "recipe.toml"
    if any(out.glob("stage*.safetensors")):
        if not resume:
            raise UserError(
                f"{out} holds a training already.",
                "Add --resume to go on, or choose another --out.",
            )
        if kept.read_bytes() != recipe_file.read_bytes():
            raise UserError(f"{out} holds the training of another recipe.", "Choose another --out.")
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {out} cannot be made: {error.strerror}.") from error
    with atomic_write(kept, replace=True) as stream:
        stream.write(recipe_file.read_bytes())


def _load_data(
    recipe: SuperresRecipe | VesselRecipe, data: Path, cache: Path, progress: Progress
) -> TrainingData:
    photographs = [p for p in find_photographs(data) if p.dataset in recipe.datasets]
    missing = set(recipe.datasets) - {p.dataset for p in photographs}
    if missing:
        raise UserError(f"The data folder lacks {', '.join(sorted(missing))}.")
    subsets = split(photographs)
    vessels = isinstance(recipe, VesselRecipe)
    diameter = (
        recipe.field_diameter * _VESSEL_CACHE_FACTOR
        if isinstance(recipe, VesselRecipe)
        else _SUPERRES_CACHE_DIAMETER
    )
    train_set, validation_set = subsets["train"], subsets["validation"]
    return TrainingData(
        open_cache(
            train_set, cache / "train", diameter=diameter, with_vessels=vessels, progress=progress
        ),
        open_cache(validation_set, cache / "validation", diameter=diameter, with_vessels=vessels),
        train_set,
        validation_set,
    )


def _architecture(recipe: SuperresRecipe | VesselRecipe) -> str:
    return "unet" if isinstance(recipe, VesselRecipe) else "residual-cascade"


def _tasks(
    recipe: SuperresRecipe | VesselRecipe,
    network: nn.Module,
    data: TrainingData,
    device: torch.device,
) -> Iterator[Task]:
    """The stages in turn; each is made when the one before it has left its best weights."""
    if isinstance(recipe, VesselRecipe):
        for stage in recipe.stages:
            yield VesselTask(
                network, stage, data.train, data.validation, recipe.field_diameter, device
            )
        return
    assert isinstance(network, GeneratorCascade)
    sources = (
        PatchSource(data.train, recipe.field_diameters),
        PatchSource(data.validation, recipe.field_diameters),
    )
    for step in recipe.stages:
        pairs = PairSource(network, step, recipe.degradation, *sources, device)
        yield SuperresTask(network, step, pairs)


def _write_model(
    recipe: SuperresRecipe | VesselRecipe,
    recipe_file: Path,
    network: nn.Module,
    data: TrainingData,
    stages: list[Counters],
    out: Path,
    device: str,
) -> ModelCard:
    folder = out / "model"
    folder.mkdir(exist_ok=True)
    steps = list(network.steps) if isinstance(network, GeneratorCascade) else []
    hashes = sorted(sha256_of(p.image) for p in data.train_photographs)
    summary = TrainingSummary(
        recipe=recipe.name,
        recipe_sha256=sha256_of(recipe_file),
        seed=recipe.seed,
        iterations=tuple(stage.step for stage in stages),
        best_iterations=tuple(stage.best_step for stage in stages),
        seconds=round(sum(stage.seconds for stage in stages)),
        precision=stages[-1].precision,
        device=device,
        torch=torch.__version__,
        program=__version__,
        photographs=dict(Counter(p.dataset for p in data.train_photographs)),
        validation_photographs=dict(Counter(p.dataset for p in data.validation_photographs)),
        patients=len({(p.dataset, p.patient) for p in data.train_photographs}),
        data_sha256=hashlib.sha256("".join(hashes).encode()).hexdigest(),
    )
    card = ModelCard(
        name=recipe.name,
        version=recipe.version,
        title=recipe.title,
        task=recipe.task,
        architecture=_architecture(recipe),
        parameters=recipe.architecture.model_dump(mode="json"),
        scales=tuple(2 ** (k + 1) for k in range(len(steps))),
        margins=tuple(step.margin for step in steps if isinstance(step, ResidualGenerator)),
        field_diameter=recipe.field_diameter if isinstance(recipe, VesselRecipe) else None,
        threshold=None if steps else 0.5,
        weights_sha256=save_weights(network.state_dict(), folder),
        licence=_LICENCE,
        training=summary,
        validation={f"stage{n + 1}": s.best_score or 0.0 for n, s in enumerate(stages)},
        created=datetime.now(UTC).date(),
    )
    save_card(card, folder)
    with atomic_write(out / "history.json", replace=True) as stream:
        stream.write(json.dumps([s.history for s in stages]).encode())
    return card
