"""Tiny models, and folders such as trainings leave behind, for the tests of the store."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import torch

from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store.card import (
    ComparedFigure,
    Conclusion,
    ModelCard,
    TrainingSummary,
    Verdict,
    read_card,
)
from retina_viewer.model_store.store import save_card, save_weights
from retina_viewer.networks.architectures import build
from retina_viewer.networks.generator_cascade import GeneratorCascade

STEPS = [{"maps": 4, "blocks": 1}, {"maps": 4, "blocks": 1, "unshuffle": 2}]
HISTORY = [[{"step": 50, "generator/rgb": 0.2}, {"step": 50, "psnr_gaussian": 31.0, "score": 31.0}]]


def make_cascade(folder: Path, *, seed: int = 1, **changes: Any) -> ModelCard:
    """A cascade for x2 and x4 in a folder that is made; its name is the folder's."""
    torch.manual_seed(seed)
    network = build("residual-cascade", {"steps": STEPS})
    assert isinstance(network, GeneratorCascade)
    fields: dict[str, Any] = {
        "scales": (2, 4),
        "margins": network.margins,
        "task": "superres",
        "architecture": "residual-cascade",
        "parameters": {"steps": STEPS},
    }
    return _save(folder, network, seed, {**fields, **changes})


def make_unet(folder: Path, *, seed: int = 1, **changes: Any) -> ModelCard:
    """A vessel model in a folder that is made; its name is the folder's."""
    torch.manual_seed(seed)
    parameters = {"widths": [4, 8]}
    fields: dict[str, Any] = {
        "task": "vessels",
        "architecture": "unet",
        "parameters": parameters,
        "field_diameter": 64,
        "threshold": 0.5,
    }
    return _save(folder, build("unet", parameters), seed, {**fields, **changes})


def own(name: str, **changes: Any) -> ModelCard:
    """A cascade among the person's own models."""
    return make_cascade(user_models_dir() / name, **changes)


def own_pair(gan: str = "gan", twin: str = "twin") -> tuple[ModelCard, ModelCard]:
    """A saliency GAN and its pixel-trained twin among the person's own models."""
    made = own(twin, seed=2)
    return own(gan, seed=3, twin=twin, fidelity=0.25), made


def verdict_about(card: ModelCard, conclusion: Conclusion = "better") -> Verdict:
    """What the gate may have said of a model that was tuned from ``pixel``."""
    lead = ComparedFigure(
        metric="psnr", title="closeness (PSNR)", unit="dB", base=31.0, tuned=31.5, gain=0.5,
        counts_from=0.1, p=0.016, effect=1.0, improved=7, worsened=0, leads=True,
    )  # fmt: skip
    return Verdict(
        conclusion=conclusion, sentences=(f"The tuned model: {conclusion}.",), base="pixel",
        base_sha256="b" * 64, tuned_sha256=card.weights_sha256, patients=7, photographs=9,
        comparisons=(lead,), program="0",
    )  # fmt: skip


def make_run(
    folder: Path, *, conclusion: Conclusion | None = "better", gan: bool = False, seed: int = 5
) -> Path:
    """What a finished training leaves behind: model, perhaps twin, history and verdict."""
    folder.mkdir(parents=True)
    changes: dict[str, Any] = {"parent": "pixel 1"}
    if gan:
        make_cascade(folder / "twin", seed=seed + 1, name="tuned-pixel", parent="pixel 1")
        changes = {"parent": "gan 1", "twin": "tuned-pixel", "fidelity": 0.3}
    card = make_cascade(folder / "model", seed=seed, name="tuned", **changes)
    (folder / "history.json").write_text(json.dumps(HISTORY), encoding="utf-8")
    if conclusion is not None:
        text = verdict_about(card, conclusion).model_dump_json()
        (folder / "verdict.json").write_text(text, encoding="utf-8")
    return folder


def _save(folder: Path, network: torch.nn.Module, seed: int, fields: dict[str, Any]) -> ModelCard:
    folder.mkdir(parents=True)
    own_fields: dict[str, Any] = {
        "name": folder.name,
        "version": "1",
        "title": f"Model {folder.name}",
        "weights_sha256": save_weights(network.state_dict(), folder),
        "licence": "CC0-1.0",
        "training": TrainingSummary(
            recipe="none", recipe_sha256="0" * 64, seed=seed, iterations=(1,),
            best_iterations=(1,), seconds=1.0, precision="float32", device="cpu", torch="2",
            program="0", photographs={"own": 12}, validation_photographs={"own": 3}, patients=6,
            data_sha256="0" * 64,
        ),
        "created": date(2026, 1, 2),
    }  # fmt: skip
    save_card(ModelCard(**{**own_fields, **fields}), folder)
    return read_card(folder)
