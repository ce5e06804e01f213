"""Tiny models with random weights, among the person's own."""

from datetime import date
from typing import cast

import torch

from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store.card import ModelCard, TrainingSummary
from retina_viewer.model_store.store import save_card, save_weights
from retina_viewer.networks.architectures import build
from retina_viewer.networks.generator import ResidualGenerator
from retina_viewer.networks.generator_cascade import GeneratorCascade

_STEPS = [{"maps": 4, "blocks": 1}, {"maps": 4, "blocks": 1, "unshuffle": 2}]
NOTHING = TrainingSummary(
    recipe="none",
    recipe_sha256="0" * 64,
    seed=1,
    iterations=(0,),
    best_iterations=(0,),
    seconds=0,
    precision="float32",
    device="cpu",
    torch="2",
    program="0",
    photographs={},
    validation_photographs={},
    patients=0,
    data_sha256="0" * 64,
)


def add_cascade(
    name: str,
    *,
    seed: int = 1,
    strength: float = 0.1,
    twin: str | None = None,
    fidelity: float | None = None,
) -> ModelCard:
    """A cascade for x2 and x4 with random weights.

    Args:
        strength: standard deviation of the last layers' weights; 0 is bicubic interpolation.
    """
    torch.manual_seed(seed)
    network = cast(GeneratorCascade, build("residual-cascade", {"steps": _STEPS}))
    steps = [cast(ResidualGenerator, step) for step in network.steps]
    for step in steps:
        torch.nn.init.normal_(step.tail.weight, std=strength)
    folder = user_models_dir() / name
    folder.mkdir(parents=True)
    card = ModelCard(
        name=name,
        version="1",
        title="Untrained",
        task="superres",
        architecture="residual-cascade",
        parameters={"steps": _STEPS},
        scales=(2, 4),
        margins=tuple(step.margin for step in steps),
        weights_sha256=save_weights(network.state_dict(), folder),
        licence="CC0-1.0",
        training=NOTHING,
        created=date(2026, 1, 2),
        twin=twin,
        fidelity=fidelity,
    )
    save_card(card, folder)
    return card.model_copy(update={"directory": folder})
