"""Keep in a model's card what a report measured of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retina_viewer.core.errors import UserError
from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.model_store.card import Measurement, ModelCard
from retina_viewer.model_store.store import find_model, save_card
from studies.study import Study

_OF_METHODS: tuple[str, ...] = (
    "psnr", "gain", "ssim", "rmse", "lpips", "lpips_change", "s3_ratio", "drift",
    "dice", "auc", "sensitivity_thin", "won_back",
    "kept", "kept_gain", "lost",
    "blur_error", "blur_read", "noise_read",
)  # fmt: skip
"""What reports on enlargements may hold: of likeness, of vessels found again, of lesions, and of
the blur and noise that were read from the small photograph."""
_OF_VESSELS: tuple[str, ...] = ("auc", "dice", "sensitivity", "specificity", "accuracy")


@dataclass(frozen=True)
class Recording(Study):
    name: str = option(metavar="NAME", help="of the model")
    report: Path = option(metavar="REPORT.json", help="made by 'python -m studies evaluate'")

    def measure(self, progress: Progress = no_progress) -> str:
        card = record_figures(find_model(self.name), self.report)
        return f"{self.name}: the card holds {len(card.measurements)} figures"


def record_figures(card: ModelCard, report: Path) -> ModelCard:
    """Put the figures of a report into a model's card.

    ``superres.json``, ``recovery.json`` and ``lesions.json`` for a network of super-resolution,
    ``formation.json`` for the estimator, ``vessels.json`` for one of vessels. Figures of the same
    command replace those that the card held; others stay.

    Args:
        card: as read from the model's folder, which must be writable.
        report: made by ``python -m studies evaluate``.

    Returns:
        The new card, as written.

    Raises:
        UserError: no such report, one on validation photographs, or it measured other weights than
            this card's.
    """
    try:
        content = json.loads(report.read_text(encoding="utf-8"))
        about, rows = content["provenance"], content["summary"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{report.name} is not a report of figures.",
            "Make one with python -m studies evaluate.",
        ) from error
    methods = {m for m, model in about["models"].items() if model["sha256"] == card.weights_sha256}
    if not methods:
        raise UserError(
            f"The report measured other weights than those of {card.name!r}.",
            "Measure this model: python -m studies evaluate ... --model NAME.",
        )
    if any("dataset" not in row for row in rows):
        raise UserError(
            "The report is of a choice on validation photographs, which prove nothing.",
            "Put the chosen fidelity into the card, and measure: python -m studies evaluate sr.",
        )
    new = [m for row in rows for m in _of_row(row, methods, about["command"])]
    kept = [old for old in card.measurements if old.command != about["command"]]
    changed = card.model_copy(update={"measurements": (*kept, *new)})
    if card.directory is None:
        raise ValueError("this card was not read from a model folder")
    save_card(changed, card.directory)
    return changed


def _of_row(row: dict[str, Any], methods: set[str], command: str) -> list[Measurement]:
    if "method" in row:
        if row["method"] not in methods:
            return []
        protocol = f" {row['protocol']}" if "protocol" in row else ""
        where = f"{row['dataset']} x{row['scale']} {row['kernel']}{protocol}"
        names = _OF_METHODS
    else:
        where = f"{row['dataset']} ({row['over']})"
        names = _OF_VESSELS
    return [
        Measurement(
            data=f"{where}, n={row['n']}", metric=name, value=round(row[name], 5), command=command
        )
        for name in names
        if isinstance(row.get(name), float)
    ]
