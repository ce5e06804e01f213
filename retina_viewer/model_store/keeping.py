"""Keeping what a training made: the model of a run folder becomes one of the person's own."""

from pathlib import Path

from pydantic import ValidationError

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import ModelCard, read_card
from retina_viewer.model_store.extras import HISTORY_FILE
from retina_viewer.model_store.installing import (
    NOTE_FILE,
    copy_file,
    copy_model,
    install,
    staging,
)
from retina_viewer.model_store.own_models import check_note, check_title
from retina_viewer.model_store.store import find_model, is_own, list_models
from retina_viewer.model_store.verdict import Verdict
from retina_viewer.model_store.versions import check_family

LONGEST_REASON = 500


def accept(
    run: Path, name: str, title: str, reason: str | None = None, *, note: str = ""
) -> ModelCard:
    """Keep the model that a training made, and its pixel-trained twin where it has one.

    Args:
        run: the training's folder: ``model/``, perhaps ``twin/``, ``history.json`` and
            ``verdict.json``.
        name: what it shall be called; where the name is in use it becomes its next version.
        title: for people.
        reason: why it is kept although it was not found to be better; into the card.
        note: the person's own words; they stay on this machine.

    Returns:
        The card under its final name.

    Raises:
        UserError: the training made no model, or it was kept already; the model is damaged; the
            verdict is about another model, or is not "better" and there is no reason; the name or
            title is none; it cannot be written.
    """
    family = check_family(name)
    check_title(title)
    check_note(note)
    card = _made_by(run)
    kept = kept_as(run)
    if kept is not None:
        raise UserError(
            f"This training's model was kept already, as {kept.name!r}.", "Use that one."
        )
    verdict = _verdict_of(run, card)
    why = _checked_reason(verdict, reason)
    changes = {
        "title": title.strip(),
        "verdict": verdict,
        "reason": why,
        "parent_sha256": _parent_sha256(card, verdict),
    }
    twin = run / "twin" if (run / "twin").is_dir() else None
    with staging() as folder:
        copy_model(run / "model", folder / "model", card.model_copy(update=changes))
        if (run / HISTORY_FILE).is_file() and not (folder / "model" / HISTORY_FILE).exists():
            copy_file(run / HISTORY_FILE, folder / "model" / HISTORY_FILE)
        if note.strip():
            (folder / "model" / NOTE_FILE).write_text(note.strip(), encoding="utf-8")
        if twin is not None:
            twin = _stage_twin(twin, folder / "twin", title.strip())
        return install(folder / "model", family, twin)


def kept_as(run: Path) -> ModelCard | None:
    """The person's model that this training became; None while it was not kept.

    Raises:
        UserError: the training made no model.
    """
    card = _made_by(run)
    for known in list_models(card.task):
        same = (known.weights_sha256, known.training) == (card.weights_sha256, card.training)
        if same and is_own(known):
            return known
    return None


def _made_by(run: Path) -> ModelCard:
    if not (run / "model").is_dir():
        raise UserError(f"The training in {run.name} has made no model.", "Let it finish first.")
    return read_card(run / "model")


def _stage_twin(source: Path, target: Path, title: str) -> Path:
    card = read_card(source)
    own = card.model_copy(update={"title": f"{title}, fidelity alone"})
    copy_model(source, target, own)
    return target


def _verdict_of(run: Path, card: ModelCard) -> Verdict | None:
    path = run / "verdict.json"
    if not path.is_file():
        verdict = card.verdict
    else:
        try:
            verdict = Verdict.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise UserError(
                "The verdict cannot be read.", "Have the model judged again."
            ) from error
    if verdict is not None and verdict.tuned_sha256 != card.weights_sha256:
        raise UserError(
            "The verdict is about other weights than the training has made.",
            "Have the model judged again.",
        )
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
    name = card.parent.split(" ")[0]
    if verdict is not None and verdict.base == name:
        return verdict.base_sha256
    try:
        return find_model(name).weights_sha256
    except UserError:  # deleted since: the name alone remains
        return None
