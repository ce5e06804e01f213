"""What the long comparison of all methods is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition, Protocol
from retina_viewer.superres.methods import find_method, methods_on_offer
from studies.contenders import LINEAR, SHARP_BICUBIC
from studies.data_folders import find_photographs

METHODS = (
    "saliency-gan", "pixel", "srgan", "srgan-vgg19", "srcnn", "sr-forest", "ssr", "linear",
    "bicubic",
)  # fmt: skip
"""The rows, in the order of the tables; what is not installed is left out."""

FIELD_DIAMETER = 1300
"""Pixels; photographs of a wider field of view (HRF, IDRiD: soft at full size) are shrunk to it
first, under the native protocol."""


@dataclass(frozen=True)
class Comparison:
    """What is asked for.

    Attributes:
        tables: of 1 (likeness), 2 (vessels) and 3 (precision, recall, F1).
        methods: empty for all of :data:`METHODS` that are installed.
        vessel_scales: those of ``scales`` at which vessels are looked for.
        sets: names; empty for all.
        limit: at most so many photographs of each set.
        perceptual: LPIPS and S3 too.
    """

    tables: Sequence[int] = (1, 2, 3)
    scales: Sequence[int] = (2, 4, 8, 16)
    methods: Sequence[str] = ()
    kernels: Sequence[Kernel] = ("gaussian", "bicubic")
    protocols: Sequence[Protocol] = ("native", "paper")
    sets: Sequence[str] = ()
    limit: int | None = None
    perceptual: bool = True
    device: str = "auto"

    @property
    def conditions(self) -> list[Condition]:
        """Photograph by photograph the protocols come one after the other: truths are shared."""
        every = product(self.protocols, self.kernels, self.scales)
        return [Condition(protocol, kernel, scale) for protocol, kernel, scale in every]

    @property
    def vessel_scales(self) -> tuple[int, ...]:
        """4 and 8 as in the 2017 paper, those of them that are asked for."""
        return tuple(scale for scale in self.scales if scale in (4, 8))

    def chosen_methods(self) -> tuple[str, ...]:
        """The methods by name, in the order of the tables.

        Raises:
            UserError: one is unknown.
        """
        if not self.methods:
            there = {method.id for method in methods_on_offer()} | {LINEAR}
            return tuple(name for name in METHODS if name in there)
        for name in self.methods:
            if name not in (LINEAR, SHARP_BICUBIC):
                find_method(name)
        return tuple(dict.fromkeys(self.methods))

    def options(self) -> dict[str, object]:
        """For the command line in the provenance; defaults are left out."""
        usual = Comparison()
        names = ("tables", "scales", "methods", "kernels", "protocols", "sets", "limit")
        given = {name: getattr(self, name) for name in names}
        changed = {
            name: value
            for name, value in given.items()
            if value is not None and tuple(_several(value)) != tuple(_several(getattr(usual, name)))
        }
        return changed | {"no-perceptual": not self.perceptual}


def _several(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) else [value]


def photographs_below(roots: Sequence[Path], sets: Sequence[str] = ()) -> list[Photograph]:
    """All photographs below several folders, each once.

    Args:
        sets: names that must be among the sets found.

    Raises:
        UserError: no folder is named, one holds no photographs, or a set is in none of them.
    """
    if not roots:
        raise UserError(
            "No data folder was named.", "Name the folders that hold the sets, or give --page."
        )
    found = {one.name: one for root in roots for one in find_photographs(root)}
    known = sorted({photograph.dataset for photograph in found.values()})
    for name in sets:
        if name not in known:
            raise UserError(
                f"There is no set {name!r}.", f"The sets found are: {', '.join(known)}."
            )
    return list(found.values())
