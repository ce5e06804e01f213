"""What back-projection is worth, on validation photographs: the tables of its decision page.

Squares of 512 x 512 pixels from the middle of five photographs whose fields of view are shrunk to
540..1000 px, luminance in the studio range, without the outermost four source pixels. First every
kernel at every scale, clean; then JPEG and sensor noise with fixed weights beside what the program
does; last the seconds that a result of 1024 x 1024 takes more.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import (
    Degradation,
    Kernel,
    degrade,
    degrade_with_blur,
    sampling_blur,
    to_8bit,
)
from retina_viewer.quality.metrics import colour_drift, luminance_studio, psnr
from retina_viewer.superres.back_projection import BackProjected
from retina_viewer.superres.cascade import estimate_degradation
from retina_viewer.superres.enhance_settings import SCALES, EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer, FloatImage
from retina_viewer.superres.methods import make_enhancer
from retina_viewer.training.patches import jpeg_round_trip
from studies.data_folders import find_photographs, split
from studies.study import WithData, WithScales

SIDE = 512
RIM = 4  # source pixels
SHRUNK = {"09L": 1.0, "10R": 1.0, "07_g": 0.3, "IDRiD_45": 0.25, "IDRiD_47": 0.3}
KERNELS: tuple[Kernel, ...] = ("gaussian", "area", "bicubic")
CAST = np.array([2, -1, 1], np.float32) / 255
"""A colour drift that a careless network might have, grey levels."""


@dataclass(frozen=True)
class Known:
    """An enhancer whose result is there already."""

    result: FloatImage
    scale: int
    degradation: Degradation
    method: str = "known"
    model: str | None = None
    margin: int = 0
    whole_image_only: bool = True
    fidelity: None = None
    back_projection: None = None

    def fitted_to(self, rgb: FloatImage) -> Self:
        return self

    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        return self.result[region.scaled(self.scale).slices()]


def squares(data: Path) -> Iterator[NDArray[np.uint8]]:
    for photograph in split(find_photographs(data))["validation"]:
        if factor := SHRUNK.get(photograph.id):
            rgb = photograph.read_rgb()
            if factor < 1:
                size = (round(rgb.shape[1] * factor), round(rgb.shape[0] * factor))
                rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
            top, left = (rgb.shape[0] - SIDE) // 2, (rgb.shape[1] - SIDE) // 2
            yield rgb[top : top + SIDE, left : left + SIDE]


def spoiled(low: FloatImage, how: str) -> NDArray[np.uint8]:
    if how == "noise 2":
        random = np.random.default_rng(0)
        return to_8bit(low + random.normal(0, 2 / 255, low.shape).astype(np.float32))
    low8 = to_8bit(low)
    return jpeg_round_trip(low8, int(how.split()[1])) if how.startswith("JPEG") else low8


class Row:
    """PSNR gained and what is left to the photograph, over the squares."""

    def __init__(self) -> None:
        self.gains: list[float] = []
        self.left: list[float] = []
        self.drift: list[float] = []

    def add(
        self, truth: NDArray[np.uint8], low: FloatImage, known: Known, held: BackProjected | None
    ) -> None:
        scale, whole = known.scale, Rect(0, 0, low.shape[1], low.shape[0])
        result = known.result if held is None else held.enhance_region(low, whole)
        mask = np.zeros(truth.shape[:2], np.bool_)
        mask[RIM * scale : -RIM * scale, RIM * scale : -RIM * scale] = True
        y = luminance_studio(truth)
        before, after = (
            psnr(y, luminance_studio(to_8bit(one)), mask) for one in (known.result, result)
        )
        self.gains.append(after - before)
        lacking = (degrade_with_blur(result, scale, known.degradation.blur) - low)[
            RIM:-RIM, RIM:-RIM
        ]
        self.left.append(255 * float(np.sqrt(np.mean(np.square(lacking)))))
        source = np.repeat(np.repeat(to_8bit(low), scale, axis=0), scale, axis=1)
        self.drift.append(colour_drift(to_8bit(result), source, scale, mask))

    def __str__(self) -> str:
        gain, least = np.mean(self.gains), min(self.gains)
        return f"{gain:+.2f} (least {least:+.2f}) | {max(self.left):.2f} | {max(self.drift):.2f}"


@dataclass(frozen=True)
class BackProjectionStudy(WithData, WithScales):
    model: str = option("pixel", metavar="NAME", help="whose results are held to the photograph")

    def measure(self, progress: Progress = no_progress) -> str:
        torch.set_num_threads(2)
        rows: dict[tuple[str, ...], Row] = defaultdict(Row)
        truths = list(squares(self.data))
        cases = [("clean", kernel, scale) for scale in self.scales for kernel in KERNELS]
        spoilt = product(("JPEG 90", "JPEG 75", "noise 2"), ("gaussian",), self.scales[:3])
        cases += [(how, "gaussian", scale) for how, _, scale in spoilt]
        for number, (how, kernel, scale) in enumerate(cases):
            progress(number / len(cases), f"{how}, {kernel}, x{scale}")
            made = EnhanceSettings(
                "pixel", scale, model=self.model, back_projection=False, device="cpu"
            )
            enhancer = make_enhancer(made)
            for truth in truths:
                add_case(rows, enhancer, truth, how, kernel)
        head = ("photograph", "kernel", "scale", "back-projection", "PSNR, dB", "left, levels")
        lines = [f"| {' | '.join(head)} | delta-E |", "|---|---|---|---|---|---|---|"]
        lines += [f"| {' | '.join(what)} | {row} |" for what, row in rows.items()]
        return "\n".join([*lines, *time_it()])


def add_case(
    rows: dict[tuple[str, ...], Row], enhancer: Enhancer, truth: NDArray[np.uint8], how: str,
    kernel: Kernel,
) -> None:  # fmt: skip
    """Measure one photograph without back-projection, and with it in every way."""
    scale = enhancer.scale
    clean = degrade(truth.astype(np.float32) / np.float32(255), scale, kernel)
    low = spoiled(clean, how).astype(np.float32) / np.float32(255)
    fitted = enhancer.fitted_to(low)
    result = fitted.enhance_region(low, Rect(0, 0, low.shape[1], low.shape[0]))
    noise = 255 * float(np.sqrt(np.mean(np.square(low - clean))))
    true = Known(result, scale, Degradation(sampling_blur(kernel, scale), noise))
    guess = replace(true, degradation=estimate_degradation(low))
    cast = replace(true, result=np.clip(result + CAST, 0, 1))
    ways: dict[str, tuple[Known, BackProjected | None]] = {
        "without": (true, None),
        "as shipped, estimated": (guess, BackProjected(guess)),
        "blur and noise known": (true, BackProjected(true, doubt=0)),
        "colour cast added": (cast, BackProjected(cast)),
    }
    for weight in () if how == "clean" else (0.25, 0.5, 0.75, 1.0):  # of all, noise or not
        fixed = replace(true, degradation=replace(true.degradation, noise=0.0))
        ways[f"fixed weight {weight}"] = (true, BackProjected(fixed, weight, doubt=0))
    for way, (known, held) in ways.items():
        rows[how, kernel, f"x{scale}", way].add(truth, low, known, held)


def time_it() -> Iterator[str]:
    for scale in SCALES:
        side = 1024 // scale
        low = np.random.default_rng(0).random((side, side, 3), dtype=np.float32)
        large = cv2.resize(low, (1024, 1024), interpolation=cv2.INTER_CUBIC)
        known = Known(np.clip(large, 0, 1), scale, Degradation(0.4, 0.3))
        held, seconds = BackProjected(known), []
        for _ in range(8):
            start = time.perf_counter()
            held.enhance_region(low, Rect(0, 0, side, side))
            seconds.append(time.perf_counter() - start)
        yield f"x{scale}: {min(seconds):.3f} s for 1024 x 1024"
