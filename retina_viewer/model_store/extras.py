"""The files that may lie beside a model's card and weights, and travel with it.

A model works without each of them; one that is there must be whole and about these weights.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.discriminators import (
    DISCRIMINATOR_FILE,
    LARGEST,
    read_discriminators,
)

HISTORY_FILE = "history.json"
"""The losses and validations of its training."""
CALIBRATION_FILE = "consistency.json"
"""Written and read by :mod:`retina_viewer.superres.consistency_calibration`."""
_MEBI = 2**20
LARGEST_EXTRAS = {
    HISTORY_FILE: 16 * _MEBI,
    CALIBRATION_FILE: 8 * _MEBI,
    DISCRIMINATOR_FILE: LARGEST,
}
"""Bytes, by name: all the files there are of this kind."""


def check_extras(card: ModelCard) -> None:
    """Refuse what lies beside a model and is damaged, or about another one.

    Raises:
        UserError: names the file.
    """
    for path in extras_in(card):
        _CHECKS[path.name](path, card)


def sound_extras(card: ModelCard) -> list[Path]:
    """Those of a model's extras that are whole and its own."""
    found = []
    for path in extras_in(card):
        try:
            _CHECKS[path.name](path, card)
        except UserError:
            continue
        found.append(path)
    return found


def extras_in(card: ModelCard) -> list[Path]:
    """The extras that a model has, sound or not."""
    paths = [card.weights_file.with_name(name) for name in LARGEST_EXTRAS]
    return [path for path in paths if path.is_file()]


def _check_history(path: Path, card: ModelCard) -> None:
    _json_of(path, card)


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


_CHECKS: dict[str, Callable[[Path, ModelCard], None]] = {
    HISTORY_FILE: _check_history,
    CALIBRATION_FILE: _check_calibration,
    DISCRIMINATOR_FILE: _check_discriminators,
}


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


def _refused(path: Path, card: ModelCard, why: str) -> UserError:
    return UserError(
        f"The file {path.name!r} of the model {card.name!r} {why}.",
        "Get the model again from where it came from.",
    )
