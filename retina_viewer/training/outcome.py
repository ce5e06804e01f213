"""What a training leaves behind: weights, card, history."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import nn

from retina_viewer import __version__
from retina_viewer.core.files import atomic_write, sha256_of
from retina_viewer.finetuning.discriminators import keep_discriminators
from retina_viewer.model_store.card import ModelCard, TaskName, TrainingSummary, read_card
from retina_viewer.model_store.store import find_model, save_card, save_weights
from retina_viewer.networks.generator_cascade import GeneratorCascade
from retina_viewer.quality.datasets import Photograph
from retina_viewer.training.cache import PhotographCache
from retina_viewer.training.checkpoint import Counters
from retina_viewer.training.recipe import (
    Recipe,
    SaliencyGanRecipe,
    StepStage,
    SuperresRecipe,
    VesselRecipe,
)
from retina_viewer.training.recipe_file import TrainingRecipe
from retina_viewer.training.vessel_threshold import unbiased_threshold
from retina_viewer.vessels.segment import VesselSegmenter

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


@dataclass(frozen=True)
class TrainingData:
    """The photographs of one training, decoded."""

    train: PhotographCache
    validation: PhotographCache
    train_photographs: list[Photograph]
    validation_photographs: list[Photograph]


def write_model(
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
    folder = out / "model"
    folder.mkdir(exist_ok=True)
    margins = network.margins if isinstance(network, GeneratorCascade) else ()
    base_name = recipe.base if isinstance(recipe, SuperresRecipe | SaliencyGanRecipe) else None
    base = None if base_name is None else find_model(base_name)
    name, parameters = _architecture(recipe, base)
    card = ModelCard(
        name=recipe.name,
        version=recipe.version,
        title=recipe.title,
        task=_TASK_OF[recipe.task],
        method=recipe.method if isinstance(recipe, SuperresRecipe | SaliencyGanRecipe) else None,
        architecture=name,
        parameters=parameters,
        scales=tuple(2 ** (k + 1) for k in range(len(margins))),
        margins=margins,
        field_diameter=recipe.field_diameter if isinstance(recipe, VesselRecipe) else None,
        threshold=0.5 if isinstance(recipe, VesselRecipe) else None,
        weights_sha256=save_weights(network.state_dict(), folder),
        licence=_LICENCE,
        training=_summary(recipe, recipe_file, data, stages, device),
        validation={f"stage{n + 1}": s.best_score or 0.0 for n, s in enumerate(stages)},
        parent=f"{base.name} {base.version}" if base else None,
        **_mixture(recipe, base),
        created=datetime.now(UTC).date(),
    )
    save_card(card, folder)
    steps = [stage.step for stage in recipe.stages if isinstance(stage, StepStage)]
    keep_discriminators(out, steps, read_card(folder))
    if card.task == "vessels":
        segmenter = VesselSegmenter(read_card(folder), torch.device(device))
        threshold = unbiased_threshold(segmenter, data.validation_photographs)
        card = card.model_copy(update={"threshold": threshold})
        save_card(card, folder)
    with atomic_write(out / "history.json", replace=True) as stream:
        stream.write(json.dumps([s.history for s in stages]).encode())
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


def _summary(
    recipe: Recipe, recipe_file: Path, data: TrainingData, stages: list[Counters], device: str
) -> TrainingSummary:
    return training_summary(
        recipe,
        recipe_file,
        data.train_photographs,
        data.validation_photographs,
        iterations=tuple(stage.step for stage in stages),
        best_iterations=tuple(stage.best_step for stage in stages),
        seconds=sum(stage.seconds for stage in stages),
        precision=stages[-1].precision,
        device=device,
    )


def training_summary(
    recipe: TrainingRecipe,
    recipe_file: Path,
    train: Sequence[Photograph],
    validation: Sequence[Photograph],
    *,
    iterations: tuple[int, ...],
    best_iterations: tuple[int, ...],
    seconds: float,
    precision: str,
    device: str,
) -> TrainingSummary:
    """What a card says of a training: counts and hashes of its photographs, no names."""
    hashes = sorted(sha256_of(photograph.image) for photograph in train)
    return TrainingSummary(
        recipe=recipe.name,
        recipe_sha256=sha256_of(recipe_file),
        seed=recipe.seed,
        iterations=iterations,
        best_iterations=best_iterations,
        seconds=round(seconds),
        precision=precision,
        device=device,
        torch=torch.__version__,
        program=__version__,
        photographs=dict(Counter(p.dataset for p in train)),
        validation_photographs=dict(Counter(p.dataset for p in validation)),
        patients=len({(p.dataset, p.patient) for p in train}),
        data_sha256=hashlib.sha256("".join(hashes).encode()).hexdigest(),
    )
