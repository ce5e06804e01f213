"""The models of this installation: the shipped ones and the person's own."""

from __future__ import annotations

import hashlib
import logging
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


logger = logging.getLogger(__name__)

# torch takes seconds to load; what only reads cards does without it, so it is imported where used.

DEFAULT_MODELS: dict[TaskName, str] = {
    "superres": "saliency-gan-fast",
    "formation": "formation",
    "vessels": "vessels-unet",
}
"""What is shipped as the default of each task. What is in use, the person's choice included, says
:func:`retina_viewer.model_store.defaults.default_model`, and nothing else."""


def list_models(task: TaskName | None = None) -> list[ModelCard]:
    """The valid models, the person's own first; folders without a valid card are left out.

    A folder of one's own hides a shipped one of the same name.
    """
    cards: dict[str, ModelCard] = {}
    for root in (user_models_dir(), shipped_models_dir()):
        for folder in folders_in(root):
            try:
                card = _card_in(folder)
            except UserError:
                continue  # `retina-viewer models verify NAME` tells what is wrong with it
            if task in (None, card.task):
                cards.setdefault(card.name, card)
    return list(cards.values())


def installed_names() -> list[str]:
    """The names of all models, also of those whose card is broken."""
    roots = (user_models_dir(), shipped_models_dir())
    return list(dict.fromkeys(folder.name for root in roots for folder in folders_in(root)))


def folders_in(root: Path) -> list[Path]:
    """The folders that may be models, by name; none where there is no such place."""
    # A folder that is being filled or removed begins with a dot and is not one yet, or any more.
    try:
        paths = [path for path in root.iterdir() if re.fullmatch(NAME_PATTERN, path.name)]
        return sorted(path for path in paths if (path / CARD_FILE).is_file())
    except FileNotFoundError:
        return []
    except OSError as error:  # one's own models may not be read; the shipped ones go on
        logger.warning("A folder of models cannot be read (%s).", error.strerror)
        return []


def is_own(card: ModelCard) -> bool:
    """Whether a model is the person's, and not one that comes with the program."""
    return card.directory is not None and card.directory.parent == user_models_dir()


def _card_in(folder: Path) -> ModelCard:
    card = read_card(folder)
    if card.name != folder.name:
        raise UserError(
            f"The folder {folder.name!r} holds the model {card.name!r}.",
            "Rename the folder back, or import the model from its file.",
        )
    return card


def find_model(name: str) -> ModelCard:
    """The model of this name. Raises UserError: there is none, or its card is broken."""
    for root in (user_models_dir(), shipped_models_dir()):
        if re.fullmatch(NAME_PATTERN, name) and (root / name).is_dir():
            return _card_in(root / name)
    known = ", ".join(card.name for card in list_models()) or "none"
    raise UserError(f"There is no model {name!r}.", f"Installed: {known}.")


def verify_model(card: ModelCard) -> None:
    """Check a model: the weights' hash, that they are numbers and fit the architecture strictly,
    and that the architecture does what the card says. Raises UserError: anything is wrong.
    """
    from retina_viewer.model_store.soundness import check_finite, check_fits_task

    network = load_network(card)
    check_finite(card, network)
    check_fits_task(card, network)


def load_network(card: ModelCard) -> nn.Module:
    """The network of a card with its weights, on the CPU, in evaluation mode, gradients off. Raises
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


def save_weights(state: dict[str, Tensor], directory: Path) -> str:
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
