"""The consistency map against the truth: fitted on validation photographs, checked on held-out.

Every photograph is shrunk once a scale, by the two kernels in turn, and enlarged again.
Correlations are Spearman's, between the expected and the true error of local windows (10, 12, 8 and
16 result pixels wide at x2, x4, x8 and x16), inside the eroded field of view.
"""

import json
import shlex
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.store import find_model
from retina_viewer.quality.calibration import (
    FIELD_DIAMETERS,
    Enhancers,
    Item,
    gather,
    load_windows,
    save_windows,
    truth_of,
)
from retina_viewer.quality.consistency_fit import fit_calibration
from retina_viewer.quality.datasets import Photograph, split
from retina_viewer.quality.protocols import Truth
from retina_viewer.quality.tables import write_report
from retina_viewer.superres.methods import method_of
from retina_viewer.superres.uncertainty_calibration import (
    Calibration,
    read_calibration,
    save_calibration,
)
from studies.consistency_summary import (
    ALL,
    Measured,
    decile_rows,
    ingredient_rows,
    summarise,
    to_markdown,
)
from studies.data_folders import find_photographs
from studies.report import held_out_photographs, make_folder, provenance

KERNELS: tuple[Kernel, ...] = ("gaussian", "bicubic")
SOFT_AT_FULL_SIZE = {"HRF", "IDRiD"}
"""Photographs that hold little fine detail at their own size: always shrunk for the check."""


