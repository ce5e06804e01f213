"""Train a model after a recipe: from data to a model folder, by stages, resumable."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from retina_viewer.cli.console import Console
from retina_viewer.cli.learning import line_of, stoppable
from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.options import option
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.store import find_model, load_network
from retina_viewer.networks.architectures import build
from retina_viewer.networks.cascade import GeneratorCascade
from retina_viewer.networks.growth import grow
from retina_viewer.quality.datasets import split
from retina_viewer.training.cache import open_cache
from retina_viewer.training.checkpoint import Counters
from retina_viewer.training.distributed import is_first_process, joined
from retina_viewer.training.loop import Event, Surroundings, run_stage
from retina_viewer.training.outcome import ARCHITECTURE_OF, TrainingData, write_model
from retina_viewer.training.pairs import PairSource
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import (
    Colour,
    FormationRecipe,
    FormationStage,
    Recipe,
    SaliencyGanRecipe,
    SaliencyGanStage,
    StepStage,
    SuperresRecipe,
    SuperresStage,
    VesselRecipe,
    load_recipe,
)
from retina_viewer.training.saliency_gan_task import SaliencyGanTask
from retina_viewer.training.superres_task import JointTask, SuperresTask
from retina_viewer.training.task import Task
from retina_viewer.training.vessel_task import VesselTask
from studies.data_folders import find_photographs
from studies.fitted_recipe import load_fitted_recipe
from studies.fitted_run import fit
from studies.formation_task import FormationTask
from studies.study import Study

SUPERRES_CACHE_DIAMETER = 1600.0
"""Diameter of the field of view, px, up to which photographs are kept for super-resolution."""
_VESSEL_CACHE_FACTOR = 1.4  # the largest enlargement that augmentation asks for


@dataclass(frozen=True)
class RecipeTraining(Study):
    """Recipes: ``resources/recipes``. Interrupt and terminate leave a checkpoint to go on from."""

    recipe: Path = option(metavar="RECIPE", help="a file, or the name of a bundled recipe")
    data: Path = option(metavar="DATA", help="the folder of the data sets")
    out: Path | None = option(
        None, metavar="DIR", help="where the model goes; default runs/<recipe>"
    )
    resume: bool = option(False, help="go on from the last checkpoint in DIR")
    device: str = option(
        "auto", metavar="DEVICE", help="auto (the GPU where there is one), cpu, cuda or cuda:N"
    )

    def run(self, console: Console) -> str:
        """Train, reporting every event."""
        recipe = find_recipe(self.recipe)

        def report(event: Event) -> None:
            console.event(**event)
            console.say(line_of(event))

        # Of several processes (torchrun) one speaks; signals stop any of them.
        shown = console.progress(recipe.stem) if is_first_process() else no_progress
        with stoppable(shown) as progress:
            train(
                recipe, self.data, self.out or Path("runs") / recipe.stem, device=self.device,
                resume=self.resume, events=report, progress=progress,
            )  # fmt: skip
        return ""


def find_recipe(recipe: Path) -> Path:
    """The recipe's file: the path itself, or a bundled recipe of that name.

    Raises:
        UserError: neither exists.
    """
    if recipe.is_file():
        return recipe
    bundled = resources_dir() / "recipes"
    candidate = bundled / f"{recipe.name.removesuffix('.toml')}.toml"
    if recipe.name == str(recipe) and candidate.is_file():
        return candidate
    names = ", ".join(sorted(path.stem for path in bundled.glob("*.toml")))
    raise UserError(f"There is no recipe {recipe}.", f"Bundled recipes: {names}.")


def train(
    recipe_file: Path,
    data: Path,
    out: Path,
    *,
    device: str = "auto",
    resume: bool = False,
    cache: Path | None = None,
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
        cache: where decoded photographs are kept, for trainings that share them; None for
            ``out/cache``.
        events: told of the start, losses, validations, ends of stages and the model.
        progress: may raise Cancelled; a checkpoint is written first.

    Raises:
        UserError: recipe, data, device or disk are not usable, or the losses left the numbers.
    """
    classical = load_fitted_recipe(recipe_file)
    if classical is not None:
        _prepare_folder(out, recipe_file, resume)
        decoded = cache or out / "cache"
        return fit(classical, recipe_file, data, out, decoded, events=events, progress=progress)
    recipe = load_recipe(recipe_file)
    if recipe.threads is not None:
        torch.set_num_threads(recipe.threads)
    with joined(device) as (group, target):
        group.from_first(lambda: _prepare_folder(out, recipe_file, resume))
        decoding = part_of(progress, 0.0, 0.02)
        loaded = group.first_before_others(
            lambda: _load_data(recipe, data, cache or out / "cache", decoding)
        )
        told = events if group.is_first else _to_nobody
        where = Surroundings(out, recipe.seed, target, told, progress, group)
        return _trained(recipe, recipe_file, loaded, out, where)


def _to_nobody(event: Event) -> None:
    """The listener of all processes but the first."""


