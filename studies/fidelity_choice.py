"""The rule by which a saliency GAN's default fidelity is chosen."""

from collections.abc import Mapping, Sequence

import numpy as np

from retina_viewer.quality.tables import Column, Record, Table, Value

MOST_LOSS = 0.3
"""dB of PSNR that the default may lose against the pixel-trained twin."""
_TOO_SHARP = 1.1
_COLUMNS = (
    Column("kernel", "kernel"),
    Column("scale", "scale"),
    Column("fidelity", "fidelity", digits=1),
    Column("n", "n"),
    Column("psnr", "PSNR Y"),
    Column("loss", "PSNR lost"),
    Column("ssim", "SSIM Y", digits=4),
    Column("lpips", "LPIPS", digits=4),
    Column("lpips_change", "change %", digits=1, signed=True),
    Column("s3_ratio", "S3 / original"),
    Column("drift", "drift", digits=3),
)
_RULE = (
    "Fidelity 1 is the pixel-trained network, 0 the GAN; PSNR lost and the change of LPIPS are "
    "against fidelity 1. The rule: of the positions that lose at most 0.3 dB with every kernel, "
    "the one whose LPIPS, as a ratio to that at fidelity 1 and averaged over kernels, is least; of "
    "equals the more faithful. Each scale has its own."
)
_NOTE = "Means over validation photographs; figures as in the table of `evaluate sr`."


def summarise(records: Sequence[Record]) -> Table:
    """One row a kernel, scale and fidelity, the rule, and the choice by it.

    Args:
        records: of :func:`~studies.fidelity.sweep`, with fidelity 1 among them.
    """
    groups: dict[tuple[str, int, float], list[Record]] = {}
    for record in records:
        key = (str(record["kernel"]), int(record["scale"]), float(record["fidelity"]))
        groups.setdefault(key, []).append(record)
    rows: list[Record] = []
    for (kernel, scale, fidelity), members in sorted(groups.items()):
        row: Record = {"kernel": kernel, "scale": scale, "fidelity": fidelity, "n": len(members)}
        twin = groups[kernel, scale, 1.0]
        for name in ("psnr", "ssim", "lpips", "s3_ratio", "drift"):
            row[name] = _mean(members, name)
        row["loss"] = _mean(twin, "psnr") - _mean(members, "psnr")
        row["lpips_change"] = 100 * (_mean(members, "lpips") / _mean(twin, "lpips") - 1)
        rows.append(row)
    return Table(_COLUMNS, rows, (_NOTE, _RULE, _said(rows)))


def _mean(members: Sequence[Record], name: str) -> float:
    return float(np.mean([float(one[name]) for one in members]))


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
