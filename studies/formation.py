"""Blur and noise as they are read from photographs that were shrunk in known ways."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import Kernel, sampling_blur
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.store import find_model
from retina_viewer.networks.devices import resolve_device
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition, Truth, small_image
from retina_viewer.quality.records import Record
from retina_viewer.superres.cascade import estimate_degradation
from studies.measuring import grouped, mean_row
from studies.report import make_folder, named
from studies.study import OfSets
from studies.tables import Table, columns

_METHOD = "estimated"
KERNELS: tuple[Kernel, ...] = ("gaussian", "bicubic", "area")
SCALES = (2, 4, 8)
_GROUP = ("dataset", "kernel", "scale")


def evaluate_formation(
    photographs: Sequence[Photograph],
    *,
    device: str = "auto",
    progress: Progress = no_progress,
) -> list[Record]:
    """One record a photograph, kernel and scale: the blur that is true and the one that is read.

    Returns:
        ``blur``, ``blur_read``, ``blur_error`` (absolute), all in pixels of the small photograph,
        and ``noise_read`` in grey levels (0.29 is what rounding leaves).
    """
    where = resolve_device(device)
    records: list[Record] = []
    for number, photograph in enumerate(photographs):
        progress(number / len(photographs), photograph.name)
        rgb8 = photograph.read_rgb()
        truth = Truth(rgb8, np.ones(rgb8.shape[:2], bool))
        for kernel, scale in product(KERNELS, SCALES):
            small = small_image(truth.cropped(scale), Condition("native", kernel, scale))
            read = estimate_degradation(small.astype(np.float32) / np.float32(255), where)
            blur = sampling_blur(kernel, scale)
            records.append(
                {
                    "dataset": photograph.dataset, "photograph": photograph.id,
                    "kernel": kernel, "scale": scale, "method": _METHOD,
                    "blur": blur, "blur_read": read.blur, "blur_error": abs(read.blur - blur),
                    "noise_read": read.noise,
                }
            )  # fmt: skip
    progress(1.0, "done")
    return records


def summarise(records: Sequence[Record]) -> Table:
    """Means by set, kernel and scale."""
    rows: list[Record] = []
    for (dataset, kernel, scale), members in grouped(records, _GROUP).items():
        row: Record = {
            "dataset": dataset, "kernel": kernel, "scale": scale, "method": _METHOD,
            "n": len(members),
        }  # fmt: skip
        rows.append(row | mean_row(members, ("blur", "blur_read", "blur_error", "noise_read")))
    said = (
        "dataset:set", "kernel", "scale", "n", "blur:blur, px", "blur_read:read",
        "blur_error:mean error:3", "noise_read:noise read, levels",
    )  # fmt: skip
    return Table(columns(*said), rows)


@dataclass(frozen=True)
class FormationReading(OfSets):
    """On held-out photographs. Leaves ``formation.md``, ``.csv``, ``_per_image.csv``, ``.json``."""

    def measure(self, progress: Progress = no_progress) -> str:
        photographs = self.held_out(sets=self.sets)
        models = {_METHOD: named(find_model(default_model("formation")))}
        make_folder(self.out)  # before hours are spent
        records = evaluate_formation(photographs, device=self.device, progress=progress)
        return self.report("formation", [summarise(records)], records, photographs, models)
