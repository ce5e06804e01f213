"""How well blur and noise are read from a photograph: shrunk in known ways, then asked."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import Kernel, sampling_blur
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.store import find_model
from retina_viewer.networks.devices import resolve_device
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition, Truth, small_image
from retina_viewer.quality.tables import Column, Record, Table
from retina_viewer.superres.cascade import estimate_degradation
from studies.data_folders import find_photographs
from studies.report import (
    command_line,
    held_out_photographs,
    make_folder,
    provenance,
    write_tables,
)

_METHOD = "estimated"
KERNELS: tuple[Kernel, ...] = ("gaussian", "bicubic", "area")
SCALES = (2, 4, 8)


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
    groups: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        key = (record["dataset"], record["kernel"], record["scale"])
        groups.setdefault(key, []).append(record)
    rows: list[Record] = []
    for members in groups.values():
        row: Record = {name: members[0][name] for name in ("dataset", "kernel", "scale", "method")}
        row["n"] = len(members)
        for name in ("blur", "blur_read", "blur_error", "noise_read"):
            row[name] = float(np.mean([float(member[name]) for member in members]))
        rows.append(row)
    columns = [
        Column("dataset", "set"), Column("kernel", "kernel"), Column("scale", "scale"),
        Column("n", "n"), Column("blur", "blur, px"), Column("blur_read", "read"),
        Column("blur_error", "mean error", 3), Column("noise_read", "noise read, levels"),
    ]  # fmt: skip
    return Table(columns, rows)


def evaluate_formation_command(
    data: Path,
    out: Path,
    *,
    sets: Sequence[str] = (),
    limit: int | None = None,
    device: str = "auto",
    progress: Progress = no_progress,
) -> str:
    """``retina-viewer evaluate formation DATA``: measure, write, return the Markdown table.

    Writes ``formation.md``, ``.csv``, ``_per_image.csv`` and ``.json`` into ``out``.

    Raises:
        UserError: no data, no estimator, or the report cannot be written.
    """
    photographs = held_out_photographs(find_photographs(data), sets, limit)
    card = find_model(default_model("formation"))
    make_folder(out)
    records = evaluate_formation(photographs, device=device, progress=progress)
    models = {_METHOD: {"name": card.name, "sha256": card.weights_sha256}}
    about = provenance(
        command_line("formation", {"sets": sets, "limit": limit}), photographs, models
    )
    return write_tables(out, "formation", [summarise(records)], records, about)
