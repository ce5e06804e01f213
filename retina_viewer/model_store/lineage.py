"""Where a model comes from: its base, that one's base, and so on."""

from dataclasses import dataclass

from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.store import list_models


@dataclass(frozen=True)
class Ancestor:
    """One model of a chain.

    Attributes:
        name: as its child's card calls it; an import may have given it another one here.
        card: None where it is not installed.
    """

    name: str
    card: ModelCard | None


def lineage(card: ModelCard) -> list[Ancestor]:
    """The chain from a model back to one that was trained from nothing or is not installed."""
    known = list_models(card.task)
    chain, seen = [Ancestor(card.name, card)], {card.weights_sha256}
    while card.parent is not None:
        name = card.parent.split(" ")[0]
        parent = _parent(card, name, known)
        chain.append(Ancestor(name, parent))
        if parent is None or parent.weights_sha256 in seen:  # a forged card may name itself
            break
        seen.add(parent.weights_sha256)
        card = parent
    return chain


def children(card: ModelCard) -> list[ModelCard]:
    """The installed models that were trained on from this one."""
    known = list_models(card.task)
    return [
        one
        for one in known
        if one.parent is not None
        and (parent := _parent(one, one.parent.split(" ")[0], known)) is not None
        and parent.name == card.name
    ]


def _parent(card: ModelCard, name: str, known: list[ModelCard]) -> ModelCard | None:
    """By the hash where the card has it: a name may mean another model on this machine."""
    if card.parent_sha256 is None:
        return next((one for one in known if one.name == name), None)
    same = [one for one in known if one.weights_sha256 == card.parent_sha256]
    return next((one for one in same if one.name == name), same[0] if same else None)
