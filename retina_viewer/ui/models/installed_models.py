"""What is said of a model, in words; no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retina_viewer.finetuning.plan import task_of_base
from retina_viewer.model_store import own_models
from retina_viewer.model_store.card import ModelCard, TaskName
from retina_viewer.model_store.defaults import default_before, default_model
from retina_viewer.model_store.store import is_own, list_models

TASKS: tuple[tuple[TaskName, str], ...] = (
    ("superres", "Enlargement"),
    ("vessels", "Vessels"),
    ("formation", "Blur and noise"),
)
_IN_SHORT = {
    "better": "better than its base",
    "no difference": "no difference found",
    "worse": "worse than its base",
    "too few": "too few patients",
}
_SETS = {"own": "own photographs", "replay": "bundled photographs"}


@dataclass(frozen=True)
class ModelEntry:
    """A model as the list and its page show it: ``lonely_twin`` would be of no use without it,
    ``chain`` goes back to where it comes from, ``children`` were trained on from it."""

    card: ModelCard
    is_own: bool
    is_default: bool
    note: str = ""
    lonely_twin: ModelCard | None = None
    chain: tuple[own_models.Ancestor, ...] = ()
    children: tuple[ModelCard, ...] = ()

    @property
    def can_be_compared(self) -> bool:
        return self.card.task in ("superres", "vessels")

    @property
    def can_be_tuned(self) -> bool:
        return task_of_base(self.card) is not None


@dataclass(frozen=True)
class InstalledModels:
    """Everything that is installed; and what would be the default again of the tasks with something
    to roll back."""

    entries: tuple[ModelEntry, ...] = ()
    before: Mapping[TaskName, str] | None = None

    def entry(self, name: str) -> ModelEntry | None:
        return next((one for one in self.entries if one.card.name == name), None)

    def of(self, task: TaskName) -> list[ModelEntry]:
        """The models of a task: the default, then one's own, the newest first, then the shipped."""
        found = [one for one in self.entries if one.card.task == task]
        found.sort(key=lambda one: one.card.created, reverse=True)
        return sorted(found, key=lambda one: (not one.is_default, not one.is_own))


def read_installed() -> InstalledModels:
    """Look what is installed; reads every card, so in a worker."""
    entries = tuple(
        ModelEntry(
            card,
            is_own=is_own(card),
            is_default=default_model(card.task) == card.name,
            note=own_models.note_of(card),
            lonely_twin=own_models.twin_to_delete(card),
            chain=tuple(own_models.lineage(card)),
            children=tuple(own_models.children(card)),
        )
        for card in list_models()
    )
    before = {task: name for task, _ in TASKS if (name := default_before(task)) is not None}
    return InstalledModels(entries, before)


def subtitle(entry: ModelEntry) -> str:
    """``clinic-v2, own, better than its base``."""
    parts = [entry.card.name, "own" if entry.is_own else "shipped"]
    verdict = entry.card.verdict
    if verdict is not None:
        parts.append(_IN_SHORT[verdict.conclusion])
    elif entry.is_own and entry.card.parent is not None:
        parts.append("not judged")
    return ", ".join(parts)


def verdict_heading(entry: ModelEntry) -> str:
    """The first thing to know of a model."""
    verdict = entry.card.verdict
    if verdict is not None:
        return {
            "better": "Better than its base on patients it was not trained on",
            "no difference": "No difference to its base was found",
            "worse": "Worse than its base on patients it was not trained on",
            "too few": "Too few patients to judge it",
        }[verdict.conclusion]
    if not entry.is_own:
        return "Comes with the program"
    return "Was not judged against its base" if entry.card.parent else "Was not judged"


def verdict_sentences(entry: ModelEntry) -> list[str]:
    """What was found, and why it was kept nevertheless."""
    card = entry.card
    said = list(card.verdict.sentences) if card.verdict is not None else []
    if card.verdict is None and not entry.is_own:
        count = len(card.measurements)
        measured = f"{count} figures were measured on photographs that no training saw."
        said.append(measured if count else "Its card holds no figures.")
    if card.reason:
        said.append(f"Kept because: {card.reason}")
    return said


def card_rows(entry: ModelEntry) -> list[tuple[str, str]]:
    """The card as rows of name and value: counts and hashes, no names of people or files."""
    card, training = entry.card, entry.card.training
    rows = [("For", dict(TASKS)[card.task] + _scales(card))]
    if card.twin is not None and card.fidelity is not None:
        rows.append(("Twin", f"{card.twin}, its share by default {_shares(card)}"))
    if card.threshold is not None:
        rows.append(("Threshold", f"{card.threshold:.2f} at {card.field_diameter} px across"))
    rows += [
        ("Trained on", _photographs(training.photographs, training.patients)),
        ("Validated on", _photographs(training.validation_photographs, 0)),
        ("Training", _training(card)),
        ("Licence", card.licence),
        ("Made", f"{card.created:%Y-%m-%d}, version {card.version}"),
        ("Weights", f"SHA-256 {card.weights_sha256[:16]}…"),
    ]
    if card.notes:
        rows.append(("Remarks", card.notes))
    return rows


def _scales(card: ModelCard) -> str:
    return f", {' '.join(f'×{scale}' for scale in card.scales)}" if card.scales else ""


def _photographs(counts: Mapping[str, int], patients: int) -> str:
    """``16 CHASE_DB1, 18 HRF; 34 patients``."""
    text = ", ".join(f"{count} {_SETS.get(name, name)}" for name, count in counts.items())
    return (text or "none") + (f"; {patients} patient{'s' * (patients != 1)}" if patients else "")


def _training(card: ModelCard) -> str:
    training = card.training
    hours, minutes = divmod(round(training.seconds / 60), 60)
    time = f"{hours} h {minutes} min" if hours else f"{minutes} min"
    steps = sum(training.iterations)
    return f"{steps:,} step{'s' * (steps != 1)}, {time}, {training.device}"


def _shares(card: ModelCard) -> str:
    """``50 %``, or ``50 % at x2, 30 % at x4``."""
    if isinstance(card.fidelity, dict):
        shares = card.fidelity.items()
        return ", ".join(f"{share * 100:.0f} % at ×{scale}" for scale, share in shares)
    return f"{(card.fidelity or 0) * 100:.0f} %"
