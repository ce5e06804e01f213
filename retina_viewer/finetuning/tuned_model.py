"""What a fine-tuning leaves behind: weights and a card that names its parent, not its patients."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from retina_viewer import __version__
from retina_viewer.core.files import atomic_write
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.tuning import TunedRecipe, replay_share
from retina_viewer.model_store.card import ModelCard, TrainingSummary, read_card
from retina_viewer.model_store.store import save_card, save_weights
from retina_viewer.quality.datasets import Photograph
from retina_viewer.training.cache import PhotographCache
from retina_viewer.training.checkpoint import Counters
from retina_viewer.training.own_photographs import OWN, REPLAY, replayed
from retina_viewer.training.vessel_threshold import unbiased_threshold
from retina_viewer.vessels.segment import VesselSegmenter


@dataclass(frozen=True)
class Made:
    """One tuned network and how it came about.

    Attributes:
        name: of the model.
        base: the card of what it was tuned from.
        twin: the name of its tuned pixel-trained twin; None without one.
        stages: the counters of its own stages.
    """

    name: str
    base: ModelCard
    recipe: TunedRecipe
    network: nn.Module
    stages: Sequence[Counters]
    twin: str | None = None


def write_tuned(made: Made, plan: TrainingPlan, folder: Path, device: str) -> ModelCard:
    """Leave weights and card in ``folder``.

    Raises:
        UserError: they cannot be written.
    """
    folder.mkdir(exist_ok=True)
    base = made.base
    title = plan.title or f"{base.title}, tuned"
    card = ModelCard(
        name=made.name,
        version="1",
        title=title if made.name == plan.name else f"{title} (pixel-trained)",
        task=base.task,
        architecture=base.architecture,
        parameters=base.parameters,
        scales=base.scales,
        margins=base.margins,
        field_diameter=base.field_diameter,
        threshold=base.threshold,
        weights_sha256=save_weights(made.network.state_dict(), folder),
        licence=f"{base.licence}; tuned on its owner's photographs, who decides about its use",
        training=_summary(made, plan, device),
        validation={f"stage{n + 1}": s.best_score or 0.0 for n, s in enumerate(made.stages)},
        parent=f"{base.name} {base.version}",
        parent_sha256=base.weights_sha256,
        twin=made.twin,
        fidelity=None if made.twin is None else base.fidelity,
        created=datetime.now(UTC).date(),
    )
    save_card(card, folder)
    return read_card(folder)


def with_threshold(card: ModelCard, validation: PhotographCache, device: torch.device) -> ModelCard:
    """A vessel model's card with the threshold of its mask, from the validation photographs."""
    assert card.directory is not None
    threshold = unbiased_threshold(VesselSegmenter(card, device), photographs_of(validation))
    save_card(card.model_copy(update={"threshold": threshold}), card.directory)
    return read_card(card.directory)


def photographs_of(cache: PhotographCache) -> Sequence[Photograph]:
    """The photographs of a cache, by number: they have no names there."""
    return [_Cached.of(cache, number) for number in range(len(cache))]


@dataclass(frozen=True)
class _Cached(Photograph):
    """A photograph out of the cache: the drive it came from may be gone by now."""

    pixels: NDArray[np.uint8] | None = None

    @classmethod
    def of(cls, cache: PhotographCache, number: int) -> "_Cached":
        found = cache[number]
        return cls(found.dataset, str(number), found.patient, Path(), pixels=found.rgb)

    def read_rgb(self) -> NDArray[np.uint8]:
        assert self.pixels is not None
        return np.ascontiguousarray(self.pixels)


def _summary(made: Made, plan: TrainingPlan, device: str) -> TrainingSummary:
    train = plan.of("train")
    hashes = sorted(photograph.sha256 for photograph in train)
    practised = replayed(with_vessels=plan.task == "vessels") if replay_share(plan) else []
    return TrainingSummary(
        recipe=made.recipe.name,
        recipe_sha256=plan.digest(),
        seed=plan.expert.seed,
        iterations=tuple(stage.step for stage in made.stages),
        best_iterations=tuple(stage.best_step for stage in made.stages),
        seconds=round(sum(stage.seconds for stage in made.stages)),
        precision=made.stages[-1].precision,
        device=device,
        torch=torch.__version__,
        program=__version__,
        photographs={OWN: len(train)} | ({REPLAY: len(practised)} if practised else {}),
        validation_photographs={OWN: len(plan.of("validation"))},
        patients=plan.patients("train"),
        data_sha256=hashlib.sha256("".join(hashes).encode()).hexdigest(),
    )


def write_history(stages: Sequence[Counters], path: Path) -> None:
    """The losses and validations of all stages, for the learning curves."""
    with atomic_write(path, replace=True) as stream:
        stream.write(json.dumps([stage.history for stage in stages]).encode())