def plan(
    photographs: Iterable[Photograph],
    scales: Sequence[int],
    fidelities: Callable[[int], Sequence[float | None]],
    *,
    fitting: bool,
) -> list[Item]:
    """One item a photograph and scale: kernels and sizes in turn within a set, fidelities in turn
    over all photographs, from the first on at every scale: a few photographs meet that at least.

    Args:
        fidelities: of a scale, in turn, the most used first; ``(None,)`` for a model without a
            twin.
        fitting: then sizes run from native over :data:`FIELD_DIAMETERS`; for the check they are
            native, or for photographs that are soft at full size those diameters.
    """
    items: list[Item] = []
    counts: dict[str, int] = {}
    for place, photograph in enumerate(photographs):
        number = counts.get(photograph.dataset, 0)
        counts[photograph.dataset] = number + 1
        sizes: tuple[int | None, ...] = (None,)
        if fitting:
            sizes = (None, *FIELD_DIAMETERS)
        elif photograph.dataset in SOFT_AT_FULL_SIZE:
            sizes = FIELD_DIAMETERS
        for step, scale in enumerate(scales):
            kernel = KERNELS[(number + step) % len(KERNELS)]
            # Not in step with the kernels: every fidelity meets both of them.
            shares = fidelities(scale)
            share = shares[(place // len(KERNELS)) % len(shares)]
            items.append(Item(photograph, sizes[number % len(sizes)], kernel, scale, share))
    return items


def measure(
    items: Sequence[Item],
    enhancers: Enhancers,
    kept: Path,
    *,
    tiles: int | None,
    progress: Progress = no_progress,
) -> list[Measured]:
    """The windows of all items; those that are in the folder ``kept`` are not measured again."""
    found: list[Measured] = []
    truth: tuple[Photograph, int | None, Truth] | None = None
    for number, item in enumerate(items):
        path = kept / f"{item.key}_{tiles or ALL}.npz"
        windows = load_windows(path)
        if windows is None:
            share = part_of(progress, number / len(items), (number + 1) / len(items))
            progress(number / len(items), item.key)
            if truth is None or truth[:2] != (item.photograph, item.diameter):
                read = truth_of(item.photograph, item.diameter)
                truth = (item.photograph, item.diameter, read)
            windows = gather(item, truth[2], enhancers, tiles=tiles, progress=share)
            save_windows(path, windows)
        if windows.error.size:
            found.append(Measured(item, windows))
    return found


def fitted(card: ModelCard, measured: Sequence[Measured], about: dict[str, Any]) -> Calibration:
    """A calibration for every scale that was measured."""
    scales = sorted({one.item.scale for one in measured})
    return Calibration(
        model=card.name,
        weights_sha256=card.weights_sha256,
        scales={
            scale: fit_calibration([m.windows for m in measured if m.item.scale == scale])
            for scale in scales
        },
        provenance=about,
    )


def evaluate_consistency_command(
    data: Path,
    out: Path,
    *,
    fit: bool = False,
    scales: Sequence[int] = (2, 4, 8, 16),
    sets: Sequence[str] = (),
    limit: int | None = None,
    tiles: int | None = None,
    model: str | None = None,
    fidelity: float | None = None,
    device: str = "auto",
    progress: Progress = no_progress,
) -> str:
    """``retina-viewer evaluate consistency DATA``: fit where asked, check, return the tables.

    Fits on the validation photographs and checks on the held-out ones (of DRIVE, the test half).
    Writes ``consistency.md`` and ``consistency.json`` into ``out``, and into
    ``out/consistency-windows`` what was measured, from which an interrupted run continues.

    Args:
        data: a folder of set folders, or one set folder.
        out: where the report goes; an older report there is replaced.
        fit: calibrate first, and keep the calibration beside the model's weights. A model with a
            twin is fitted at its default fidelity, at 0 and at 1 together.
        sets: names of sets; empty for all that are there.
        limit: at most so many photographs of each set.
        tiles: measure so many tiles of about 256 result pixels a photograph; None for all of it.
        model: a model's name; None for the default.
        fidelity: to check at, of a model with a twin; None for its default.

    Raises:
        UserError: no data, unknown model, no calibration to check, or a file cannot be written.
    """
    found = find_photographs(data)
    name = default_model("superres") if model is None else model
    card = find_model(name)
    enhancers = Enhancers(name, method_of(name), device)
    kept = out / "consistency-windows" / card.weights_sha256[:16]
    make_folder(kept)
    command = _command_line(fit, scales, sets, limit, tiles, name, fidelity)
    models = {enhancers.method: {"name": name, "sha256": card.weights_sha256}}
    if fit:
        chosen = _validation(found, sets, limit)
        items = plan(chosen, scales, partial(fitting_fidelities, card), fitting=True)
        first = part_of(progress, 0.0, 0.5)
        samples = measure(items, enhancers, kept, tiles=tiles, progress=first)
        calibration = fitted(card, samples, provenance(command, chosen, models))
        save_calibration(calibration, card)
    else:
        calibration = read_calibration(card)
    held_out = held_out_photographs(found, sets, limit)

    def used(scale: int) -> tuple[float | None]:
        return (card.fidelity_at(scale) if fidelity is None else fidelity,)

    items = plan(held_out, scales, used, fitting=False)
    second = part_of(progress, 0.5 if fit else 0.0, 1.0)
    measured = measure(items, enhancers, kept, tiles=tiles, progress=second)
    progress(1.0, "Evaluated")
    return _write(out, measured, calibration, provenance(command, held_out, models))


def _validation(
    found: Iterable[Photograph], sets: Sequence[str], limit: int | None
) -> list[Photograph]:
    chosen: list[Photograph] = []
    for photograph in split(found)["validation"]:
        of_set = sum(one.dataset == photograph.dataset for one in chosen)
        if (not sets or photograph.dataset in sets) and (limit is None or of_set < limit):
            chosen.append(photograph)
    if not chosen:
        raise UserError(
            "The data folder holds no validation photographs.",
            "A calibration is fitted to those alone: CHASE_DB1 09 and 10, HRF 07 and the like.",
        )
    return chosen


def fitting_fidelities(card: ModelCard, scale: int) -> tuple[float | None, ...]:
    """What a model's map is fitted at: its default, twice as often as the ends of the slider."""
    default = card.fidelity_at(scale)
    return (None,) if default is None else (default, 0.0, default, 1.0)


def _write(
    out: Path, measured: Sequence[Measured], calibration: Calibration, about: dict[str, Any]
) -> str:
    rows = summarise(measured, calibration)
    tenths, parts = decile_rows(measured, calibration), ingredient_rows(measured, calibration)
    markdown = to_markdown(rows, tenths, parts)
    write_report(out / "consistency.md", f"{markdown}\nMeasured by `{about['command']}`.\n")
    whole = {
        "provenance": about,
        "calibration": calibration.model_dump(mode="json"),
        "summary": rows,
        "deciles": tenths,
        "evidence": parts,
    }
    write_report(out / "consistency.json", json.dumps(whole, indent=1) + "\n")
    return markdown


def _command_line(
    fit: bool,
    scales: Sequence[int],
    sets: Sequence[str],
    limit: int | None,
    tiles: int | None,
    model: str,
    fidelity: float | None,
) -> str:
    words = ["retina-viewer", "evaluate", "consistency", "DATA", "--model", model]
    words += ["--fit"] if fit else []
    words += ["--scales", *map(str, scales)]
    words += ["--sets", *sets] if sets else []
    for option, value in (("--limit", limit), ("--tiles", tiles), ("--fidelity", fidelity)):
        words += [option, f"{value:g}"] if value is not None else []
    return shlex.join([*words, "-o", "DIR"])
