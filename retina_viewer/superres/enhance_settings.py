"""What makes an enlargement: the one object that window, command line and studies hand on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Scale = Literal[2, 4, 8, 16]
SCALES: tuple[Scale, ...] = (2, 4, 8, 16)


@dataclass(frozen=True)
class EnhanceSettings:
    """All that decides a result's pixels but the photograph. Equal settings give equal results.

    Attributes:
        model: the network's name; None for interpolation.
        fidelity: 0 (most detail) to 1 (closest to the photograph); None without a twin.
        back_projection: whether the result is held to the photograph.
        weights: of the network: another one of the same name makes other results.
    """

    method: str
    scale: Scale
    device: str = "auto"
    model: str | None = None
    fidelity: float | None = None
    back_projection: bool = True
    weights: tuple[str, ...] = ()

    def at(self, scale: Scale) -> EnhanceSettings:
        return replace(self, scale=scale)

    def is_placeholder_for(self, other: EnhanceSettings) -> bool:
        """Whether its result may be shown until the other's is there: what is said of that, a
        method at a scale, is true of this one as well."""
        return self != other and (self.method, self.scale) == (other.method, other.scale)
