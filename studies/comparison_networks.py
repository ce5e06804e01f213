"""The small vessel networks of the comparison of methods, all on one budget."""

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write, sha256_of
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import Progress, part_of
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.model_store.card import CARD_FILE, read_card
from retina_viewer.model_store.store import save_card
from retina_viewer.networks.architectures import build
from retina_viewer.networks.devices import resolve_device
from retina_viewer.quality.datasets import Photograph
from retina_viewer.training.cache import PhotographCache, open_cache
from retina_viewer.training.loop import run_stage
from retina_viewer.training.outcome import TrainingData
from retina_viewer.training.recipe import VesselRecipe, load_recipe
from retina_viewer.training.task import TrainContext
from retina_viewer.training.vessel_task import VesselTask
from retina_viewer.vessels.segment import VesselSegmenter
from studies.train import ARCHITECTURE_OF, write_trained_model

_RECIPE = "vessels-comparison.toml"
_CACHE_FACTOR = 1.25  # the largest enlargement that the recipe's augmentation asks for
_BUDGET = "budget.json"
_TIMED_STEPS = 5
_VALIDATIONS = 4
_LICENCE = "none: trained to compare methods, possibly on photographs that forbid redistribution"


class ComparisonTrainer:
    """Trains small vessel networks, all on one budget.

    Args:
        iterations: steps of every network.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        recipe_file: None for the shipped recipe.

    Attributes:
        identity: the recipe's hash and the steps, e.g. ``3f2a91c0-600``: tells budgets and forms
            apart, fit for a file's name.
    """

    def __init__(
        self, iterations: int, device: str = "auto", recipe_file: Path | None = None
    ) -> None:
        self._file = recipe_file or resources_dir() / "recipes" / _RECIPE
        self.iterations = iterations
        self.identity = f"{sha256_of(self._file)[:8]}-{iterations}"
        self._device = resolve_device(device)
        self._recipe = _with_iterations(_read(self._file), iterations)

    def __call__(
        self,
        train: Sequence[Photograph],
        validation: Sequence[Photograph],
        folder: Path,
        progress: Progress,
    ) -> VesselSegmenter:
        """A network trained on these photographs; read from ``folder`` where it was trained before,
        gone on with where it was broken off.

        Raises:
            UserError: photographs that cannot be read, or no space.
        """
        model = folder / "model"
        if not (model / CARD_FILE).exists():
            self._train(train, validation, folder, progress)
        return VesselSegmenter(read_card(model), self._device)

    def _train(
        self,
        train: Sequence[Photograph],
        validation: Sequence[Photograph],
        folder: Path,
        progress: Progress,
    ) -> None:
        recipe = self._recipe
        told = part_of(progress, 0.0, 0.05)
        seen = self._cache(train, folder / "cache" / "train", told)
        judged = self._cache(validation, folder / "cache" / "validation", told)
        torch.manual_seed(recipe.seed)
        network = build(ARCHITECTURE_OF["vessels"], recipe.architecture.model_dump())
        task = VesselTask(
            network, recipe.stages[0], seen, judged, recipe.field_diameter, self._device
        )
        steps = part_of(progress, 0.05, 1.0)
        where = TrainContext(
            folder / "stage1.safetensors", recipe.seed, self._device, lambda event: None,
            lambda share, _: steps(share, f"training on {folder.name}"),
        )  # fmt: skip
        counters = run_stage(task, 0, where)
        data = TrainingData(seen, judged, list(train), list(validation))
        card = write_trained_model(
            recipe, self._file, network, data, [counters], folder, str(self._device)
        )
        segmenter = VesselSegmenter(read_card(folder / "model"), self._device)
        changes = {"licence": _LICENCE, "threshold": best_threshold(segmenter, validation)}
        save_card(card.model_copy(update=changes), folder / "model")
        for cache in sorted((folder / "cache").glob("*/*")):
            cache.unlink()  # as large as the photographs, and of no more use

    def _cache(
        self, photographs: Sequence[Photograph], folder: Path, progress: Progress
    ) -> PhotographCache:
        diameter = self._recipe.field_diameter * _CACHE_FACTOR
        return open_cache(
            photographs, folder, diameter=diameter, with_vessels=True, progress=progress
        )


def best_threshold(segmenter: VesselSegmenter, photographs: Sequence[Photograph]) -> float:
    """The threshold of the best Dice over all pixels of the photographs; of two digits.

    Networks of few steps are not calibrated, so the one that needs no labels would measure that
    instead of the images.
    """
    probabilities, truths = [], []
    for photograph in photographs:
        rgb8 = photograph.read_rgb()
        field = find_field_of_view(rgb8)
        probabilities.append(segmenter.probability(rgb8, field)[field.mask])
        truths.append(photograph.read_vessels()[field.mask])
    probability, truth = np.concatenate(probabilities), np.concatenate(truths)
    edges = np.linspace(0.0, 1.0, 101)
    hits, found = (
        np.histogram(values, edges)[0][::-1].cumsum()[::-1]
        for values in (probability[truth], probability)
    )
    overlap = 2.0 * hits / np.maximum(1, found + np.count_nonzero(truth))
    return round(float(edges[1 + int(np.argmax(overlap[1:]))]), 2)


def iterations_of(minutes: float, out: Path, device: str = "auto") -> int:
    """How many steps of a network take so many minutes here; kept in ``out`` for the next run.

    So all networks of one comparison have the same number of steps, however busy the machine is
    later.

    Raises:
        UserError: less than one step, or ``out`` cannot be written.
    """
    kept = out / _BUDGET
    # A damaged one is measured anew, as one for other minutes is.
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        budget = json.loads(kept.read_text(encoding="utf-8"))
        if budget["minutes"] == minutes and int(budget["iterations"]) > 0:
            return int(budget["iterations"])
    iterations = int(minutes * 60 / _seconds_of_a_step(resolve_device(device)))
    if iterations < 1:
        raise UserError(f"{minutes:g} minutes are too short for a network.", "Give more.")
    with atomic_write(kept, replace=True) as stream:
        stream.write(json.dumps({"minutes": minutes, "iterations": iterations}).encode())
    return iterations


def _seconds_of_a_step(device: torch.device) -> float:
    """Of the network alone, on noise; the cutting of crops adds about a quarter."""
    recipe = _read(resources_dir() / "recipes" / _RECIPE)
    network = build(ARCHITECTURE_OF["vessels"], recipe.architecture.model_dump()).to(device)
    stage = recipe.stages[0]
    batch = torch.rand(stage.optimisation.batch, 3, stage.patch, stage.patch, device=device)
    seconds = []
    for _ in range(_TIMED_STEPS):
        start = time.perf_counter()
        network(batch).square().mean().backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    return 1.25 * sorted(seconds)[len(seconds) // 2]


def _read(file: Path) -> VesselRecipe:
    recipe = load_recipe(file)
    if not isinstance(recipe, VesselRecipe):
        raise UserError(f"{file.name} is no recipe of a vessel network.", "Choose another.")
    return recipe


def _with_iterations(recipe: VesselRecipe, iterations: int) -> VesselRecipe:
    stage = recipe.stages[0]
    plan = stage.optimisation.model_copy(
        update={
            "iterations": iterations,
            "warmup": min(stage.optimisation.warmup, iterations // 4),
            "validate_every": max(1, iterations // _VALIDATIONS),
        }
    )
    stages = (stage.model_copy(update={"optimisation": plan}),)
    return recipe.model_copy(update={"stages": stages})
