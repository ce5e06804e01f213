"""The methods and networks on offer, and what is chosen of them. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from retina_viewer.model_store.card import Fidelity, share_at
from retina_viewer.superres.enhance_settings import EnhanceSettings, Scale
from retina_viewer.superres.methods import Method


@dataclass(frozen=True)
class NetworkInfo:
    """An installed network that a method can use.

    Attributes:
        name: of the model.
        title: from its card.
        twin: the pixel-trained network of the same architecture, for fidelity; None without one.
        fidelity: where the slider stands by default, for all scales or each; None without a twin.
        weights: what decides its results, whatever it is called: SHA-256 of all that it needs.
    """

    name: str
    title: str
    twin: str | None = None
    fidelity: Fidelity | None = None
    weights: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The pixel-trained network that it is, or is the twin of."""
        return self.twin or self.name

    def fidelity_at(self, scale: int) -> float | None:
        """Where the slider stands by default at a scale; None without a twin."""
        return share_at(self.fidelity, scale)


@dataclass(frozen=True)
class ResultChoice:
    """What the person chose one result to be made with; the scale is that of all.

    Attributes:
        model: the network's name; None for the method's own choice.
        fidelity: None for the network's own default.
        vessels: the model whose vessels are drawn over the photograph instead of a result.
        title: what it is called on chips; empty: by its method.
    """

    method: str = "bicubic"
    model: str | None = None
    fidelity: float | None = None
    back_projection: bool = True
    vessels: str | None = None
    title: str = ""

    def __post_init__(self) -> None:
        if self.fidelity is not None and not 0 <= self.fidelity <= 1:
            raise ValueError(f"no fidelity: {self.fidelity}")

    def changed(self, **changes: Any) -> ResultChoice:
        return replace(self, **changes)


def labels(networks: Sequence[NetworkInfo]) -> list[str]:
    """Short names for a chooser of networks of one method: "Fast" where only one is called so."""
    endings = [network.name.rpartition("-")[2] for network in networks]
    return [
        ending.capitalize()
        if ending in ("fast", "best") and endings.count(ending) == 1
        else network.title
        for network, ending in zip(networks, endings, strict=True)
    ]


class Catalogue:
    """The methods and networks on offer.

    Args:
        methods: at least one, in the order of the chooser.
        default: the identifier of the one to start with.
        networks: those of a method, its default first; asked for methods with networks alone.
    """

    def __init__(
        self,
        methods: Sequence[Method],
        default: str,
        networks: Callable[[str], Sequence[NetworkInfo]],
    ) -> None:
        self.methods = tuple(methods)
        self.default = default if default in {one.id for one in methods} else methods[0].id
        self._by_id = {method.id: method for method in methods}
        self._networks = {
            method.id: tuple(networks(method.id)) if method.learned else () for method in methods
        }

    def method(self, name: str) -> Method:
        return self._by_id[name]

    def networks(self, method: str) -> tuple[NetworkInfo, ...]:
        return self._networks[method]

    def network(self, method: str, model: str | None) -> NetworkInfo | None:
        """The network of this name, or the method's default where it has none of that name."""
        known = self._networks[method]
        return next((one for one in known if one.name == model), known[0] if known else None)

    def counterpart(self, method: str, old: NetworkInfo | None) -> str | None:
        """The other method's network of the same architecture; None where there is none."""
        for one in self._networks[method]:
            if old is not None and one.family == old.family:
                return one.name
        return None

    def still(self, choice: ResultChoice) -> ResultChoice:
        """A choice as it can be made now: what is no longer installed, by the default instead."""
        if choice.method not in self._by_id:
            choice = choice.changed(method=self.default, model=None, title="")
        known = {network.name for network in self._networks[choice.method]}
        if choice.model is not None and choice.model not in known:
            choice = choice.changed(model=None, title="")
        return choice

    def settings(self, choice: ResultChoice, scale: Scale, device: str) -> EnhanceSettings:
        """What a chosen result is made with."""
        network = self.network(choice.method, choice.model)
        fidelity = None
        if network is not None and network.twin is not None:
            fidelity = choice.fidelity
            if fidelity is None:
                fidelity = network.fidelity_at(scale)
        return EnhanceSettings(
            method=choice.method,
            scale=scale,
            device=device,
            model=network.name if network else None,
            fidelity=fidelity,
            back_projection=self.method(choice.method).learned and choice.back_projection,
            weights=network.weights if network else (),
        )
