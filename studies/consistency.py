"""The uncertainty map against the truth; --fit calibrates it first, on validation photographs.

Every photograph is shrunk once a scale, by the two kernels in turn, and enlarged again.
Correlations are Spearman's, between the expected and the true error of local windows (10, 12, 8 and
16 result pixels wide at x2, x4, x8 and x16), inside the eroded field of view.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.store import find_model
from retina_viewer.quality.calibration import (
    FIELD_DIAMETERS,
    Measured,
    calibration_of,
    fitting_fidelities,
    items_of,
    measure,
)
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.records import Record, write_report
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.methods import make_enhancer, method_of
from retina_viewer.superres.uncertainty import THRESHOLD
from retina_viewer.superres.uncertainty_calibration import (
    Calibration,
    read_calibration,
    save_calibration,
)
from studies.data_folders import find_photographs, split
from studies.report import (
    first_of_each_set,
    held_out_photographs,
    make_folder,
    named,
    provenance,
)
from studies.study import OfSets, WithScales
from studies.tables import Table, columns

ALL = "all"
SOFT_AT_FULL_SIZE = {"HRF", "IDRiD"}
"""Photographs that hold little fine detail at their own size: always shrunk for the check."""
_NOTE = (
    "Errors in grey levels of luminance (BT.601, full range), mean over photographs. "
    "rho: Spearman's rank correlation. "
    f"Shares: of windows above {THRESHOLD:g} levels."
)
COLUMNS = columns(
    "dataset:set", "scale", "n", "error:true error", "expected", "within:rho within a photograph",
    "pooled:rho of all windows", "images:rho of photographs", "share:true share above:3",
    "guessed:expected share above:3",
)  # fmt: skip


def sizes_of(photograph: Photograph) -> tuple[int | None, ...]:
    """The diameters of the check: native, or for soft photographs those of fitting."""
    return FIELD_DIAMETERS if photograph.dataset in SOFT_AT_FULL_SIZE else (None,)


@dataclass(frozen=True)
class Consistency(OfSets, WithScales):
    """Fits on the validation photographs, checks on the held-out ones; of DRIVE, the test half.

    Leaves ``consistency.md`` and ``consistency.json``, and in ``consistency-windows`` what was
    measured, from which an interrupted run continues.
    """

    fit: bool = option(
        False, help="calibrate first; kept beside the model's weights. A model with a twin is "
        "fitted at its default fidelity, at 0 and at 1 together",
    )  # fmt: skip
    tiles: int | None = option(
        None, metavar="N",
        help="measure N tiles of a photograph, spread over it; default: all of it",
    )  # fmt: skip
    model: str | None = option(None, metavar="NAME", help="default: the shipped one")
    fidelity: float | None = option(None, metavar="F", help="to check at; default: the model's own")

    def measure(self, progress: Progress = no_progress) -> str:
        found = find_photographs(self.data)
        name = self.model or default_model("superres")
        card, method = find_model(name), method_of(name)
        settings = EnhanceSettings(method, model=name, device=self.device)

        @cache
        def at(scale: int, fidelity: float | None) -> Enhancer:
            return make_enhancer(replace(settings.at(scale), fidelity=fidelity))

        kept = self.out / "consistency-windows" / card.weights_sha256[:16]
        make_folder(kept)
        command = replace(self, model=name).command()
        models = {method: named(card)}
        if self.fit:
            chosen = self._validation(found)
            items = items_of(chosen, self.scales, partial(fitting_fidelities, card))
            first = part_of(progress, 0.0, 0.5)
            samples = measure(items, at, kept, tiles=self.tiles, progress=first)
            calibration = calibration_of(card, samples, provenance(command, chosen, models))
            save_calibration(calibration, card)
        else:
            calibration = read_calibration(card)
        held_out = held_out_photographs(found, self.sets, self.limit)

        def used(scale: int) -> tuple[float | None]:
            return (card.fidelity_at(scale) if self.fidelity is None else self.fidelity,)

        items = items_of(held_out, self.scales, used, sizes_of)
        second = part_of(progress, 0.5 if self.fit else 0.0, 1.0)
        measured = measure(items, at, kept, tiles=self.tiles, progress=second)
        progress(1.0, "Evaluated")
        return self._write(measured, calibration, provenance(command, held_out, models))

    def _validation(self, found: Iterable[Photograph]) -> list[Photograph]:
        of_sets = [p for p in split(found)["validation"] if not self.sets or p.dataset in self.sets]
        chosen = first_of_each_set(of_sets, self.limit)
        if not chosen:
            raise UserError(
                "The data folder holds no validation photographs.",
                "A calibration is fitted to those alone: CHASE_DB1 09 and 10, HRF 07 and the like.",
            )
        return chosen

    def _write(
        self, measured: Sequence[Measured], calibration: Calibration, about: dict[str, Any]
    ) -> str:
        rows = summarise(measured, calibration)
        tenths, parts = decile_rows(measured, calibration), ingredient_rows(measured, calibration)
        markdown = to_markdown(rows, tenths, parts)
        note = f"\nMeasured by `{about['command']}`.\n"
        write_report(self.out / "consistency.md", markdown + note)
        whole = {
            "provenance": about,
            "calibration": calibration.model_dump(mode="json"),
            "summary": rows,
            "deciles": tenths,
            "evidence": parts,
        }
        write_report(self.out / "consistency.json", json.dumps(whole, indent=1) + "\n")
        return markdown


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
    numbers = (str(number) for number in range(1, 11))
    tables = (
        Table(COLUMNS, rows, (_NOTE,)),
        Table(columns("scale", "what:tenth of the windows", *numbers), tenths),
        Table(
            columns("scale", "evidence", "weight", "within:rho alone, within a photograph"), parts
        ),
    )
    return "\n".join(table.to_markdown() for table in tables)


def spearman(first: ArrayLike, second: ArrayLike) -> float:
    """Spearman's rank correlation, tied values sharing their mean rank; NaN where one is constant.

    Args:
        first, second: paired values, ``(n,)``.
    """
    a, b = _ranks(np.asarray(first, np.float64)), _ranks(np.asarray(second, np.float64))
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"expected two paired rows of values, got {a.shape} and {b.shape}")
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else float("nan")


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, side="left")
    through = np.searchsorted(ordered, values, side="right")
    return np.asarray((below + through + 1) / 2.0, np.float64)


def deciles(expected: ArrayLike, error: ArrayLike) -> list[tuple[float, float]]:
    """Mean expected and mean true error in each tenth of the windows, by expected error."""
    wanted, true = np.asarray(expected, np.float64), np.asarray(error, np.float64)
    order = np.argsort(wanted, kind="stable")
    return [
        (float(wanted[part].mean()), float(true[part].mean()))
        for part in np.array_split(order, 10)
        if part.size
    ]
