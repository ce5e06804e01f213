"""The models of this installation: the shipped ones and the person's own."""

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write, sha256_of
from retina_viewer.core.paths import shipped_models_dir, user_models_dir
from retina_viewer.model_store.card import (
    CARD_FILE,
    NAME_PATTERN,
    WEIGHTS_FILE,
    ModelCard,
    TaskName,
    read_card,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

# torch takes seconds to load; what only reads cards does without it, so it is imported where used.

DEFAULT_MODELS: dict[TaskName, str] = {
    "superres": "pixel",
    "formation": "formation",
    "vessels": "vessels-unet",
}
"""What is used where nothing is chosen. With a saliency GAN under "superres", its pixel-trained
twin is the default of the method ``pixel``; ``superres.methods.DEFAULT_METHOD`` goes with it."""


def list_models(task: TaskName | None = None) -> list[ModelCard]:
    """The valid models, the person's own first; folders without a valid card are left out."""
    cards: list[ModelCard] = []
    for root in (user_models_dir(), shipped_models_dir()):
        for path in sorted(root.glob(f"*/{CARD_FILE}")) if root.is_dir() else []:
            try:
                card = read_card(path.parent)
            except UserError:
                continue  # `retina-viewer models verify NAME` tells what is wrong with it
            if task in (None, card.task):
                cards.append(card)
    return cards


def find_model(name: str) -> ModelCard:
    """The model of this name.

    Raises:
        UserError: there is none, or its card is broken.
    """
    for root in (user_models_dir(), shipped_models_dir()):
        if re.match(NAME_PATTERN, name) and (root / name).is_dir():
            return read_card(root / name)
    known = ", ".join(card.name for card in list_models()) or "none"
    raise UserError(f"There is no model {name!r}.", f"Installed: {known}.")


def verify_model(card: ModelCard) -> None:
    """Check the weights' hash, and that they fit the architecture strictly.

    Raises:
        UserError: they do not.
    """
    load_network(card)


def load_network(card: ModelCard) -> "nn.Module":
    """The network of a card with its weights, on the CPU, in evaluation mode, gradients off.

    Raises:
        UserError: weights missing, of a wrong hash, or not those of the architecture.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from retina_viewer.networks.architectures import build

    hint = "Install the model again; do not use its results."
    try:
        content = card.weights_file.read_bytes()
    except OSError as error:
        raise UserError(f"The weights of {card.name!r} cannot be read.", hint) from error
    if hashlib.sha256(content).hexdigest() != card.weights_sha256:
        raise UserError(f"The weights of {card.name!r} are not those its card names.", hint)
    network = build(card.architecture, card.parameters)
    try:
        network.load_state_dict(load(content), strict=True)
    except (SafetensorError, RuntimeError) as error:
        raise UserError(
            f"The weights of {card.name!r} do not fit its architecture.", hint
        ) from error
    return network.eval().requires_grad_(False)


def save_weights(state: "dict[str, Tensor]", directory: Path) -> str:
    """Write the weights of a model into its folder; returns their SHA-256."""
    from safetensors.torch import save

    flat = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    path = directory / WEIGHTS_FILE
    with atomic_write(path, replace=True) as stream:
        stream.write(save(flat))
    return sha256_of(path)


def save_card(card: ModelCard, directory: Path) -> None:
    """Write a card into its model's folder, after its weights."""
    with atomic_write(directory / CARD_FILE, replace=True) as stream:
        stream.write(card.model_dump_json(indent=2).encode() + b"\n")
