"""Quality and time against what people use, in one run, on the same photographs and the same CPU.

Writes ``peers.md``, and ``peers_records.jsonl``, from which an interrupted run goes on. Photographs
that no model of this program has seen are shrunk, enlarged again and compared with what they were.
What is not installed stands in the table as missing; see :mod:`studies.peer_list` for how to
install it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.lpips import LPIPS, LPIPSReference, fastest_lpips
from retina_viewer.quality.metrics import dice
from retina_viewer.quality.protocols import Condition, EvaluationPair, EvaluationPairs
from retina_viewer.quality.records import Record, RecordLog, write_report
from retina_viewer.superres.enhance_settings import Scale
from retina_viewer.vessels.segment import VesselSegmenter, load_segmenter
from studies.data_folders import find_photographs
from studies.measuring import Job, measure_all
from studies.peer_list import Enlarge, Peer, all_peers
from studies.report import held_out_photographs, make_folder
from studies.study import WithData
from studies.superres import measure

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
    "`python -m studies peers` on one thread of one CPU for all; the processor time is that of "
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
Bytes = NDArray[np.uint8]
_KEY = ("dataset", "photograph", "kernel", "scale", "peer", "model")


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


@dataclass(frozen=True)
class Peers(WithData):
    out: Path = option(
        Path("docs/figures"), flags=("-o", "--out"), metavar="DIR", help="the page and its records"
    )
    peers: Path | None = option(None, metavar="DIR", help="where the peers were installed")
    scales: Sequence[Scale] = option((2, 4), metavar="S", help="enlargements")
    sets: Sequence[str] = option(("DRIVE",), metavar="SET", help="of the photographs")
    limit: int = option(3, metavar="N", help="photographs")
    kernels: Sequence[Kernel] = option(
        tuple(KERNELS), choices=tuple(KERNELS), help="how the small photographs are made"
    )

    def measure(self, progress: Progress = no_progress) -> str:
        if self.peers is not None:
            sys.path.append(str(self.peers.resolve()))
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        photographs = held_out_photographs(find_photographs(self.data), self.sets)[: self.limit]
        peers, ruler = all_peers(), Ruler()
        make_folder(self.out)
        jobs = [
            job
            for photograph, kernel in product(photographs, self.kernels)
            for subject in [Subject(photograph, kernel, ruler)]
            for scale in self.scales
            for job in subject.jobs(scale, peers)
        ]
        log = RecordLog(self.out / "peers_records.jsonl", _KEY)
        records = measure_all(jobs, log=log, progress=progress)
        page = report(by_condition(records), peers, photographs)
        write_report(self.out / "peers.md", page)
        return page


class Ruler:
    """The networks that measure, loaded when they are first needed."""

    @cached_property
    def lpips(self) -> LPIPS:
        return fastest_lpips(torch.device("cpu"))

    @cached_property
    def segmenter(self) -> VesselSegmenter:
        return load_segmenter(None, "cpu")


class Subject:
    """One photograph, shrunk, and what its enlargements are compared with."""

    def __init__(self, photograph: Photograph, kernel: Kernel, ruler: Ruler) -> None:
        self._photograph, self._kernel, self._ruler = photograph, kernel, ruler
        self._scenes = EvaluationPairs(photograph)
        self._features: tuple[EvaluationPair, LPIPSReference] | None = None

    def jobs(self, scale: int, peers: Sequence[Peer]) -> list[Job]:
        """The photograph itself, which has vessels alone, and every peer that is installed."""
        found = [Job(self._who(scale, ORIGINAL, ""), lambda: self._of_the_original(scale))]
        for peer in peers:
            if peer.enlarge is not None:
                measure = partial(self._of_a_peer, scale, peer.enlarge)
                found.append(Job(self._who(scale, peer.name, peer.identity), measure))
        return found

    def _who(self, scale: int, peer: str, identity: str) -> Record:
        return {
            "dataset": self._photograph.dataset,
            "photograph": self._photograph.id,
            "kernel": self._kernel,
            "scale": scale,
            "peer": peer,
            "model": identity,
        }

    def _scene(self, scale: int) -> EvaluationPair:
        return self._scenes.scene(Condition("native", self._kernel, scale))

    def _of_the_original(self, scale: int) -> Record:
        scene = self._scene(scale)
        return {**self._vessels(scene, scene.truth.rgb8)}

    def _of_a_peer(self, scale: int, enlarge: Enlarge) -> Record:
        scene = self._scene(scale)
        if self._features is None or self._features[0] is not scene:
            reference = LPIPSReference(self._ruler.lpips, scene.truth.rgb8)
            self._features = (scene, reference)
        result, seconds = timed(enlarge, scene.small, scale)
        return {
            **measure(scene.truth, result, scene.mask),
            "lpips": self._features[1].distance(result, scene.mask),
            **self._vessels(scene, result),
            "seconds": seconds,
            "per_megapixel": seconds / (result.shape[0] * result.shape[1] / 1e6),
        }

    def _vessels(self, scene: EvaluationPair, rgb8: Bytes) -> Row:
        """``dice`` where somebody drew the vessels; else nothing."""
        if self._photograph.vessels is None:
            return {}
        inside, segmenter = scene.truth.mask, self._ruler.segmenter
        height, width = inside.shape
        drawn = self._photograph.read_vessels()[:height, :width]
        threshold = segmenter.card.threshold
        assert threshold is not None
        # The field of view is the photograph's: how well it is found again is not asked here.
        seen = find_field_of_view(scene.truth.rgb8)
        return {"dice": dice(segmenter.probability(rgb8, seen) >= threshold, drawn, inside)}


def timed(enlarge: Enlarge, small: Bytes, scale: int) -> tuple[Bytes, float]:
    """The result, and the processor time that it took on one thread: other work does not count.

    Weights are loaded before. What takes less than half a second is the fastest of three.
    """
    enlarge(np.ascontiguousarray(small[:24, :24]), scale)
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        result = enlarge(small, scale)
        best = min(best, time.process_time() - start)
        if best > 0.5:
            break
    return result, best
