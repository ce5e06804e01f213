"""The files that may lie beside a model's card and weights, and travel with it.

A model works without each of them; one that is there must be whole and about these weights.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.model_store.card import ModelCard

if TYPE_CHECKING:
    from torch import Tensor


DISCRIMINATOR_FILE = "discriminator.safetensors"
HISTORY_FILE = "history.json"
"""The losses and validations of its training."""
CALIBRATION_FILE = "consistency.json"
"""Written and read by :mod:`retina_viewer.superres.uncertainty_calibration`."""
LARGEST = 20 * 10**6
"""Bytes: what a repository and a mailbox take."""
_SHA256 = "weights_sha256"

State = Mapping[str, "Tensor"]


def save_discriminators(states: Mapping[int, State], card: ModelCard) -> bool:
    """Write what fine-tuning lets a GAN play against beside its weights, in place of older ones.

    The file holds ``stepK/...`` for every step K, from 1, that was trained against a discriminator,
    in float16, and in its metadata the SHA-256 of the weights that they belong to. Returns whether
    they were written: not where they would be larger than :data:`LARGEST`. Raises UserError: the
    folder cannot be written.
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


def read_discriminators(card: ModelCard) -> dict[int, dict[str, Tensor]]:
    """The discriminators of a model by step, as stored; none where it has no such file. Raises
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


def _halved(value: Tensor) -> Tensor:
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


LARGEST_EXTRAS = {
    HISTORY_FILE: 16 * 2**20,
    CALIBRATION_FILE: 8 * 2**20,
    DISCRIMINATOR_FILE: LARGEST,
}
"""Bytes, by name: all the files there are of this kind."""


def check_extras(card: ModelCard) -> None:
    """Raise a UserError where a file beside a model is damaged, or about another model."""
    for path in extras_in(card):
        _CHECKS[path.name](path, card)


def sound_extras(card: ModelCard) -> list[Path]:
    """Those of a model's extras that are whole and its own."""
    found = []
    for path in extras_in(card):
        with suppress(UserError):
            _CHECKS[path.name](path, card)
            found.append(path)
    return found


def extras_in(card: ModelCard) -> list[Path]:
    """The extras that a model has, sound or not."""
    paths = [card.weights_file.with_name(name) for name in LARGEST_EXTRAS]
    return [path for path in paths if path.is_file()]


def _check_calibration(path: Path, card: ModelCard) -> None:
    content = _json_of(path, card)
    if not isinstance(content, dict) or not isinstance(content.get("scales"), dict):
        raise _refused(path, card, "is not valid")
    if content.get("weights_sha256") != card.weights_sha256:
        raise _refused(path, card, "is about other weights")


def _check_discriminators(path: Path, card: ModelCard) -> None:
    if path.stat().st_size > LARGEST:
        raise _refused(path, card, "is larger than any")
    read_discriminators(card)


def _json_of(path: Path, card: ModelCard) -> Any:
    try:
        return json.loads(path.read_bytes(), parse_float=_finite, parse_constant=_no_number)
    except (OSError, ValueError, RecursionError) as error:
        raise _refused(path, card, "is not valid") from error


def _finite(text: str) -> float:
    """``1e999`` is a number to JSON, and infinity to a computer."""
    value = float(text)
    return value if abs(value) != float("inf") else _no_number(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


_CHECKS: dict[str, Callable[[Path, ModelCard], object]] = {
    HISTORY_FILE: _json_of,
    CALIBRATION_FILE: _check_calibration,
    DISCRIMINATOR_FILE: _check_discriminators,
}


def _refused(path: Path, card: ModelCard, why: str) -> UserError:
    return UserError(
        f"The file {path.name!r} of the model {card.name!r} {why}.",
        "Get the model again from where it came from.",
    )
