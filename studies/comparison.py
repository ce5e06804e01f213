"""What the long comparison of all methods is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import ClassVar, Literal

from retina_viewer.core.errors import UserError
from retina_viewer.core.options import option
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition, Protocol
from retina_viewer.superres.enhance_settings import SCALES, Scale
from retina_viewer.superres.methods import find_method, methods_on_offer
from studies.contenders import LINEAR, SHARP_BICUBIC
from studies.data_folders import find_photographs
from studies.study import WithDevice, WithLimit, WithSets

METHODS = (
    "saliency-gan", "pixel", "srgan", "srgan-vgg19", "srcnn", "sr-forest", "ssr", "linear",
    "bicubic",
)  # fmt: skip
"""The rows, in the order of the tables; what is not installed is left out."""

FIELD_DIAMETER = 1300
"""Pixels; photographs of a wider field of view (HRF, IDRiD: soft at full size) are shrunk to it
first, under the native protocol."""


ITERATIONS = 600
"""Steps of every vessel network, where neither steps nor minutes are given."""


@dataclass(frozen=True)
class Comparison(WithSets, WithLimit, WithDevice):
    """What is asked for."""

    unrecorded: ClassVar[Sequence[str]] = ("out", "device", "minutes")

    tables: Sequence[Literal[1, 2, 3]] = option(
        (1, 2, 3), metavar="N",
        help="1: likeness and looks; 2: vessels; 3: precision, recall, F1",
    )  # fmt: skip
    scales: Sequence[Scale] = option(SCALES, metavar="S", help="vessels at 4 and 8 alone")
    methods: Sequence[str] = option((), metavar="M", help="default: all that are installed")
    kernels: Sequence[Kernel] = option(
        ("gaussian", "bicubic"), help="how the small photographs are made"
    )
    protocols: Sequence[Protocol] = option(
        ("native", "paper"), help="native size, and the 2017 paper's 1024 x 1024"
    )
    perceptual: bool = option(True, help="without LPIPS and S3, which take most of the time")

    out: Path = option(
        Path("tables"), flags=("-o", "--out"), metavar="DIR",
        help="results; a broken run goes on there, earlier ones count in table 1",
    )  # fmt: skip
    iterations: int | None = option(
        None, metavar="N", help=f"steps of every vessel network; default {ITERATIONS}"
    )
    minutes: float | None = option(
        None, metavar="M",
        help="of every vessel network instead; made into steps once, the same for all",
    )  # fmt: skip

    def __post_init__(self) -> None:
        if self.iterations is not None and self.minutes is not None:
            raise UserError("Steps and minutes were given.", "Give --iterations or --minutes.")

    @property
    def conditions(self) -> list[Condition]:
        """Photograph by photograph the protocols come one after the other: truths are shared."""
        every = product(self.protocols, self.kernels, self.scales)
        return [Condition(protocol, kernel, scale) for protocol, kernel, scale in every]

    @property
    def vessel_scales(self) -> tuple[Scale, ...]:
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
