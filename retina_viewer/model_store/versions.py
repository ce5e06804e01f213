"""Names and versions: a version never changes, and its name never stands for another one.

The first version of a model is called as the model is, ``clinic``; the next ones ``clinic-v2``,
``clinic-v3``. So a name alone, in a picture's provenance or on the command line, says exactly which
weights are meant, and nothing has to be looked up to know it.
"""

import re
from collections.abc import Iterable

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import NAME_PATTERN

LONGEST = 48
"""Characters of a model's name: ``-pixel-v12345`` still fits behind it."""
PIXEL_TWIN = "-pixel"
_VERSION = re.compile(r"(?P<family>.+)-v(?P<number>[1-9][0-9]{0,5})")


def split_version(name: str) -> tuple[str, int]:
    """``clinic-v3`` is ``("clinic", 3)``; ``clinic`` is ``("clinic", 1)``."""
    found = _VERSION.fullmatch(name)
    if found is None:
        return name, 1
    return found["family"], int(found["number"])


def versioned(family: str, number: int) -> str:
    """The name of a version: the inverse of :func:`split_version`."""
    return family if number == 1 else f"{family}-v{number}"


def next_version(families: Iterable[str], taken: Iterable[str]) -> int:
    """The number above every version there is of any of the families: 1 where there is none.

    Args:
        families: of models that get one number together, such as a saliency GAN and its twin.
        taken: all names that are in use.
    """
    wanted = set(families)
    found = (split_version(name) for name in taken)
    return 1 + max((number for family, number in found if family in wanted), default=0)


def check_family(name: str) -> str:
    """The family that a person's name for a model means; a version in it is left out.

    Raises:
        UserError: it is no name for a model.
    """
    family, _ = split_version(name)
    if not re.fullmatch(NAME_PATTERN, family) or len(family) > LONGEST:
        raise UserError(
            f"{name!r} is no name for a model.",
            f"Use up to {LONGEST} small letters a-z, figures, '.', '-' and '_', "
            "beginning with a letter or figure.",
        )
    return family


def name_from_title(title: str) -> str:
    """A name made of a title: ``Clinic A, 2026`` is ``clinic-a-2026``; ``model`` of nothing."""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return split_version(words[:LONGEST].strip("-") or "model")[0]
