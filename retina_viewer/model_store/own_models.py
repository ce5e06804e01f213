"""A person's own models: kept after a training, titled, noted, deleted. Shipped models stay."""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.paths import user_models_dir
from retina_viewer.model_store import installing
from retina_viewer.model_store.card import ModelCard, Verdict, read_card
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.extras import HISTORY_FILE
from retina_viewer.model_store.store import find_model, is_own, list_models, save_card

LONGEST_TITLE = 80
LONGEST_NOTE = 10_000


def rename(name: str, title: str) -> ModelCard:
    """Give a model another title. Its name stays: pictures that it made refer to it. Raises
    UserError: it is shipped, or the title is none.
    """
    card = _own(name, "renamed")
    check_title(title)
    assert card.directory is not None  # it was read from there
    save_card(card.model_copy(update={"title": title.strip()}), card.directory)
    return read_card(card.directory)


def set_note(name: str, text: str) -> None:
    """Write down something about a model: neither in its card nor in its weights, so that it stays
    on this machine when the model is exported. Empty text removes the note. Raises UserError: the
    model is shipped, or the note is too long.
    """
    card = _own(name, "given a note")
    check_note(text)
    assert card.directory is not None
    path = card.directory / installing.NOTE_FILE
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
        text = (card.directory / installing.NOTE_FILE).read_text(encoding="utf-8", errors="replace")
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
    """Remove a model of one's own for good, and with it the pixel-trained twin, where
    :func:`twin_to_delete` names one. Returns the names of what was removed. Raises UserError: the
    model is shipped, the default of its task, or the twin of another one; or it cannot be removed.
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
    """Raise a UserError where a title is empty, has several lines or is too long."""
    text = title.strip()
    if not text or len(text) > LONGEST_TITLE or not text.isprintable():
        raise UserError(
            "This is no title for a model.",
            f"Write one line of up to {LONGEST_TITLE} characters. Name no patients.",
        )


def check_note(text: str) -> None:
    """Raise a UserError where a note has more than :data:`LONGEST_NOTE` characters."""
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


LONGEST_REASON = 500


def accept(
    run: Path, name: str, title: str, reason: str | None = None, *, note: str = ""
) -> ModelCard:
    """Keep the model that a training made, and its pixel-trained twin where it has one. Returns the
    card under its final name. Raises UserError: the training made no model, or it was kept already;
    the model is damaged; the verdict is about another model, or is not "better" and there is no
    reason; the name or title is none; it cannot be written.

    Args:
        run: the training's folder: ``model/``, perhaps ``twin/``, ``history.json`` and
            ``verdict.json``.
        name: what it shall be called; where the name is in use it becomes its next version.
        reason: why it is kept although it was not found to be better; into the card.
        note: the person's own words; they stay on this machine.
    """
    family = installing.check_family(name)
    check_title(title)
    check_note(note)
    card = _made_by(run)
    if kept := kept_as(run):
        raise UserError(
            f"This training's model was kept already, as {kept.name!r}.", "Use that one."
        )
    verdict = _verdict_of(run, card)
    title = title.strip()
    changes = {
        "title": title,
        "verdict": verdict,
        "reason": _checked_reason(verdict, reason),
        "parent_sha256": _parent_sha256(card, verdict),
    }
    with installing.staging() as folder:
        installing.copy_model(run / "model", folder / "model", card.model_copy(update=changes))
        if (run / HISTORY_FILE).is_file() and not (folder / "model" / HISTORY_FILE).exists():
            installing.copy_file(run / HISTORY_FILE, folder / "model" / HISTORY_FILE)
        if note.strip():
            (folder / "model" / installing.NOTE_FILE).write_text(note.strip(), encoding="utf-8")
        twin = None
        if (run / "twin").is_dir():
            twin = folder / "twin"
            of_twin = {"title": f"{title}, fidelity alone"}
            installing.copy_model(
                run / "twin", twin, read_card(run / "twin").model_copy(update=of_twin)
            )
        return installing.install(folder / "model", family, twin)


def kept_as(run: Path) -> ModelCard | None:
    """The person's model that this training became; None while it was not kept. Raises UserError:
    the training made no model.
    """
    card = _made_by(run)
    made = (card.weights_sha256, card.training)
    for known in list_models(card.task):
        if (known.weights_sha256, known.training) == made and is_own(known):
            return known
    return None


def _made_by(run: Path) -> ModelCard:
    if not (run / "model").is_dir():
        raise UserError(f"The training in {run.name} has made no model.", "Let it finish first.")
    return read_card(run / "model")


def _verdict_of(run: Path, card: ModelCard) -> Verdict | None:
    path, again = run / "verdict.json", "Have the model judged again."
    verdict = card.verdict
    if path.is_file():
        try:
            verdict = Verdict.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise UserError("The verdict cannot be read.", again) from error
    if verdict is not None and verdict.tuned_sha256 != card.weights_sha256:
        raise UserError("The verdict is about other weights than the training has made.", again)
    return verdict


def _checked_reason(verdict: Verdict | None, reason: str | None) -> str:
    """What the card shall say: nothing where the verdict speaks for itself."""
    why = (reason or "").strip()
    if len(why) > LONGEST_REASON:
        raise UserError(f"The reason is longer than {LONGEST_REASON} characters.", "Shorten it.")
    if verdict is not None and verdict.conclusion == "better":
        return why
    if not why:
        found = "was not judged" if verdict is None else f"was judged {verdict.conclusion!r}"
        raise UserError(
            f"The model {found}, so it is kept only for a reason.",
            "Say why; the reason is written into the model's card. Name no patients.",
        )
    return why


def _parent_sha256(card: ModelCard, verdict: Verdict | None) -> str | None:
    if card.parent_sha256 is not None or card.parent is None:
        return card.parent_sha256
    name = _name_in(card.parent)
    if verdict is not None and verdict.base == name:
        return verdict.base_sha256
    try:
        return find_model(name).weights_sha256
    except UserError:  # deleted since: the name alone remains
        return None


@dataclass(frozen=True)
class Ancestor:
    """One model of a chain, by the name that its child's card calls it (an import may have given it
    another one here); its card is None where it is not installed."""

    name: str
    card: ModelCard | None


def lineage(card: ModelCard) -> list[Ancestor]:
    """The chain from a model back to one that was trained from nothing or is not installed."""
    known = list_models(card.task)
    chain, seen = [Ancestor(card.name, card)], {card.weights_sha256}
    while card.parent is not None:
        parent = _parent(card, known)
        chain.append(Ancestor(_name_in(card.parent), parent))
        if parent is None or parent.weights_sha256 in seen:  # a forged card may name itself
            break
        seen.add(parent.weights_sha256)
        card = parent
    return chain


def children(card: ModelCard) -> list[ModelCard]:
    """The installed models that were trained on from this one."""
    known = list_models(card.task)
    return [one for one in known if (found := _parent(one, known)) and found.name == card.name]


def _parent(card: ModelCard, known: list[ModelCard]) -> ModelCard | None:
    """By the hash where the card has it: a name may mean another model on this machine."""
    if card.parent is None:
        return None
    by_hash = card.parent_sha256 is not None
    same = [one for one in known if not by_hash or one.weights_sha256 == card.parent_sha256]
    named = next((one for one in same if one.name == _name_in(card.parent)), None)
    return named or (same[0] if by_hash and same else None)


def _name_in(parent: str) -> str:
    """A card says of its parent the name and the version."""
    return parent.split(" ")[0]
