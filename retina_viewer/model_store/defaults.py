"""Which model is used where none is named: one a task, chosen by the person, rolled back in a step.

Every choice is written down. The last one that was not undone and whose model is still there
counts; without any, the shipped model of :data:`~retina_viewer.model_store.store.DEFAULT_MODELS`.
"""

import logging
from datetime import UTC, datetime

from pydantic import BaseModel, ValidationError

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.paths import model_defaults_file
from retina_viewer.model_store.card import ModelCard, TaskName
from retina_viewer.model_store.store import DEFAULT_MODELS, find_model, verify_model

logger = logging.getLogger(__name__)


class DefaultChoice(BaseModel, frozen=True, extra="forbid"):
    """One model, with these weights, made the default of its task at a time in UTC."""

    task: TaskName
    model: str
    sha256: str
    at: datetime
    undone: bool = False


class _Choices(BaseModel, frozen=True, extra="forbid"):
    choices: tuple[DefaultChoice, ...] = ()


def default_model(task: TaskName) -> str:
    """The name of the model that is used for a task where none is named."""
    for choice in reversed(default_history(task)):
        if not choice.undone and _is_there(choice):
            return choice.model
    return DEFAULT_MODELS[task]


def default_history(task: TaskName) -> list[DefaultChoice]:
    """All choices for a task, the oldest first."""
    return [choice for choice in _read().choices if choice.task == task]


def default_before(task: TaskName) -> str | None:
    """What :func:`roll_back` would make the default; None where there is nothing to roll back."""
    there = [one.model for one in default_history(task) if not one.undone and _is_there(one)]
    return (there[-2] if len(there) > 1 else DEFAULT_MODELS[task]) if there else None


def set_default(name: str) -> ModelCard:
    """Make a model the default of its task. Raises UserError: there is no such model, it or its
    twin is damaged, or the choice cannot be written.
    """
    card = find_model(name)
    verify_model(card)
    if card.twin is not None:
        verify_model(find_model(card.twin))
    if default_model(card.task) != card.name:
        choice = DefaultChoice(
            task=card.task, model=card.name, sha256=card.weights_sha256, at=datetime.now(UTC)
        )
        _write((*_read().choices, choice))
    return card


def roll_back(task: TaskName) -> str:
    """Undo the choice that counts for a task; the one before it counts again. Returns the default's
    name from now on. Raises UserError: there is no choice to undo, or it cannot be written.
    """
    choices = list(_read().choices)
    for place in reversed(range(len(choices))):
        choice = choices[place]
        if choice.task == task and not choice.undone:
            choices[place] = choice.model_copy(update={"undone": True})
            if _is_there(choice):  # one whose model is gone did not count, so it is passed over
                _write(tuple(choices))
                return default_model(task)
    raise UserError(
        f"There is no earlier default for the task {task!r}.",
        f"{DEFAULT_MODELS[task]!r}, which comes with the program, is in use.",
    )


def _is_there(choice: DefaultChoice) -> bool:
    try:
        card = find_model(choice.model)
    except UserError:
        return False
    # Another model under this name, put there by hand, is not what the person chose.
    return (card.task, card.weights_sha256) == (choice.task, choice.sha256)


def _read() -> _Choices:
    path = model_defaults_file()
    try:
        return _Choices.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        pass
    except (OSError, ValidationError) as error:
        # The program must start: with its own models it is as it was delivered.
        logger.warning("the choice of default models cannot be read: %s", type(error).__name__)
    return _Choices()


def _write(choices: tuple[DefaultChoice, ...]) -> None:
    path = model_defaults_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {path.parent} cannot be made: {error.strerror}.") from error
    with atomic_write(path, replace=True) as stream:
        stream.write(_Choices(choices=choices).model_dump_json(indent=2).encode() + b"\n")
