"""What can be compared, methods or the models of one task, and which of them are. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from retina_viewer.model_store.card import TaskName
from retina_viewer.superres.enhance_settings import SCALES, Scale
from retina_viewer.ui.catalogue import Catalogue, ResultChoice
from retina_viewer.ui.models.installed_models import ModelEntry
from retina_viewer.ui.view.state import MOST_RESULTS, ViewState

LEAST_RESULTS = 2
Choices = tuple[ResultChoice, ...]


@dataclass(frozen=True)
class Option:
    """One method or model.

    Attributes:
        key: the method's identifier or the model's name.
        sentence: what it is, for people.
        choice: the result that it is added as.
    """

    key: str
    title: str
    sentence: str
    learned: bool
    scales: Sequence[int]
    choice: ResultChoice


@dataclass(frozen=True)
class Offer:
    """The options, and two to four results of them."""

    options: tuple[Option, ...]
    task: TaskName | None = None
    """Of the models; None where methods are compared."""

    @classmethod
    def of_methods(cls, catalogue: Catalogue) -> Offer:
        return cls(
            tuple(
                Option(one.id, one.title, one.sentence, one.learned, one.scales,
                       ResultChoice(one.id))
                for one in catalogue.methods
            )
        )  # fmt: skip

    @classmethod
    def of_task(cls, entries: Sequence[ModelEntry], base: ResultChoice) -> Offer:
        """The models of a task. A result of vessels is else as ``base``."""
        options = tuple(_model(entry, base) for entry in entries)
        return cls(options, entries[0].card.task if entries else None)

    def key(self, choice: ResultChoice) -> str:
        """Of the option that a result is; empty where it is none of the models."""
        return (choice.vessels or choice.model or "") if self.task else choice.method

    def option(self, key: str) -> Option | None:
        return next((one for one in self.options if one.key == key), None)

    def begun(self, first: ResultChoice, catalogue: Catalogue) -> Choices:
        """A result beside bicubic's or, beside that, beside the default method's."""
        for key in ("bicubic", catalogue.default, *(one.key for one in self.options)):
            other = self.option(key)
            if other is not None and key != first.method:
                return (first, other.choice)
        return (first,)

    def why_not(self, key: str, chosen: Choices, scale: Scale) -> str:
        """Why an option cannot be added or taken away now; empty where it can."""
        option = self.option(key)
        if any(self.key(one) == key for one in chosen):
            return "At least two are compared." if len(chosen) <= LEAST_RESULTS else ""
        if option is None or scale not in option.scales:
            return f"It does not enlarge by ×{scale}."
        full = len(chosen) >= MOST_RESULTS
        return "At most four are compared: take one away first." if full else ""

    def toggled(self, key: str, chosen: Choices, scale: Scale) -> Choices:
        """With an option added or taken away, where that can be."""
        option = self.option(key)
        if option is None or self.why_not(key, chosen, scale):
            return chosen
        places = [place for place, one in enumerate(chosen) if self.key(one) == key]
        if not places:
            return (*chosen, option.choice)
        return (*chosen[: places[-1]], *chosen[places[-1] + 1 :])

    def kept(self, chosen: Choices) -> Choices:
        """Without what is no longer on offer, and filled up to two where that can be."""
        kept = [one for one in dict.fromkeys(chosen) if self.option(self.key(one))]
        keys = {self.key(one) for one in kept}
        others = [one.choice for one in self.options if one.key not in keys]
        return (*kept, *others[: max(0, LEAST_RESULTS - len(kept))])


def _model(entry: ModelEntry, base: ResultChoice) -> Option:
    card = entry.card
    title = f"{card.title} (in use)" if entry.is_default else card.title
    if card.task == "vessels":
        choice, scales = replace(base, vessels=card.name, title=card.title), SCALES
        return Option(card.name, title, card.name, True, scales, choice)
    choice = ResultChoice(card.enhancer_method, card.name, title=card.title)
    return Option(card.name, title, card.name, True, card.scales, choice)


def put(state: ViewState, results: Choices) -> None:
    """Compare these; the active one stays active, where it is among them."""
    active = state.result
    state.results = results
    state.active = results.index(active) if active in results else min(
        state.active, len(results) - 1
    )  # fmt: skip
