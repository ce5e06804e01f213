"""What a person does with models of their own: title, note, deletion. Shipped models stay."""

import secrets
import shutil
from contextlib import suppress

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store.card import ModelCard, read_card
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.installing import NOTE_FILE
from retina_viewer.model_store.store import find_model, is_own, list_models, save_card

LONGEST_TITLE = 80
LONGEST_NOTE = 10_000


def rename(name: str, title: str) -> ModelCard:
    """Give a model another title. Its name stays: pictures that it made refer to it.

    Raises:
        UserError: it is shipped, or the title is none.
    """
    card = _own(name, "renamed")
    check_title(title)
    assert card.directory is not None  # it was read from there
    save_card(card.model_copy(update={"title": title.strip()}), card.directory)
    return read_card(card.directory)


def set_note(name: str, text: str) -> None:
    """Write down something about a model: neither in its card nor in its weights, so that it stays
    on this machine when the model is exported. Empty text removes the note.

    Raises:
        UserError: the model is shipped, or the note is too long.
    """
    card = _own(name, "given a note")
    check_note(text)
    assert card.directory is not None
    path = card.directory / NOTE_FILE
    if not text.strip():
        path.unlink(missing_ok=True)
        return
    with atomic_write(path, replace=True) as stream:
        stream.write(text.strip().encode())


def note_of(card: ModelCard) -> str:
    """What the person has written about a model; empty where nothing."""
    if card.directory is None:
        return ""
    try:
        text = (card.directory / NOTE_FILE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text[:LONGEST_NOTE]


def twin_to_delete(card: ModelCard) -> ModelCard | None:
    """The pixel-trained twin that would be of no use without this saliency GAN: one's own, not the
    default, no other model's twin."""
    if card.twin is None:
        return None
    try:
        twin = find_model(card.twin)
    except UserError:
        return None
    return twin if is_own(twin) and not _why_kept(twin, {card.name}) else None


def delete(name: str, *, with_twin: bool = False) -> list[str]:
    """Remove a model of one's own for good.

    Args:
        with_twin: also remove the pixel-trained twin, where :func:`twin_to_delete` names one.

    Returns:
        The names of what was removed.

    Raises:
        UserError: the model is shipped, the default of its task, or the twin of another one; or
            it cannot be removed.
    """
    card = _own(name, "deleted")
    why = _why_kept(card, set())
    if why:
        raise UserError(f"The model {name!r} is not deleted: {why[0]}.", why[1])
    twin = twin_to_delete(card) if with_twin else None
    doomed = [card] if twin is None else [card, twin]
    for one in doomed:
        _remove(one)
    return [one.name for one in doomed]


def check_title(title: str) -> None:
    """Refuse what is no title.

    Raises:
        UserError: it is empty, has several lines or is too long.
    """
    text = title.strip()
    if not text or len(text) > LONGEST_TITLE or not text.isprintable():
        raise UserError(
            "This is no title for a model.",
            f"Write one line of up to {LONGEST_TITLE} characters. Name no patients.",
        )


def check_note(text: str) -> None:
    """Refuse a note that is too long.

    Raises:
        UserError: it has more than :data:`LONGEST_NOTE` characters.
    """
    if len(text.strip()) > LONGEST_NOTE:
        raise UserError(f"The note is longer than {LONGEST_NOTE:,} characters.", "Shorten it.")


def _own(name: str, what: str) -> ModelCard:
    card = find_model(name)
    if not is_own(card):
        raise UserError(
            f"The model {name!r} comes with the program and cannot be {what}.",
            "Only models of your own can.",
        )
    return card


def _why_kept(card: ModelCard, but: set[str]) -> tuple[str, str] | None:
    """What stands against deleting a model, and what to do; None where nothing does."""
    if default_model(card.task) == card.name:
        return "it is the default", "Make another model the default first, or roll back."
    for other in list_models(card.task):
        if other.twin == card.name and other.name not in but:
            return f"it is the twin of {other.name!r}", f"Delete {other.name!r} first."
    return None


def _remove(card: ModelCard) -> None:
    """Out of the list in one step; then from the disk."""
    assert card.directory is not None
    doomed = user_models_dir() / f".part-{secrets.token_hex(8)}"
    try:
        card.directory.rename(doomed)
    except OSError as error:
        raise UserError(
            f"The model {card.name!r} could not be deleted: {error.strerror}.",
            "Close other windows of the program that use it.",
        ) from error
    with suppress(OSError):
        shutil.rmtree(doomed)