def _trained(
    recipe: Recipe, recipe_file: Path, loaded: TrainingData, out: Path, whole: Surroundings
) -> ModelCard:
    """All stages, and the model; ``whole`` is the surroundings of the training as a whole."""
    target, events = whole.device, whole.events
    network = _starting_network(recipe).to(target)
    events({"event": "start", "task": recipe.task, "device": str(target), "name": recipe.name})
    finished: list[Counters] = []
    for number, task in enumerate(tasks_of(recipe, network, loaded, target)):
        span = part_of(
            whole.progress,
            0.02 + 0.98 * number / len(recipe.stages),
            0.02 + 0.98 * (number + 1) / len(recipe.stages),
        )
        checkpoint = out / f"stage{number + 1}.safetensors"
        where = replace(whole, checkpoint=checkpoint, progress=span)
        finished.append(run_stage(task, number, where))
        events({"event": "stage finished", "task": task.name, **_best(finished[-1])})
    written = whole.group.from_first(
        lambda: write_model(
            recipe, recipe_file, network, loaded, finished, out, str(target)
        ).model_dump_json()
    )
    card = ModelCard.model_validate_json(written)
    events({"event": "model", "folder": str(out / "model"), "name": card.name})
    return card


def _best(counters: Counters) -> dict[str, float]:
    return {"best_score": counters.best_score or 0.0, "best_step": float(counters.best_step)}


def _prepare_folder(out: Path, recipe_file: Path, resume: bool) -> None:
    """A folder belongs to one recipe; going on with another would mix two trainings."""
    kept = out / "recipe.toml"
    if any(out.glob("stage*.safetensors")) or any(out.glob("step*.safetensors")):
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


def _load_data(recipe: Recipe, data: Path, cache: Path, progress: Progress) -> TrainingData:
    photographs = [p for p in find_photographs(data) if p.dataset in recipe.datasets]
    missing = set(recipe.datasets) - {p.dataset for p in photographs}
    if missing:
        raise UserError(f"The data folder lacks {', '.join(sorted(missing))}.")
    subsets = split(photographs)
    vessels = isinstance(recipe, VesselRecipe)
    diameter = (
        recipe.field_diameter * _VESSEL_CACHE_FACTOR
        if isinstance(recipe, VesselRecipe)
        else SUPERRES_CACHE_DIAMETER
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


def _starting_network(recipe: Recipe) -> nn.Module:
    """A fresh network, or the base model's where the recipe begins with one."""
    torch.manual_seed(recipe.seed)
    if isinstance(recipe, SaliencyGanRecipe):
        return load_network(find_model(recipe.base))
    network = build(ARCHITECTURE_OF[recipe.task], recipe.architecture.model_dump())
    if isinstance(recipe, SuperresRecipe) and recipe.base is not None:
        base = load_network(find_model(recipe.base))
        assert isinstance(base, GeneratorCascade)
        assert isinstance(network, GeneratorCascade)
        try:
            grow(base, network)
        except ValueError as error:
            raise UserError(
                f"The base {recipe.base!r} does not fit into the recipe's architecture.",
                "Give every step the maps and the unshuffling of the base, and no fewer blocks.",
            ) from error
    return network


def _patches(
    data: TrainingData,
    recipe: SuperresRecipe | SaliencyGanRecipe | FormationRecipe,
    stage: StepStage | FormationStage,
) -> PatchSource:
    colour = stage.colour if isinstance(stage, StepStage) else Colour()
    diameters = _diameters(recipe, stage)
    return PatchSource(data.train, diameters, stage.grain, stage.sharpening, colour)


def _diameters(
    recipe: SuperresRecipe | SaliencyGanRecipe | FormationRecipe,
    stage: StepStage | FormationStage,
) -> tuple[float, float]:
    own = stage.field_diameters if isinstance(stage, StepStage) else None
    return own or recipe.field_diameters


def tasks_of(
    recipe: Recipe,
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
    if isinstance(recipe, FormationRecipe):
        validation = PatchSource(data.validation, recipe.field_diameters)
        for estimation in recipe.stages:
            source = _patches(data, recipe, estimation)
            yield FormationTask(network, estimation, source, validation, device)
        return
    assert isinstance(network, GeneratorCascade)
    for step in recipe.stages:
        source = _patches(data, recipe, step)
        degradation = step.degradation or recipe.degradation
        judged = PatchSource(data.validation, _diameters(recipe, step))
        if isinstance(step, SuperresStage) and step.together:
            levels = [step.model_copy(update={"step": k + 1}) for k in range(step.step)]
            chain = [
                PairSource(
                    network, level, degradation, source, judged, device, from_photograph=True
                )
                for level in levels
            ]
            yield JointTask(network, step, chain, device)
            continue
        pairs = PairSource(network, step, degradation, source, judged, device)
        if isinstance(step, SaliencyGanStage):
            yield SaliencyGanTask(network, step, pairs, device)
        else:
            yield SuperresTask(network, step, pairs, device)
