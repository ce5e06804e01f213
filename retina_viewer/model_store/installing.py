"""How a model gets among the person's own: prepared beside them, checked, then named in one step.

Nothing is ever overwritten. A process that is killed leaves a folder behind whose name begins with
a dot; no list shows it, and the next installation removes it.

The first version of a model is called as the model is, ``clinic``; the next ones ``clinic-v2``,
``clinic-v3``. So a name alone, in a picture's provenance or on the command line, says exactly which
weights are meant.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.paths import shipped_models_dir, user_models_dir
from retina_viewer.model_store.card import NAME_PATTERN, WEIGHTS_FILE, ModelCard, read_card
from retina_viewer.model_store.extras import LARGEST_EXTRAS, check_extras
from retina_viewer.model_store.store import save_card, verify_model

LONGEST = 48
"""Characters of a model's name: ``-pixel-v12345`` still fits behind it."""
PIXEL_TWIN = "-pixel"
_VERSION = re.compile(r"(?P<family>.+)-v(?P<number>[1-9][0-9]{0,5})")


def split_version(name: str) -> tuple[str, int]:
    """``clinic-v3`` is ``("clinic", 3)``; ``clinic`` is ``("clinic", 1)``."""
    found = _VERSION.fullmatch(name)
    return (found["family"], int(found["number"])) if found else (name, 1)


def versioned(family: str, number: int) -> str:
    """The name of a version: the inverse of :func:`split_version`."""
    return family if number == 1 else f"{family}-v{number}"


def next_version(families: Iterable[str], taken: Iterable[str]) -> int:
    """The number above every version among the names ``taken``: 1 where there is none.

    Several families get one number together, such as a saliency GAN and its twin.
    """
    wanted, found = set(families), map(split_version, taken)
    return 1 + max((number for family, number in found if family in wanted), default=0)


def check_family(name: str) -> str:
    """The family that a person's name for a model means, a version in it left out, or UserError."""
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


NOTE_FILE = "note.txt"
_TEMPORARY = ".part-"
_STALE = 24 * 3600.0
"""Seconds after which a folder that was left behind is certainly nobody's work any more."""
_ATTEMPTS = 20


@contextmanager
def staging() -> Iterator[Path]:
    """A new folder beside the person's models, removed in the end. Raises UserError: it cannot be
    made, or what happens inside fails for the disk's sake.
    """
    root = user_models_dir()
    folder = root / f"{_TEMPORARY}{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True)
        _remove_stale(root)
        yield folder
    except OSError as error:
        raise UserError(
            f"The model could not be written to {root}: {error.strerror or error}.",
            "Free some space, or check who may write there.",
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def install(folder: Path, family: str, twin: Path | None = None) -> ModelCard:
    """Give a model prepared in a :func:`staging` folder, and its twin with it, names of their own:
    the first version of the family that is free. Raises UserError: a model, or what lies beside it,
    is damaged or not what its card says.

    Args:
        twin: the folder of its pixel-trained twin, prepared likewise; None where it has none or
            its card names one that is installed.
    """
    for one in [folder] if twin is None else [twin, folder]:
        card = read_card(one)
        verify_model(card)
        check_extras(card)
    families = [family] if twin is None else [family, family + PIXEL_TWIN]
    for _ in range(_ATTEMPTS):
        number = next_version(families, taken_names())
        twin_name = None
        if twin is not None:
            twin_name = versioned(family + PIXEL_TWIN, number)
            _rename_card(twin, twin_name, number, None)
        name = versioned(family, number)
        card = _rename_card(folder, name, number, twin_name)
        if _take_names([(twin, twin_name), (folder, name)]):
            return card.model_copy(update={"directory": user_models_dir() / name})
    raise UserError("The model could not be named.", "Close other windows of the program.")


def taken_names() -> list[str]:
    """The names of everything among the models, broken ones too."""
    roots = [root for root in (user_models_dir(), shipped_models_dir()) if root.is_dir()]
    return [path.name for root in roots for path in root.iterdir()]


def copy_file(source: Path, target: Path) -> None:
    """Copy, and be sure that it is on the disk."""
    with source.open("rb") as read, atomic_write(target) as written:
        shutil.copyfileobj(read, written)


def copy_model(source: Path, target: Path, card: ModelCard) -> None:
    """The weights of a model folder and what travels with them, with another card."""
    target.mkdir()
    copy_file(source / WEIGHTS_FILE, target / WEIGHTS_FILE)
    for name in LARGEST_EXTRAS:
        if (source / name).is_file():
            copy_file(source / name, target / name)
    save_card(card, target)


def _rename_card(folder: Path, name: str, number: int, twin: str | None) -> ModelCard:
    """The card as it will be read: nothing takes its final name that could not be."""
    card = read_card(folder)
    changes = {"name": name, "version": str(number), "twin": twin or card.twin}
    save_card(card.model_copy(update=changes), folder)
    return read_card(folder)


def _take_names(wanted: list[tuple[Path | None, str | None]]) -> bool:
    """Move all folders to their names, or none: False where another process was faster."""
    moved: list[tuple[Path, Path]] = []
    for folder, name in wanted:
        if folder is None or name is None:
            continue
        target = user_models_dir() / name
        try:
            if target.exists():  # an empty folder would be replaced without a word
                raise FileExistsError(target)
            folder.rename(target)
        except OSError:
            for source, done in moved:
                done.rename(source)
            if target.exists():
                return False
            raise
        moved.append((folder, target))
    return True


def _remove_stale(root: Path) -> None:
    for path in root.glob(f"{_TEMPORARY}*"):
        try:
            old = time.time() - path.stat().st_mtime > _STALE
        except OSError:
            continue  # its owner has just removed it
        if old:
            shutil.rmtree(path, ignore_errors=True)
