"""What every recipe says, and how its file is read and checked."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import read_small
from retina_viewer.training.ranges import RecipePart

_Recipe = TypeVar("_Recipe")


class TrainingRecipe(RecipePart):
    """What every recipe says."""

    name: str
    version: str = "1"
    title: str
    seed: int
    threads: int | None = None
    datasets: tuple[str, ...]


def read_content(path: Path) -> dict[str, Any]:
    """What stands in a recipe's file, not yet checked.

    Raises:
        UserError: unreadable, or not TOML.
    """
    try:
        return tomllib.loads(read_small(path).decode())
    except OSError as error:
        raise UserError(f"The recipe {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:  # what is nested too deeply is no recipe either
        raise UserError(f"The recipe {path.name} is not valid TOML: {error}.") from error


def checked(recipes: TypeAdapter[_Recipe], content: dict[str, Any], path: Path) -> _Recipe:
    """The recipe that ``content``, read from ``path``, is of.

    Raises:
        UserError: a field does not fit; it is named in the message.
    """
    try:
        return recipes.validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(f"The recipe {path.name} is wrong at {where!r}: {first['msg']}.") from error
