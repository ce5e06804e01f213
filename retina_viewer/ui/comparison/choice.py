"""Which methods are compared, in which order. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from retina_viewer.superres.enhance_settings import Scale
from retina_viewer.ui.catalogue import Catalogue, MethodInfo
from retina_viewer.ui.comparison.enlarging import MOST_PANES, Contender
from retina_viewer.ui.view.state import ViewState

LEAST_PANES = 2


@dataclass
class Choice:
    """Two to four methods of those on offer at a scale.

    Args:
        state: the window's: its method keeps the network, fidelity and back-projection that the
            person chose there; all others have their defaults.
        device: to compute on.
    """

    catalogue: Catalogue
    state: ViewState
    device: str
    scale: Scale
    chosen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.chosen:
            self.chosen = self._first()

    def _first(self) -> list[str]:
        """The window's method, with bicubic or, beside that, with the default method."""
        first = self.state.method
        for other in ("bicubic", self.catalogue.default, *(m.id for m in self.catalogue.methods)):
            if other != first and other in {method.id for method in self.catalogue.methods}:
                return [first, other]
        return [first]

    @property
    def methods(self) -> list[MethodInfo]:
        """The chosen ones, in their order."""
        return [self.catalogue.method(name) for name in self.chosen]

    @property
    def contenders(self) -> list[Contender]:
        return [self._contender(method) for method in self.methods]

    def _contender(self, method: MethodInfo) -> Contender:
        own = method.id == self.state.method
        settings: dict[str, object] = {"method": method.id, "scale": self.scale}
        if not own:
            settings |= {"model": None, "fidelity": None}
        making = self.catalogue.making(self.state.model_copy(update=settings), self.device)
        return Contender(method.title, making, method.learned)

    def why_not(self, name: str) -> str:
        """Why a method cannot be added or taken away now; empty where it can."""
        if name in self.chosen:
            return "At least two are compared." if len(self.chosen) <= LEAST_PANES else ""
        if self.scale not in self.catalogue.method(name).scales:
            return f"It does not enlarge by ×{self.scale}."
        full = len(self.chosen) >= MOST_PANES
        return "At most four are compared: take one away first." if full else ""

    def toggle(self, name: str) -> None:
        """Add a method or take it away, where that can be."""
        if self.why_not(name):
            return
        if name in self.chosen:
            self.chosen.remove(name)
        else:
            self.chosen.append(name)

    def rotate(self) -> None:
        """Every method goes one place to the left, the first to the end; of two, they swap."""
        self.chosen = self.chosen[1:] + self.chosen[:1]

    def offer(self, catalogue: Catalogue) -> None:
        """Other methods are installed than before: what is gone is no longer compared."""
        self.catalogue = catalogue
        known: Sequence[str] = [method.id for method in catalogue.methods]
        self.chosen = [name for name in self.chosen if name in known]
        self.chosen += [name for name in known if name not in self.chosen][
            : max(0, LEAST_PANES - len(self.chosen))
        ]
