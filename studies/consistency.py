"""The consistency map against the truth: fitted on validation photographs, checked on held-out.

Every photograph is shrunk once a scale, by the two kernels in turn, and enlarged again.
Correlations are Spearman's, between the expected and the true error of local windows (10, 12, 8 and
16 result pixels wide at x2, x4, x8 and x16), inside the eroded field of view.
"""

import json
import shlex
from collections.abc import Iterable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from retina_viewer.core.errors import UserError
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
from retina_viewer.quality.datasets import Photograph, split
from retina_viewer.quality.tables import write_report
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.methods import make_enhancer, method_of
from retina_viewer.superres.uncertainty_calibration import (
    Calibration,
    read_calibration,
    save_calibration,
)
from studies.consistency_summary import (
    decile_rows,
    ingredient_rows,
    summarise,
    to_markdown,
)
from studies.data_folders import find_photographs
from studies.report import held_out_photographs, make_folder, provenance

SOFT_AT_FULL_SIZE = {"HRF", "IDRiD"}
"""Photographs that hold little fine detail at their own size: always shrunk for the check."""


def sizes_of(photograph: Photograph) -> tuple[int | None, ...]:
    """The diameters of the check: native, or for soft photographs those of fitting."""
    return FIELD_DIAMETERS if photograph.dataset in SOFT_AT_FULL_SIZE else (None,)


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
    method = method_of(name)

    @cache
    def at(scale: int, fidelity: float | None) -> Enhancer:
        settings = EnhanceSettings(method, model=name, device=device, fidelity=fidelity)
        return make_enhancer(settings.at(scale))

    kept = out / "consistency-windows" / card.weights_sha256[:16]
    make_folder(kept)
    command = _command_line(fit, scales, sets, limit, tiles, name, fidelity)
    models = {method: {"name": name, "sha256": card.weights_sha256}}
    if fit:
        chosen = _validation(found, sets, limit)
        items = items_of(chosen, scales, partial(fitting_fidelities, card))
        first = part_of(progress, 0.0, 0.5)
        samples = measure(items, at, kept, tiles=tiles, progress=first)
        calibration = calibration_of(card, samples, provenance(command, chosen, models))
        save_calibration(calibration, card)
    else:
        calibration = read_calibration(card)
    held_out = held_out_photographs(found, sets, limit)

    def used(scale: int) -> tuple[float | None]:
        return (card.fidelity_at(scale) if fidelity is None else fidelity,)

    items = items_of(held_out, scales, used, sizes_of)
    second = part_of(progress, 0.5 if fit else 0.0, 1.0)
    measured = measure(items, at, kept, tiles=tiles, progress=second)
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
