"""Networks of a few weights, installed as a person's own: fidelity without waiting."""

from __future__ import annotations

from datetime import date

import torch

from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store.card import ModelCard, TrainingSummary
from retina_viewer.model_store.store import find_model, save_card, save_weights
from retina_viewer.networks.generator_cascade import GeneratorCascade, StepParameters
from retina_viewer.superres.uncertainty_calibration import read_calibration, save_calibration

STEPS = [StepParameters(maps=4, blocks=1), StepParameters(maps=4, blocks=1, unshuffle=2)]
GAN, DEFAULT = "tiny-gan-fast", 0.6


def install_pair(suffix: str = "fast", *, brighter: float = 1.0) -> tuple[str, str]:
    """A tiny GAN and its pixel-trained twin at x2 and x4; returns their names.

    The GAN's results are visibly brighter than its twin's, so that a mixture shows. What was
    installed under these names is replaced.
    """
    gan, twin = f"tiny-gan-{suffix}", f"tiny-pixel-{suffix}"
    _install(twin, brighter=0.0)
    _install(gan, brighter=brighter, twin=twin)
    return gan, twin


def _install(name: str, brighter: float, twin: str | None = None) -> None:
    torch.manual_seed(3)
    network = GeneratorCascade(STEPS)
    for step in network.steps:
        torch.nn.init.constant_(step.tail.bias, brighter)  # type: ignore[arg-type, union-attr]
    directory = user_models_dir() / name
    directory.mkdir(parents=True, exist_ok=True)
    card = ModelCard(
        name=name,
        version="1",
        title=name.replace("-", " ").capitalize(),
        task="superres",
        architecture="residual-cascade",
        parameters={"steps": [step.model_dump() for step in STEPS]},
        scales=(2, 4),
        margins=tuple(step.margin for step in network.steps),  # type: ignore[misc]
        weights_sha256=save_weights(network.state_dict(), directory),
        licence="CC0-1.0",
        training=TrainingSummary(
            recipe="none", recipe_sha256="", seed=3, iterations=(), best_iterations=(),
            seconds=0.0, precision="float32", device="CPU", torch="", program="",
            photographs={}, validation_photographs={}, patients=0, data_sha256="",
        ),
        twin=twin,
        fidelity=None if twin is None else DEFAULT,
        created=date(2026, 1, 1),
    )  # fmt: skip
    save_card(card, directory)


def calibrate(name: str) -> None:
    """Let an installed model show where its detail is a guess, by another model's figures."""
    card, shipped = find_model(name), read_calibration(find_model("saliency-gan-fast"))
    own = {"model": name, "weights_sha256": card.weights_sha256}
    save_calibration(shipped.model_copy(update=own), card)
