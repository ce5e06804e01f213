"""Tiny networks of random weights among the person's own models."""

from datetime import date
from typing import Any

import torch

from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.store import save_card, save_weights
from retina_viewer.networks.architectures import build
from retina_viewer.networks.generator_cascade import GeneratorCascade
from tests.untrained import NOTHING

STEP: dict[str, Any] = {"maps": 6, "blocks": 1, "conditioned": True}
STEPS: dict[str, Any] = {"steps": [STEP, {**STEP, "unshuffle": 2}]}


def add_cascade(name: str, seed: int, parameters: dict[str, Any] = STEPS, **card: Any) -> ModelCard:
    """A cascade of x2 and x4; its tails are random too, so that it is no interpolation."""
    torch.manual_seed(seed)
    network = build("residual-cascade", parameters)
    assert isinstance(network, GeneratorCascade)
    weights = network.state_dict()
    for key, value in weights.items():
        if ".tail." in key or ".gains." in key:
            weights[key] = torch.randn_like(value) * 0.1
    folder = user_models_dir() / name
    folder.mkdir(parents=True)
    fields: dict[str, Any] = {
        "name": name,
        "version": "1",
        "title": "Random",
        "task": "superres",
        "architecture": "residual-cascade",
        "parameters": parameters,
        "scales": (2, 4),
        "margins": network.margins,
        "weights_sha256": save_weights(weights, folder),
        "licence": "CC0-1.0",
        "training": NOTHING,
        "created": date(2026, 1, 2),
    }
    made = ModelCard(**{**fields, **card})
    save_card(made, folder)
    return made


def add_gan_and_twin() -> None:
    """``gan`` of default fidelity 0.25, and ``twin``."""
    add_cascade("twin", 1)
    add_cascade("gan", 2, twin="twin", fidelity=0.25)
