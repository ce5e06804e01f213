"""Train a model after a recipe: from data to a model folder, by stages, resumable."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from retina_viewer.cli.console import Console
from retina_viewer.cli.learning import line_of, stoppable
from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write, sha256_of
from retina_viewer.core.options import option
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.model_store.card import ModelCard, TaskName
from retina_viewer.model_store.store import find_model, load_network
from retina_viewer.networks.architectures import build
from retina_viewer.networks.generator import Modulation, ResidualBlock, ResidualGenerator
from retina_viewer.networks.generator_cascade import GeneratorCascade
from retina_viewer.training.cache import open_cache
from retina_viewer.training.checkpoint import Counters
from retina_viewer.training.distributed import joined
from retina_viewer.training.loop import run_stage
from retina_viewer.training.outcome import (
    TrainingData,
    best_scores,
    lengths,
    training_summary,
    with_threshold,
    write_history,
    write_model,
)
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import (
    FormationRecipe,
    Recipe,
    SaliencyGanRecipe,
    StepStage,
    SuperresRecipe,
    VesselRecipe,
    load_recipe,
)
from retina_viewer.training.saliency_gan_task import keep_discriminators
from retina_viewer.training.task import Event, Task, TrainContext
from retina_viewer.training.tasks import tasks_of
from studies.data_folders import Subset, divided
from studies.fitted_recipe import load_fitted_recipe
from studies.fitted_run import fit
from studies.formation_task import FormationTask
from studies.study import WithDevice

ARCHITECTURE_OF = {
    "superres": "residual-cascade",
    "formation": "formation-estimator",
    "vessels": "unet",
}
"""What a recipe of each task trains from nothing; a saliency GAN takes its base's."""
_TASK_OF: dict[str, TaskName] = {
    "superres": "superres",
    "saliency-gan": "superres",
    "formation": "formation",
    "vessels": "vessels",
}
_LICENCE = "CC-BY-4.0 (trained on CC BY 4.0 photographs)"
SUPERRES_CACHE_DIAMETER = 1600.0
"""Diameter of the field of view, px, up to which photographs are kept for super-resolution."""
_VESSEL_CACHE_FACTOR = 1.4  # the largest enlargement that augmentation asks for


@torch.no_grad()
def grow(smaller: GeneratorCascade, larger: GeneratorCascade) -> None:
    """Give ``larger`` the weights of ``smaller``; blocks and conditions it adds change nothing.

    Args:
        smaller: trained; its maps and unshuffling as in ``larger``, its blocks at most as many.
        larger: fresh; its steps beyond those of ``smaller``, and those with another slope, stay as
            they are.

    Raises:
        ValueError: a step of ``smaller`` does not fit into that of ``larger``.
    """
    for source, target in zip(smaller.steps, larger.steps, strict=False):
        if not (isinstance(source, ResidualGenerator) and isinstance(target, ResidualGenerator)):
            raise ValueError("only residual generators grow")
        if source.slope == target.slope:  # another activation asks for other weights
            _grow_step(source, target)


def _grow_step(source: ResidualGenerator, target: ResidualGenerator) -> None:
    if len(source.body) > len(target.body) or source.unshuffle != target.unshuffle:
        raise ValueError("the smaller network does not fit into the larger one")
    try:
        target.head.load_state_dict(source.head.state_dict())
        target.tail.load_state_dict(source.tail.state_dict())
        for old, new in zip(source.body, target.body, strict=False):
            new.load_state_dict(old.state_dict())
    except RuntimeError as error:
        raise ValueError("the smaller network does not fit into the larger one") from error
    for added in list(target.body)[len(source.body) :]:
        assert isinstance(added, ResidualBlock)
        _silence(added.second)
    if target.modulation is not None and source.modulation is not None:
        _grow_modulation(source.modulation, target.modulation)


def _grow_modulation(source: Modulation, target: Modulation) -> None:
    target.embed.load_state_dict(source.embed.state_dict())
    known = source.gains.out_features  # the gains of the added blocks stay zero
    target.gains.weight[:known] = source.gains.weight
    target.gains.bias[:known] = source.gains.bias


def _silence(convolution: nn.Conv2d) -> None:
    nn.init.zeros_(convolution.weight)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)


@dataclass(frozen=True)
class RecipeTraining(WithDevice):
    """Recipes: ``resources/recipes``. Interrupt and terminate leave a checkpoint to go on from."""

    recipe: Path = option(metavar="RECIPE", help="a file, or the name of a bundled recipe")
    data: Path = option(metavar="DATA", help="the folder of the data sets")
    out: Path | None = option(
        None, metavar="DIR", help="where the model goes; default runs/<recipe>"
    )
    resume: bool = option(False, help="go on from the last checkpoint in DIR")

    def run(self, console: Console) -> str:
        """Train, reporting every event."""
        recipe = find_recipe(self.recipe)

        def report(event: Event) -> None:
            console.event(**event)
            console.say(line_of(event))

        # Of several processes (torchrun) one speaks; signals stop any of them.
        is_first = int(os.environ.get("RANK", "0")) == 0  # it is alone, or torchrun's first
        shown = console.progress(recipe.stem) if is_first else no_progress
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
        where = TrainContext(out, recipe.seed, target, told, progress, group)
        return _trained(recipe, recipe_file, loaded, out, where)


