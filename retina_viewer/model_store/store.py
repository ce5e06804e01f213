"""The models of this installation: the shipped ones and the person's own."""

from __future__ import annotations

import hashlib
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

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
from retina_viewer.networks.architectures import build
from retina_viewer.networks.fitted_arrays import LinearFilters, RegressionForests
from retina_viewer.networks.generator_cascade import GeneratorCascade

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
    """The model of this name.

    Raises:
        UserError: there is none, or its card is broken.
    """
    for root in (user_models_dir(), shipped_models_dir()):
        if re.fullmatch(NAME_PATTERN, name) and (root / name).is_dir():
            return _card_in(root / name)
    known = ", ".join(card.name for card in list_models()) or "none"
    raise UserError(f"There is no model {name!r}.", f"Installed: {known}.")


def verify_model(card: ModelCard) -> None:
    """Check a model: the weights' hash, that they are numbers and fit the architecture strictly,
    and that the architecture does what the card says.

    Raises:
        UserError: anything is wrong.
    """

    network = load_network(card)
    check_finite(card, network)
    check_fits_task(card, network)


def load_network(card: ModelCard) -> nn.Module:
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


ARCHITECTURES_OF: dict[TaskName, tuple[str, ...]] = {
    "superres": ("residual-cascade", "linear-filters", "regression-forests"),
    "formation": ("formation-estimator",),
    "vessels": ("unet",),
}
LARGEST_NUMBER = 1024
LARGEST_FOREST = 1 << 17
"""In the parameters of forests, which count the nodes of their trees."""
MOST_NUMBERS = 64
"""In an architecture's parameters; the largest network of this program has 16 maps of 512."""
FIELD_DIAMETERS = range(64, 4097)
"""Working resolutions of vessel models, px across the field of view."""
_HINT = "Do not use it; get it again from where it came from."


def check_fits_task(card: ModelCard, network: nn.Module) -> None:
    """Refuse a card that promises what its network does not do.

    Raises:
        UserError: another task's architecture; scales or margins that are not the network's;
            vessels without a working resolution or threshold.
    """
    _check_architecture(card)
    if card.task == "superres":
        assert isinstance(network, GeneratorCascade | LinearFilters | RegressionForests)
        if (card.scales, card.margins) != (_scales_of(network), network.margins):
            raise UserError(
                f"The card of the model {card.name!r} names scales or margins that its network "
                "does not have.",
                _HINT,
            )
    if card.task == "vessels":
        threshold, diameter = card.threshold, card.field_diameter
        if threshold is None or not 0 < threshold < 1 or diameter not in FIELD_DIAMETERS:
            raise UserError(
                f"The card of the vessel model {card.name!r} lacks a threshold between 0 and 1 or "
                f"a working resolution of {FIELD_DIAMETERS[0]} to {FIELD_DIAMETERS[-1]} px.",
                _HINT,
            )


def _scales_of(network: GeneratorCascade | LinearFilters | RegressionForests) -> tuple[int, ...]:
    if isinstance(network, GeneratorCascade):
        return tuple(2 ** (step + 1) for step in range(len(network.margins)))
    return network.scales


def check_finite(card: ModelCard, network: nn.Module) -> None:
    """Refuse weights that are no numbers.

    Raises:
        UserError: one of them is infinite or not a number.
    """
    for name, value in network.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise UserError(
                f"The weights of {card.name!r} are not all numbers: {name} holds infinity or NaN.",
                _HINT,
            )


def weight_bytes(card: ModelCard) -> int:
    """How many bytes the weights of a card's architecture take, without making them.

    Raises:
        UserError: the architecture is not known or not that of the task, or its parameters do
            not fit it, make no network, or are beyond anything of this program.
    """
    _check_architecture(card)
    numbers = list(_numbers(card.parameters))
    largest = LARGEST_FOREST if card.architecture == "regression-forests" else LARGEST_NUMBER
    if len(numbers) > MOST_NUMBERS or any(abs(number) > largest for number in numbers):
        raise UserError(
            f"The network of the model {card.name!r} is larger than any of this program.", _HINT
        )
    try:
        with torch.device("meta"):  # shapes alone: nothing is allocated
            network = build(card.architecture, card.parameters)
    except (RuntimeError, ArithmeticError, TypeError, IndexError) as error:
        raise UserError(
            f"The network of the model {card.name!r} cannot be built.", _HINT
        ) from error
    return sum(value.numel() * value.element_size() for value in network.state_dict().values())


def _check_architecture(card: ModelCard) -> None:
    wanted = ARCHITECTURES_OF[card.task]
    if card.architecture not in wanted:
        raise UserError(
            f"The model {card.name!r} is for {card.task!r}, but of the architecture "
            f"{card.architecture!r} and not {' or '.join(map(repr, wanted))}.",
            _HINT,
        )


def _numbers(value: Any) -> list[float]:
    """All numbers in parameters, however deep."""
    if isinstance(value, dict):
        return [number for item in value.values() for number in _numbers(item)]
    if isinstance(value, list | tuple):
        return [number for item in value for number in _numbers(item)]
    return [float(value)] if isinstance(value, int | float) else []
