"""A study: a frozen dataclass of its options, and a ``measure``.

Its parser, the record of how its figures came about, and the command that makes them again all
come from the fields (:mod:`retina_viewer.core.options`).
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

from retina_viewer.cli.console import Console
from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition, Protocol
from retina_viewer.quality.records import Record, RecordLog
from retina_viewer.superres.enhance_settings import SCALES, EnhanceSettings, Scale
from studies import NAMES
from studies.data_folders import find_photographs
from studies.report import held_out_photographs, make_folder, provenance, write_tables
from studies.tables import Table


@dataclass(frozen=True)
class Study:
    """What every study is."""

    unrecorded: ClassVar[Sequence[str]] = ("out", "device")
    """Fields that say where it ran and decide no figure."""

    def measure(self, progress: Progress = no_progress) -> str:
        """Measure, write what there is to write, and return what to say.

        Raises:
            UserError: what a person can mend: data, models, the disk.
        """
        raise NotImplementedError

    def run(self, console: Console) -> str:
        """:meth:`measure`, told to the console as it goes on."""
        return self.measure(console.progress(_name_of(type(self))))

    def command(self) -> str:
        """``python -m studies NAME DATA --name value ... -o DIR``, as a shell reads it; no paths.

        What is None, empty, or a switch that was not used is left out.
        """
        places: list[str] = []  # before all options, of which some would swallow them
        options: list[str] = []
        for one in fields(self):
            if "help" in one.metadata and one.name not in self.unrecorded:
                said = _words(one.name, getattr(self, one.name), one.default, one.metadata)
                (options if said[:1] and said[0].startswith("--") else places).extend(said)
        words = ["python", "-m", "studies", *_name_of(type(self)).split(), *places, *options]
        return shlex.join([*words, "-o", "DIR"] if hasattr(self, "out") else words)


def _name_of(study: type[Study]) -> str:
    place = f"{study.__module__.removeprefix('studies.')}:{study.__name__}"
    return next(name for name, known in NAMES.items() if known == place)


def _words(name: str, value: object, default: object, about: Mapping[str, Any]) -> list[str]:
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        return [] if value == default else [f"--{dashed}" if value else f"--no-{dashed}"]
    several = [value] if isinstance(value, str) or not isinstance(value, Sequence) else value
    if value is None or not several:
        return []
    if isinstance(several[0], Path):
        placed = not about["flags"] or not about["flags"][0].startswith("-")
        return [*([] if placed else [f"--{dashed}"]), str(about["metavar"])]
    return [f"--{dashed}", *(f"{one:g}" if isinstance(one, float) else str(one) for one in several)]


@dataclass(frozen=True)
class WithData(Study):
    data: Path = option(metavar="DATA", help="the folder of the data sets, or one set's")


@dataclass(frozen=True, kw_only=True)
class WithDevice(Study):
    device: str = option(
        "auto", metavar="DEVICE", help="auto (the GPU where there is one), cpu, cuda or cuda:N"
    )


@dataclass(frozen=True, kw_only=True)
class WithLimit(Study):
    limit: int | None = option(None, metavar="N", help="at most N photographs of a set")


@dataclass(frozen=True, kw_only=True)
class WithSets(Study):
    sets: Sequence[str] = option((), metavar="SET", help="DRIVE, CHASE_DB1, ...; default all")


@dataclass(frozen=True, kw_only=True)
class WithScales(Study):
    scales: Sequence[Scale] = option(SCALES, metavar="S", help="enlargements")


@dataclass(frozen=True, kw_only=True)
class WithPage(Study):
    out: Path = option(Path("docs/figures"), flags=("-o", "--out"), metavar="DIR", help="the page")


@dataclass(frozen=True)
class OnPhotographs(WithData, WithLimit, WithDevice):
    """A study that measures on photographs and leaves a report."""

    out: Path = option(
        Path("evaluation"), flags=("-o", "--out"), metavar="DIR",
        help="where the tables go; a run that was broken off goes on there",
    )  # fmt: skip

    def held_out(
        self, wanted: Callable[[Photograph], bool] = lambda one: True, sets: Sequence[str] = ()
    ) -> list[Photograph]:
        """The photographs in ``data`` that published figures may rest on, of the wanted ones."""
        found = [one for one in find_photographs(self.data) if wanted(one)]
        return held_out_photographs(found, sets, self.limit)

    def log(self, name: str, key: Sequence[str]) -> RecordLog:
        """What was measured in ``out`` before, and where new records go."""
        make_folder(self.out)
        return RecordLog(self.out / name, key)

    def report(
        self, stem: str, tables: Sequence[Table], records: Sequence[Record],
        photographs: Sequence[Photograph], models: Mapping[str, Mapping[str, str]], **more: object,
    ) -> str:  # fmt: skip
        """Write ``STEM.md``, ``.csv``, ``_per_image.csv`` and ``.json``; return the Markdown."""
        make_folder(self.out)
        about = provenance(self.command(), photographs, models) | more
        return write_tables(self.out, stem, tables, records, about)


@dataclass(frozen=True)
class OfSets(OnPhotographs, WithSets):
    """... of chosen sets."""


@dataclass(frozen=True, kw_only=True)
class Enlarging(OnPhotographs, WithScales):
    """... on photographs that are shrunk and enlarged again."""

    kernels: Sequence[Kernel] = option(("gaussian",), help="how the small photographs are made")
    model: str | None = option(
        None, metavar="NAME", help="for the methods with a network; default: the shipped one"
    )
    back_projection: bool = option(True, help="do not hold the networks' results to the photograph")

    def conditions(self, protocols: Sequence[Protocol] = ("native",)) -> list[Condition]:
        """Every condition to measure under, protocol by protocol."""
        every = product(protocols, self.kernels, self.scales)
        return [Condition(protocol, kernel, scale) for protocol, kernel, scale in every]

    def settings(self) -> EnhanceSettings:
        """What all methods share."""
        return EnhanceSettings(
            model=self.model, device=self.device, back_projection=self.back_projection
        )


@dataclass(frozen=True, kw_only=True)
class ComparingMethods(Enlarging):
    """... by several methods."""

    methods: Sequence[str] = option(
        ("pixel",), metavar="M", help="methods of enhance, compared with bicubic"
    )
    fidelity: float | None = option(
        None, metavar="F", help="of a saliency GAN; default: the model's own"
    )

    def settings(self) -> EnhanceSettings:
        return replace(super().settings(), fidelity=self.fidelity)