def _to_nobody(event: Event) -> None:
    """The listener of all processes but the first."""


def _trained(
    recipe: Recipe, recipe_file: Path, loaded: TrainingData, out: Path, whole: TrainContext
) -> ModelCard:
    """All stages, and the model; ``whole`` is the surroundings of the training as a whole."""
    target, events = whole.device, whole.events
    network = _starting_network(recipe).to(target)
    events({"event": "start", "task": recipe.task, "device": str(target), "name": recipe.name})
    finished: list[Counters] = []
    for number, task in enumerate(_tasks(recipe, network, loaded, target)):
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
        lambda: write_trained_model(
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
    subsets = divided(data, recipe.datasets)
    vessels, diameter = isinstance(recipe, VesselRecipe), SUPERRES_CACHE_DIAMETER
    if isinstance(recipe, VesselRecipe):
        diameter = recipe.field_diameter * _VESSEL_CACHE_FACTOR
    told_by: dict[Subset, Progress] = {"train": progress, "validation": no_progress}
    train_set, validation_set = (
        open_cache(
            subsets[part], cache / part, diameter=diameter, with_vessels=vessels, progress=told
        )
        for part, told in told_by.items()
    )
    return TrainingData(train_set, validation_set, subsets["train"], subsets["validation"])


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


def _tasks(
    recipe: Recipe, network: nn.Module, data: TrainingData, device: torch.device
) -> Iterator[Task]:
    if not isinstance(recipe, FormationRecipe):
        yield from tasks_of(recipe, network, data, device)
        return
    validation = PatchSource(data.validation, recipe.field_diameters)
    for stage in recipe.stages:
        source = PatchSource(data.train, recipe.field_diameters, stage.grain, stage.sharpening)
        yield FormationTask(network, stage, source, validation, device)


def write_trained_model(
    recipe: Recipe,
    recipe_file: Path,
    network: nn.Module,
    data: TrainingData,
    stages: list[Counters],
    out: Path,
    device: str,
) -> ModelCard:
    """Leave weights and card in ``out/model``, of a GAN its discriminators too, and the history of
    all stages beside it."""
    margins = network.margins if isinstance(network, GeneratorCascade) else ()
    upon = recipe if isinstance(recipe, SuperresRecipe | SaliencyGanRecipe) else None
    base_name = None if upon is None else upon.base
    base = None if base_name is None else find_model(base_name)
    name, parameters = _architecture(recipe, base)
    card = write_model(
        out / "model",
        network.state_dict(),
        name=recipe.name,
        version=recipe.version,
        title=recipe.title,
        task=_TASK_OF[recipe.task],
        method=None if upon is None else upon.method,
        architecture=name,
        parameters=parameters,
        scales=tuple(2 ** (k + 1) for k in range(len(margins))),
        margins=margins,
        field_diameter=recipe.field_diameter if isinstance(recipe, VesselRecipe) else None,
        threshold=0.5 if isinstance(recipe, VesselRecipe) else None,
        licence=_LICENCE,
        training=training_summary(
            data.train_photographs,
            data.validation_photographs,
            [sha256_of(photograph.image) for photograph in data.train_photographs],
            recipe=recipe.name,
            recipe_sha256=sha256_of(recipe_file),
            seed=recipe.seed,
            device=device,
            **lengths(stages),
        ),
        validation=best_scores(stages),
        parent=f"{base.name} {base.version}" if base else None,
        **_mixture(recipe, base),
    )
    steps = [stage.step for stage in recipe.stages if isinstance(stage, StepStage)]
    keep_discriminators(out, steps, card)
    if card.task == "vessels":
        card = with_threshold(card, data.validation_photographs, torch.device(device))
    write_history(stages, out / "history.json")
    return card


def _mixture(recipe: Recipe, base: ModelCard | None) -> dict[str, Any]:
    """A GAN upon another method's weights is mixed with them, half and half until validation
    photographs have said better (``evaluate fidelity``, ``models record``)."""
    if not isinstance(recipe, SaliencyGanRecipe) or base is None:
        return {}
    if base.enhancer_method != recipe.method:
        return {"twin": recipe.base, "fidelity": 0.5}
    return {}


def _architecture(recipe: Recipe, base: ModelCard | None) -> tuple[str, dict[str, Any]]:
    """The name and parameters of the trained network: the recipe's own, or its base's."""
    if isinstance(recipe, SaliencyGanRecipe):
        assert base is not None
        return base.architecture, base.parameters
    return ARCHITECTURE_OF[recipe.task], recipe.architecture.model_dump(mode="json")
