"""Every fidelity of a saliency GAN on validation photographs, and which should be its default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np

from retina_viewer.core.errors import UserError
from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.quality.calibration import FIELD_DIAMETERS
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition, EvaluationPairs
from retina_viewer.quality.records import Record, RecordLog, Value
from studies.contenders import Contenders
from studies.data_folders import find_photographs, subset_of
from studies.measuring import Job, grouped, mean_row, measure_all
from studies.report import first_of_each_set
from studies.sharpness import Perceptual
from studies.study import Enlarging
from studies.superres import figures_of
from studies.tables import Table, columns

MOST_LOSS = 0.3
"""dB of PSNR that the default may lose against the pixel-trained twin."""
_TOO_SHARP = 1.1
_COLUMNS = columns(
    "kernel", "scale", "fidelity:fidelity:1", "n", "psnr:PSNR Y", "loss:PSNR lost",
    "ssim:SSIM Y:4", "lpips:LPIPS:4", "lpips_change:change %:+1", "s3_ratio:S3 / original",
    "drift:drift:3",
)  # fmt: skip
_RULE = (
    "Fidelity 1 is the pixel-trained network, 0 the GAN; PSNR lost and the change of LPIPS are "
    "against fidelity 1. The rule: of the positions that lose at most 0.3 dB with every kernel, "
    "the one whose LPIPS, as a ratio to that at fidelity 1 and averaged over kernels, is least; of "
    "equals the more faithful. Each scale has its own."
)
_NOTE = "Means over validation photographs; figures as in the table of `evaluate sr`."
METHOD = "saliency-gan"
POSITIONS = tuple(tenth / 10 for tenth in range(11))
_KEY = ("dataset", "photograph", "diameter", "kernel", "scale", "fidelity", "model")


def summarise(records: Sequence[Record]) -> Table:
    """One row a kernel, scale and fidelity, the rule, and the choice by it.

    Args:
        records: of :func:`~studies.fidelity.sweep`, with fidelity 1 among them.
    """
    groups = grouped(records, ("kernel", "scale", "fidelity"))
    rows: list[Record] = []
    for (kernel, scale, fidelity), members in sorted(groups.items()):
        row: Record = {"kernel": kernel, "scale": scale, "fidelity": fidelity, "n": len(members)}
        row |= mean_row(members, ("psnr", "ssim", "lpips", "s3_ratio", "drift"))
        twin = mean_row(groups[kernel, scale, 1.0], ("psnr", "lpips"))
        row["loss"] = float(twin["psnr"]) - float(row["psnr"])
        row["lpips_change"] = 100 * (float(row["lpips"]) / float(twin["lpips"]) - 1)
        rows.append(row)
    return Table(_COLUMNS, rows, (_NOTE, _RULE, _said(rows)))


def choose(rows: Sequence[Mapping[str, Value]]) -> dict[int, float]:
    """The default fidelity of each scale, by the rule that the table states; 1 where no other
    satisfies it.

    Args:
        rows: of :func:`summarise`.
    """
    scales = sorted({int(row["scale"]) for row in rows})
    return {scale: _of_scale([row for row in rows if row["scale"] == scale]) for scale in scales}


def _of_scale(rows: Sequence[Mapping[str, Value]]) -> float:
    changes: dict[float, list[float]] = {}
    for row in rows:
        changes.setdefault(float(row["fidelity"]), []).append(float(row["lpips_change"]))
    refused = {float(row["fidelity"]) for row in rows if float(row["loss"]) > MOST_LOSS}
    allowed = {at: float(np.mean(own)) for at, own in changes.items() if at not in refused}
    return min(allowed, key=lambda at: (allowed[at], -at))


def _said(rows: Sequence[Record]) -> str:
    chosen = choose(rows)
    sharp = [
        f"x{row['scale']} {row['kernel']}"
        for row in rows
        if row["fidelity"] == chosen[int(row["scale"])] and float(row["s3_ratio"]) > _TOO_SHARP
    ]
    warned = f" There it is sharper than the original by S3: {', '.join(sharp)}." if sharp else ""
    said = ", ".join(f"**{share:g}** at x{scale}" for scale, share in chosen.items())
    return f"Chosen: {said}.{warned}"


def validation_photographs(photographs: Sequence[Photograph]) -> list[Photograph]:
    """Those on which choices rest.

    Raises:
        UserError: there is none.
    """
    chosen = [one for one in photographs if subset_of(one) == "validation"]
    if not chosen:
        raise UserError(
            "The data folder holds no validation photographs.",
            "The default is chosen on CHASE_DB1 09 and 10, HRF 07, FIVES 27_A and IDRiD 45 to 48.",
        )
    return chosen


def scenes_of(photographs: Sequence[Photograph]) -> list[EvaluationPairs]:
    """Each photograph with a field of view of 540, 760 or 1000 pixels, in turn within its set."""
    counts: dict[str, int] = {}
    found: list[EvaluationPairs] = []
    for photograph in photographs:
        number = counts.get(photograph.dataset, 0)
        counts[photograph.dataset] = number + 1
        # The sets begin at different sizes, so that each size meets several cameras.
        turn = (number + len(counts)) % len(FIELD_DIAMETERS)
        found.append(EvaluationPairs(photograph, FIELD_DIAMETERS[turn]))
    return found


def sweep(
    photographs: Sequence[Photograph],
    contenders: Mapping[float, Contenders],
    perceptual: Perceptual,
    *,
    log: RecordLog | None = None,
    progress: Progress = no_progress,
) -> list[Record]:
    """Measure every position of the slider under every condition on every photograph.

    Args:
        photographs: for a choice, validation photographs.
        contenders: by fidelity, each of the method ``saliency-gan`` and the same conditions.

    Returns:
        One record a photograph, condition and fidelity: the names of
        :func:`~studies.superres.figures_of`, and who.
    """
    identities = {fidelity: one.identities()[METHOD] for fidelity, one in contenders.items()}
    conditions = next(iter(contenders.values())).conditions

    def measured(scenes: EvaluationPairs, condition: Condition, fidelity: float) -> Record:
        enhancer = contenders[fidelity].enhancer(METHOD, condition)
        return figures_of(enhancer, scenes.scene(condition), perceptual)

    jobs = [
        Job(
            {
                "dataset": scenes.photograph.dataset, "photograph": scenes.photograph.id,
                "diameter": scenes.diameter or 0, "kernel": condition.kernel,
                "scale": condition.scale, "fidelity": fidelity, "model": identities[fidelity],
            },
            partial(measured, scenes, condition, fidelity),
            ("lpips",),
        )
        for scenes in scenes_of(photographs)
        for condition, fidelity in product(conditions, contenders)
    ]  # fmt: skip
    return measure_all(jobs, log=log, progress=progress)


@dataclass(frozen=True, kw_only=True)
class FidelitySweep(Enlarging):
    """On the validation photographs, never on held-out ones: the choice is part of the training.

    Leaves ``fidelity.md``, ``.csv``, ``_per_image.csv``, ``.json`` and
    ``fidelity_records.jsonl``, from which an interrupted run continues.
    """

    model: str = option(flags=("--model",), metavar="NAME", help="a saliency GAN")

    def measure(self, progress: Progress = no_progress) -> str:
        found = validation_photographs(find_photographs(self.data))
        photographs = first_of_each_set(found, self.limit)
        contenders = {
            at: Contenders(
                (METHOD,), self.conditions(), settings=replace(self.settings(), fidelity=at)
            )
            for at in POSITIONS
        }
        models = {f"fidelity {at:g}": one.models()[METHOD] for at, one in contenders.items()}
        log = self.log("fidelity_records.jsonl", _KEY)
        looks = Perceptual(self.device)
        records = sweep(photographs, contenders, looks, log=log, progress=progress)
        table = summarise(records)
        chosen = choose(table.rows)
        return self.report(
            "fidelity", [table], records, photographs, models, chosen_fidelity=chosen
        )
