"""The consistency map against the truth; --fit calibrates it first, on validation photographs.

Every photograph is shrunk once a scale, by the two kernels in turn, and enlarged again.
Correlations are Spearman's, between the expected and the true error of local windows (10, 12, 8 and
16 result pixels wide at x2, x4, x8 and x16), inside the eroded field of view.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.options import option
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
from retina_viewer.quality.consistency_fit import Windows, deciles, fit_calibration, spearman
from retina_viewer.quality.datasets import Photograph, split
from retina_viewer.quality.protocols import Truth
from retina_viewer.quality.tables import Column, Record, Table, write_report
from retina_viewer.superres.consistency import THRESHOLD
from retina_viewer.superres.consistency_calibration import (
    Calibration,
    read_calibration,
    save_calibration,
)
from retina_viewer.superres.enhance_settings import SCALES, Scale
from retina_viewer.superres.methods import method_of
from studies.data_folders import find_photographs
from studies.report import first_of_each_set, held_out_photographs, make_folder, named, provenance
from studies.study import OfSets

ALL = "all"
_NOTE = (
    "Errors in grey levels of luminance (BT.601, full range), mean over photographs. "
    "rho: Spearman's rank correlation. "
    f"Shares: of windows above {THRESHOLD:g} levels."
)

COLUMNS = (
    Column("dataset", "set"),
    Column("scale", "scale"),
    Column("n", "n"),
    Column("error", "true error"),
    Column("expected", "expected"),
    Column("within", "rho within a photograph"),
    Column("pooled", "rho of all windows"),
    Column("images", "rho of photographs"),
    Column("share", "true share above", digits=3),
    Column("guessed", "expected share above", digits=3),
)


@dataclass(frozen=True, eq=False)
class Measured:
    """An item and its windows."""

    item: Item
    windows: Windows


def summarise(measured: Sequence[Measured], calibration: Calibration) -> list[Record]:
    """One row a set and scale, and one a scale over all sets."""
    rows: list[Record] = []
    for scale in sorted({one.item.scale for one in measured}):
        here = [one for one in measured if one.item.scale == scale]
        sets = sorted({one.item.photograph.dataset for one in here})
        for name in (*sets, ALL):
            of_set = [m for m in here if name in (m.item.photograph.dataset, ALL)]
            rows.append({"dataset": name, "scale": scale, **_figures(of_set, calibration)})
    return rows


def _figures(measured: Sequence[Measured], calibration: Calibration) -> dict[str, float | int]:
    pairs = [_expected_and_true(one, calibration) for one in measured]
    expected, error = (np.concatenate(part) for part in zip(*pairs, strict=True))
    means = [(float(e.mean()), float(t.mean())) for e, t in pairs]
    return {
        "n": len(pairs),
        "error": float(np.mean([true for _, true in means])),
        "expected": float(np.mean([wanted for wanted, _ in means])),
        "within": float(np.mean([spearman(e, t) for e, t in pairs])),
        "pooled": spearman(expected, error),
        "images": spearman(*zip(*means, strict=True)) if len(means) > 2 else float("nan"),
        "share": float(np.mean([np.mean(t > THRESHOLD) for _, t in pairs])),
        "guessed": float(np.mean([np.mean(e > THRESHOLD) for e, _ in pairs])),
    }


def _expected_and_true(
    one: Measured, calibration: Calibration
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    expected = calibration.at(one.item.scale).expected_error(one.windows.planes)
    return expected, one.windows.error


def decile_rows(measured: Sequence[Measured], calibration: Calibration) -> list[Record]:
    """Expected and true error, grey levels, in each tenth of the windows, by scale."""
    rows: list[Record] = []
    for scale in sorted({one.item.scale for one in measured}):
        pairs = [_expected_and_true(m, calibration) for m in measured if m.item.scale == scale]
        tenths = deciles(*(np.concatenate(part) for part in zip(*pairs, strict=True)))
        for place, kind in enumerate(("expected", "true")):
            row: Record = {"scale": scale, "what": kind}
            row |= {str(number): tenth[place] for number, tenth in enumerate(tenths, start=1)}
            rows.append(row)
    return rows


def ingredient_rows(measured: Sequence[Measured], calibration: Calibration) -> list[Record]:
    """Weight and rank correlation (mean within photographs) of each evidence alone, by scale."""
    rows: list[Record] = []
    for scale in sorted({one.item.scale for one in measured}):
        here = [one.windows for one in measured if one.item.scale == scale]
        for name in sorted({name for windows in here for name in windows.planes}):
            alone = [spearman(w.planes[name], w.error) for w in here if name in w.planes]
            weight = calibration.at(scale).weights.get(name, 0.0)
            known = [value for value in alone if not np.isnan(value)]
            within = float(np.mean(known)) if known else float("nan")
            rows.append({"scale": scale, "evidence": name, "weight": weight, "within": within})
    return rows


def to_markdown(rows: Sequence[Record], tenths: Sequence[Record], parts: Sequence[Record]) -> str:
    """The three tables of a report."""
    numbers = [Column(str(number), str(number)) for number in range(1, 11)]
    tables = (
        Table(
            COLUMNS,
            rows,
            notes=(_NOTE,),
        ),
        Table((Column("scale", "scale"), Column("what", "tenth of the windows"), *numbers), tenths),
        Table(
            (
                Column("scale", "scale"),
                Column("evidence", "evidence"),
                Column("weight", "weight"),
                Column("within", "rho alone, within a photograph"),
            ),
            parts,
        ),
    )
    return "\n".join(table.to_markdown() for table in tables)


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


@dataclass(frozen=True)
class Consistency(OfSets):
    """Fits on the validation photographs, checks on the held-out ones; of DRIVE, the test half.

    Leaves ``consistency.md`` and ``consistency.json``, and in ``consistency-windows`` what was
    measured, from which an interrupted run continues.
    """

    fit: bool = option(
        False, help="calibrate first; kept beside the model's weights. A model with a twin is "
        "fitted at its default fidelity, at 0 and at 1 together",
    )  # fmt: skip
    scales: Sequence[Scale] = option(SCALES, metavar="S", help="enlargements")
    tiles: int | None = option(
        None, metavar="N",
        help="measure N tiles of a photograph, spread over it; default: all of it",
    )  # fmt: skip
    model: str | None = option(None, metavar="NAME", help="default: the shipped one")
    fidelity: float | None = option(None, metavar="F", help="to check at; default: the model's own")

    def measure(self, progress: Progress = no_progress) -> str:
        found = find_photographs(self.data)
        name = self.model or default_model("superres")
        card = find_model(name)
        enhancers = Enhancers(name, method_of(name), self.device)
        kept = self.out / "consistency-windows" / card.weights_sha256[:16]
        make_folder(kept)
        command = replace(self, model=name).command()
        models = {enhancers.method: named(card)}
        if self.fit:
            chosen = self._validation(found)
            items = plan(chosen, self.scales, partial(fitting_fidelities, card), fitting=True)
            first = part_of(progress, 0.0, 0.5)
            samples = measure(items, enhancers, kept, tiles=self.tiles, progress=first)
            calibration = fitted(card, samples, provenance(command, chosen, models))
            save_calibration(calibration, card)
        else:
            calibration = read_calibration(card)
        held_out = held_out_photographs(found, self.sets, self.limit)

        def used(scale: int) -> tuple[float | None]:
            return (card.fidelity_at(scale) if self.fidelity is None else self.fidelity,)

        items = plan(held_out, self.scales, used, fitting=False)
        second = part_of(progress, 0.5 if self.fit else 0.0, 1.0)
        measured = measure(items, enhancers, kept, tiles=self.tiles, progress=second)
        progress(1.0, "Evaluated")
        return _write(self.out, measured, calibration, provenance(command, held_out, models))

    def _validation(self, found: Iterable[Photograph]) -> list[Photograph]:
        of_sets = [p for p in split(found)["validation"] if not self.sets or p.dataset in self.sets]
        chosen = first_of_each_set(of_sets, self.limit)
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
