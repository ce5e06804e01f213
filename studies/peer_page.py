"""The page that :mod:`studies.peers` writes."""

from collections.abc import Sequence
from statistics import fmean

from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.tables import Record
from studies.peer_list import Peer

Row = dict[str, float]
COLUMNS = (
    ("psnr", "PSNR, dB", ".2f"), ("ssim", "SSIM", ".4f"), ("lpips", "LPIPS", ".3f"),
    ("dice", "vessel Dice", ".3f"), ("seconds", "CPU s", ".2f"),
    ("per_megapixel", "CPU s / MP", ".2f"),
)  # fmt: skip
KERNELS: dict[str, str] = {"gaussian": "Gaussian blur, then sampling", "bicubic": "bicubic"}
ORIGINAL = "the photograph itself"
INTRODUCTION = (
    "Means over {}: shrunk, enlarged again, compared with what they were. Measured by "
    "`python -m studies.peers` on one thread of one CPU for all; the processor time is that of "
    "the thread, though a busy machine adds a little to it. A row is measured again when its "
    "weights change, and else taken over from an earlier run on the same machine. No model of this "
    "program has seen these photographs."
)
COLUMNS_EXPLAINED = (
    "PSNR and SSIM of luminance and LPIPS (VGG-16; less is better) inside the field of view. "
    "Vessel Dice: what the shipped vessel network finds in the enlargement, against the vessels "
    "as an expert drew them on the photograph. CPU s: processor time of one thread for one "
    "photograph, the estimate of its blur included; MP: million pixels of the result. Bold: the "
    "best of the enlargements."
)
NETWORKS_EXPLAINED = (
    "A network without weights for a scale enlarges twice, or more and is then shrunk: x2 of "
    "x4plus, x4 of waifu2x. These networks learned from everyday pictures (animevideov3 from "
    "drawn ones), this program's from photographs of the retina, shrunk by blurs of many widths; "
    "SPAN learned from bicubically shrunk pictures alone, so the bicubic tables are its own "
    "ground. What is to be had for retinas is compared, not which network is better."
)


def by_condition(records: Sequence[Record]) -> dict[str, dict[str, Row]]:
    """The means over photographs, by condition and peer."""
    kept: dict[str, dict[str, list[Row]]] = {}
    for record in records:
        condition = f"x{record['scale']}, {KERNELS[str(record['kernel'])]}"
        row = {key: float(record[key]) for key, _, _ in COLUMNS if key in record}
        kept.setdefault(condition, {}).setdefault(str(record["peer"]), []).append(row)
    return {
        condition: {
            name: {key: fmean(row[key] for row in rows) for key in rows[0]}
            for name, rows in peers.items()
        }
        for condition, peers in kept.items()
    }


def report(
    means: dict[str, dict[str, Row]], peers: Sequence[Peer], photographs: Sequence[Photograph]
) -> str:
    """The page: one table a condition, what is missing, and what the columns mean."""
    names = ", ".join(one.name for one in photographs)
    lines = ["# Against what people use", "", INTRODUCTION.format(names), ""]
    for condition, found in means.items():
        lines += table(condition, found, peers)
    lines += [explanation(peers), ""]
    return "\n".join(lines)


def table(condition: str, means: dict[str, Row], peers: Sequence[Peer]) -> list[str]:
    """Markdown of one condition: the best of each column of quality is bold."""
    made = {name: row for name, row in means.items() if name != ORIGINAL}
    lines = [
        f"## {condition}",
        "",
        "| | " + " | ".join(title for _, title, _ in COLUMNS) + " |",
        "|---" + "|---:" * len(COLUMNS) + "|",
    ]
    for name in [ORIGINAL, *(peer.name for peer in peers)]:
        if name not in means:
            lines.append(f"| {name} | " + " | ".join(["missing", *[""] * 5]) + " |")
            continue
        cells = [_cell(key, form, name, means[name], made) for key, _, form in COLUMNS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _cell(key: str, form: str, name: str, row: Row, made: dict[str, Row]) -> str:
    if key not in row:
        return ""
    text = format(row[key], form)
    values = [other[key] for other in made.values() if key in other]
    judged = key in ("psnr", "ssim", "lpips", "dice") and name in made
    best = min(values) if key == "lpips" else max(values)
    return f"**{text}**" if judged and text == format(best, form) else text


def explanation(peers: Sequence[Peer]) -> str:
    """What the columns are, whose the peers are, and how to get what is missing."""
    parts = [COLUMNS_EXPLAINED, "", NETWORKS_EXPLAINED]
    own = [
        f"{peer.name}: {peer.identity[:16]}" for peer in peers if peer.enlarge and not peer.licence
    ]
    licences = sorted({f"{peer.maker}: {peer.licence}" for peer in peers if peer.licence})
    parts += ["", f"Weights (SHA-256): {'; '.join(own)}. Licences: {'; '.join(licences)}."]
    missing = [f"{peer.name}: {peer.missing}" for peer in peers if peer.enlarge is None]
    if missing:
        parts += ["", "Missing: " + "; ".join(missing) + "."]
    return "\n".join(parts)
