"""A clinic's folder small enough to train on in seconds, and plans for it."""

import shutil
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retina_viewer.core.files import sha256_of
from retina_viewer.core.paths import user_models_dir
from retina_viewer.finetuning.plan import Expert, PlannedPhotograph, Subset, TrainingPlan
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.store import save_card, save_weights
from retina_viewer.networks.architectures import build
from retina_viewer.networks.generator_cascade import GeneratorCascade
from tests.conftest import SAMPLES
from tests.untrained import NOTHING

SUBSETS: tuple[Subset, ...] = ("train", "train", "validation", "held_out")


def shrunk(name: str, side: int, mode: str = "RGB") -> NDArray[np.uint8]:
    """A bundled picture, its longer side ``side`` pixels."""
    with Image.open(SAMPLES / name) as picture:
        pixels = np.asarray(picture.convert(mode))
    factor = side / max(pixels.shape[:2])
    small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


@cache
def _clinic_files() -> dict[str, bytes]:
    """Of :func:`clinic`, by name."""
    photograph = shrunk("chase_14L.jpg", 330)
    mask = np.where(shrunk("chase_14L_vessels.png", 330, "L") > 90, 255, 0).astype(np.uint8)
    files = {}
    for number in range(4):
        for name, pixels in (("ä", photograph), ("ä_mask", mask)):
            stream = BytesIO()
            Image.fromarray(np.ascontiguousarray(np.rot90(pixels, number))).save(stream, "PNG")
            files[f"patient{number}_{name}.png"] = stream.getvalue()
    return files


def clinic(folder: Path) -> list[Path]:
    """Four photographs of four patients, with masks of their vessels: one picture, four ways."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _clinic_files().items():
        (folder / name).write_bytes(content)
    return [folder / name for name in _clinic_files() if "mask" not in name]


def clinic_plan(folder: Path, **changes: Any) -> TrainingPlan:
    """A plan of seconds for the photographs of :func:`clinic`."""
    vessels = changes.get("task") == "vessels"
    photographs = tuple(
        PlannedPhotograph(
            path=path,
            sha256=sha256_of(path),
            group=f"group{number}",
            subset=SUBSETS[number],
            mask=path.with_name(f"{path.stem}_mask.png") if vessels else None,
        )
        for number, path in enumerate(clinic(folder))
    )
    expert = Expert(
        iterations=6, batch=2, patch=64 if vessels else 16, validate_every=3,
        validation_patches=2, precision="float32",
    )  # fmt: skip
    fields: dict[str, Any] = {
        "name": "ours",
        "task": "superres",
        "base": "tiny",
        "steps": (1,),
        "photographs": photographs,
        "expert": expert,
        "device": "cpu",
    }
    return TrainingPlan(**(fields | changes))


def tiny_cascade(name: str = "tiny", *, twin: str | None = None, seed: int = 0) -> ModelCard:
    """Install an untrained cascade of two small steps among the person's models."""
    import torch

    torch.manual_seed(seed)
    step = {"maps": 8, "blocks": 1, "conditioned": True}
    parameters = {"steps": [step, step]}
    network = build("residual-cascade", parameters)
    assert isinstance(network, GeneratorCascade)
    card = ModelCard(
        name=name,
        version="1",
        title=name.capitalize(),
        task="superres",
        architecture="residual-cascade",
        parameters=parameters,
        scales=(2, 4),
        margins=network.margins,
        weights_sha256="0" * 64,
        licence="CC0",
        training=NOTHING,
        twin=twin,
        fidelity=None if twin is None else 0.5,
        created="2026-01-01",  # type: ignore[arg-type]
    )
    folder = user_models_dir() / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sha256 = save_weights(network.state_dict(), folder)
    card = card.model_copy(update={"weights_sha256": sha256, "directory": folder})
    save_card(card, folder)
    return card
