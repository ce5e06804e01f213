"""What a training leaves behind: weights, card, history."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from retina_viewer import __version__
from retina_viewer.core.files import atomic_write
from retina_viewer.model_store.card import ModelCard, TrainingSummary, read_card
from retina_viewer.model_store.store import save_card, save_weights
from retina_viewer.quality.datasets import Photograph
from retina_viewer.training.cache import PhotographCache
from retina_viewer.training.checkpoint import Counters
from retina_viewer.training.vessel_task import unbiased_threshold
from retina_viewer.vessels.segment import VesselSegmenter


@dataclass(frozen=True)
class TrainingData:
    """The photographs of one training, decoded."""

    train: PhotographCache
    validation: PhotographCache
    train_photographs: list[Photograph]
    validation_photographs: list[Photograph]


def write_model(folder: Path, weights: Mapping[str, Tensor], **about: Any) -> ModelCard:
    """Leave weights and card in ``folder``: what every training and fit ends with. ``about`` is
    what else the card says. Gives the card as read from the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    sha256 = save_weights(dict(weights), folder)
    save_card(ModelCard(weights_sha256=sha256, created=datetime.now(UTC).date(), **about), folder)
    return read_card(folder)


def best_scores(stages: Sequence[Counters]) -> dict[str, float]:
    """What a card says of the validation."""
    return {f"stage{n + 1}": stage.best_score or 0.0 for n, stage in enumerate(stages)}


def with_threshold(
    card: ModelCard, photographs: Sequence[Photograph], device: torch.device
) -> ModelCard:
    """A vessel model's card with the threshold of its mask, from validation photographs."""
    assert card.directory is not None
    threshold = unbiased_threshold(VesselSegmenter(card, device), photographs)
    save_card(card.model_copy(update={"threshold": threshold}), card.directory)
    return read_card(card.directory)


def training_summary(
    train: Sequence[Photograph],
    validation: Sequence[Photograph],
    hashes: Iterable[str],
    *,
    practised: Sequence[Photograph] = (),
    **about: Any,
) -> TrainingSummary:
    """What a card says of a training: counts and hashes of its photographs, no names.

    Args:
        hashes: SHA-256 of the files of ``train``, in any order.
        practised: bundled photographs that were trained on beside them.
        about: recipe, seed, iterations, device: the other fields of the summary.
    """
    return TrainingSummary(
        torch=torch.__version__,
        program=__version__,
        photographs=dict(Counter(p.dataset for p in [*train, *practised])),
        validation_photographs=dict(Counter(p.dataset for p in validation)),
        patients=len({(p.dataset, p.patient) for p in train}),
        data_sha256=hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest(),
        **about,
    )


def lengths(stages: Sequence[Counters]) -> dict[str, Any]:
    """How long a training was: for :func:`training_summary`."""
    return {
        "iterations": tuple(stage.step for stage in stages),
        "best_iterations": tuple(stage.best_step for stage in stages),
        "seconds": round(sum(stage.seconds for stage in stages)),
        "precision": stages[-1].precision,
    }


def write_history(stages: Sequence[Counters], path: Path) -> None:
    """The losses and validations of all stages, for the learning curves."""
    with atomic_write(path, replace=True) as stream:
        stream.write(json.dumps([stage.history for stage in stages]).encode())
