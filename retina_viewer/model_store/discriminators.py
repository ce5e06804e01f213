"""The discriminators of a GAN, beside its weights: what fine-tuning lets it play against.

``discriminator.safetensors`` holds ``stepK/...`` for every step K of the cascade that was trained
against one, in float16, and in its metadata the SHA-256 of the weights that they belong to. The
file is optional: a model enlarges without it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.model_store.card import ModelCard

if TYPE_CHECKING:
    from torch import Tensor

DISCRIMINATOR_FILE = "discriminator.safetensors"
LARGEST = 20 * 10**6
"""Bytes: what a repository and a mailbox take."""
_SHA256 = "weights_sha256"

State = Mapping[str, "Tensor"]


def save_discriminators(states: Mapping[int, State], card: ModelCard) -> bool:
    """Write discriminators beside the weights of a model, in place of older ones.

    Args:
        states: by step of the cascade, from 1; each a network's state.
        card: of a model folder.

    Returns:
        Whether they were written; not where they would be larger than :data:`LARGEST`.

    Raises:
        UserError: the folder cannot be written.
    """
    from safetensors.torch import save

    tensors = {
        f"step{step}/{name}": _halved(value)
        for step, state in states.items()
        for name, value in state.items()
    }
    content = save(tensors, metadata={_SHA256: card.weights_sha256})
    if len(content) > LARGEST:
        return False
    with atomic_write(card.weights_file.with_name(DISCRIMINATOR_FILE), replace=True) as stream:
        stream.write(content)
    return True


def read_discriminators(card: ModelCard) -> dict[int, dict[str, "Tensor"]]:
    """The discriminators of a model by step, as stored; none where it has no such file.

    Raises:
        UserError: the file is damaged, holds what is no number, or belongs to other weights.
    """
    import torch
    from safetensors import SafetensorError, safe_open

    path = card.weights_file.with_name(DISCRIMINATOR_FILE)
    if not path.is_file():
        return {}
    try:
        with safe_open(path, framework="pt") as stream:
            belongs_to = (stream.metadata() or {}).get(_SHA256)
            tensors = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise _unusable(card, "cannot be read") from error
    if belongs_to != card.weights_sha256:
        raise _unusable(card, "belong to other weights")
    found: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        step, _, name = key.removeprefix("step").partition("/")
        if not (key.startswith("step") and step.isdecimal() and name):
            raise _unusable(card, "cannot be read")
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise _unusable(card, "are not all numbers")
        found.setdefault(int(step), {})[name] = value
    return found


def _halved(value: "Tensor") -> "Tensor":
    """In float16 where that holds it; counters of batch normalisation stay what they are."""
    import torch

    value = value.detach().cpu().contiguous().clone()
    half = value.half() if value.is_floating_point() else value
    return half if bool(torch.isfinite(half).all()) else value


def _unusable(card: ModelCard, why: str) -> UserError:
    return UserError(
        f"The discriminators of the model {card.name!r} {why}.",
        f"Delete {DISCRIMINATOR_FILE} from its folder: it is needed for fine-tuning alone.",
    )
