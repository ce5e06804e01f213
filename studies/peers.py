"""Quality and time against what people use, in one run, on the same photographs and the same CPU.

``python -m studies.peers DATA -o DIR`` writes ``peers.md``, and ``peers_records.jsonl``, from
which an interrupted run goes on. Photographs that no model of this program has seen are shrunk
(:mod:`retina_viewer.imaging.degradation`), enlarged again and compared with what they were, by the
functions of ``retina-viewer evaluate``. What is not installed stands in the table as missing; see
:mod:`studies.peer_list` for how to install it.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from retina_viewer.imaging.degradation import Kernel
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.quality.datasets import Photograph, subset_of
from retina_viewer.quality.lpips import LPIPS, LPIPSReference, fastest_lpips
from retina_viewer.quality.metrics import dice
from retina_viewer.quality.protocols import Condition, Scene, Scenes
from retina_viewer.quality.tables import Record, RecordLog
from retina_viewer.vessels.segment import VesselSegmenter, load_segmenter
from studies.data_folders import find_photographs
from studies.measuring import Job, measure_all
from studies.peer_list import Enlarge, Peer, all_peers
from studies.peer_page import KERNELS, ORIGINAL, Row, by_condition, report
from studies.superres import measure

Bytes = NDArray[np.uint8]
_KEY = ("dataset", "photograph", "kernel", "scale", "peer", "model")


def main() -> None:
    options = _options()
    if options.peers is not None:
        sys.path.append(str(options.peers.resolve()))
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    found = [one for one in find_photographs(options.data) if subset_of(one) == "held_out"]
    wanted = [one for one in found if one.part in ("", "test")]
    photographs = [one for one in wanted if not options.sets or one.dataset in options.sets]
    photographs = photographs[: options.limit]
    if not photographs:
        sys.exit(f"{options.data} holds no photograph that is held out.")
    peers = all_peers()
    options.out.mkdir(parents=True, exist_ok=True)
    log = RecordLog(options.out / "peers_records.jsonl", _KEY)
    records = measured(photographs, peers, options.scales, options.kernels, log)
    page = report(by_condition(records), peers, photographs)
    (options.out / "peers.md").write_text(page, encoding="utf-8")
    print(page)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the public sets")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--peers", type=Path, help="folder where the peers were installed")
    parser.add_argument("--scales", type=int, nargs="+", default=[2, 4], choices=(2, 4, 8, 16))
    parser.add_argument("--sets", nargs="+", default=["DRIVE"])
    parser.add_argument("--limit", type=int, default=3, help="photographs")
    parser.add_argument("--kernels", nargs="+", choices=tuple(KERNELS), default=list(KERNELS))
    return parser.parse_args()


def measured(
    photographs: Sequence[Photograph],
    peers: Sequence[Peer],
    scales: Sequence[int],
    kernels: Sequence[Kernel],
    log: RecordLog,
) -> list[Record]:
    """One record a photograph, kernel, scale and peer that is installed, and one of the
    photograph."""
    ruler = Ruler()
    jobs = [
        job
        for photograph in photographs
        for kernel in kernels
        for subject in [Subject(photograph, kernel, ruler)]
        for scale in scales
        for job in subject.jobs(scale, peers)
    ]
    return measure_all(jobs, log=log, progress=_say)


def _say(fraction: float, what: str) -> None:
    print(f"{fraction:4.0%}  {what}", file=sys.stderr, flush=True)


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
        self._scenes = Scenes(photograph)
        self._features: tuple[Scene, LPIPSReference] | None = None

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

    def _scene(self, scale: int) -> Scene:
        return self._scenes.scene(Condition("native", self._kernel, scale))

    def _of_the_original(self, scale: int) -> Record:
        scene = self._scene(scale)
        return {**self._vessels(scene, scene.truth.rgb8)}

    def _of_a_peer(self, scale: int, enlarge: Enlarge) -> Record:
        scene = self._scene(scale)
        if self._features is None or self._features[0] is not scene:
            reference = LPIPSReference.of(self._ruler.lpips, scene.truth.rgb8)
            self._features = (scene, reference)
        result, seconds = timed(enlarge, scene.small, scale)
        return {
            **measure(scene.truth, result, scene.mask),
            "lpips": self._features[1].distance(result, scene.mask),
            **self._vessels(scene, result),
            "seconds": seconds,
            "per_megapixel": seconds / (result.shape[0] * result.shape[1] / 1e6),
        }

    def _vessels(self, scene: Scene, rgb8: Bytes) -> Row:
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


if __name__ == "__main__":
    main()
