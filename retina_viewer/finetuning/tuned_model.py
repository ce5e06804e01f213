"""What a fine-tuning leaves behind: weights and a card that names its parent, not its patients."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.tuning import TunedRecipe, replay_share
from retina_viewer.finetuning.tuning_data import own, replayed
from retina_viewer.model_store.card import ModelCard
from retina_viewer.quality.datasets import Photograph
from retina_viewer.training.cache import PhotographCache
from retina_viewer.training.checkpoint import Counters
from retina_viewer.training.outcome import best_scores, lengths, training_summary, write_model


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
    base = made.base
    title = plan.title or f"{base.title}, tuned"
    train = plan.of("train")
    return write_model(
        folder,
        made.network.state_dict(),
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
        licence=f"{base.licence}; tuned on its owner's photographs, who decides about its use",
        training=training_summary(
            own(train),
            own(plan.of("validation")),
            [photograph.sha256 for photograph in train],
            practised=replayed(with_vessels=plan.task == "vessels") if replay_share(plan) else (),
            recipe=made.recipe.name,
            recipe_sha256=plan.digest(),
            seed=plan.expert.seed,
            device=device,
            **lengths(made.stages),
        ),
        validation=best_scores(made.stages),
        parent=f"{base.name} {base.version}",
        parent_sha256=base.weights_sha256,
        twin=made.twin,
        fidelity=None if made.twin is None else base.fidelity,
    )


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
