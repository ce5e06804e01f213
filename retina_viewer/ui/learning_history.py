"""What a training wrote down of itself, ordered for the eye; no Qt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.training.checkpoint import load_checkpoint

HISTORY = "history.json"
Point = Mapping[str, float]
"""``step`` and the losses (``player/term``) or metrics (no stroke) at it."""
Line = NDArray[np.float64]

_TITLES = {
    "generator/rgb": "Colour error",
    "generator/luminance": "Luminance error",
    "generator/pixel": "Pixel error",
    "generator/weighted": "Saliency-weighted error",
    "generator/saliency": "Error of the saliency map",
    "generator/cnn": "Error of VGG-16 features",
    "generator/adversarial": "Adversarial (generator)",
    "discriminator/adversarial": "Adversarial (discriminator)",
    "segmenter/cross_entropy": "Cross-entropy",
    "segmenter/dice": "1 - Dice",
    "psnr_gaussian": "PSNR, Gaussian blur (dB)",
    "psnr_bicubic": "PSNR, bicubic shrinking (dB)",
    "lpips": "LPIPS",
    "auc": "AUC",
    "dice": "Dice",
    "blur_error": "Error of the blur (px)",
    "noise_error": "Error of the noise (octaves)",
    "score": "Score",
}
_LESS_IS_BETTER = ("lpips", "error")


@dataclass(frozen=True, eq=False)
class Curve:
    """One quantity over the whole training.

    Attributes:
        name: as written down.
        steps: ``(n,)``, counted on over the stages.
        values: ``(n,)``; NaN where a stage ends, so that its line ends there too.
        kept: ``(k, 2)`` step and value where each stage's kept weights stand; metrics alone.
    """

    name: str
    steps: Line
    values: Line
    kept: Line

    @property
    def title(self) -> str:
        """For people: ``PSNR, Gaussian blur (dB)``."""
        return _TITLES.get(self.name) or self.name.split("/")[-1].replace("_", " ").capitalize()

    @property
    def is_loss(self) -> bool:
        return "/" in self.name

    @property
    def less_is_better(self) -> bool:
        return self.is_loss or any(part in self.name for part in _LESS_IS_BETTER)


@dataclass
class LearningHistory:
    """The stages of a training, each a list of points in the order of their steps."""

    stages: list[list[Point]] = field(default_factory=list)

    def add(self, stage: int, point: Point) -> None:
        """Append what a running training has just told.

        Args:
            stage: its number, from 0; may begin a new one.
            point: ``step`` and values; what is no number is left out.
        """
        while len(self.stages) <= stage:
            self.stages.append([])
        numbers = {k: float(v) for k, v in point.items() if isinstance(v, int | float)}
        self.stages[stage].append(numbers)

    @property
    def ends(self) -> list[float]:
        """The last step of every stage, counted on over the stages."""
        lengths = [max((point["step"] for point in stage), default=0.0) for stage in self.stages]
        return [float(end) for end in np.cumsum(lengths)]

    def curves(self) -> list[Curve]:
        """Losses first, then metrics; each kind in the order in which it first occurs."""
        points = (point for stage in self.stages for point in stage)
        names = dict.fromkeys(name for point in points for name in point if name != "step")
        return [self._curve(name) for name in sorted(names, key=lambda name: "/" not in name)]

    def _curve(self, name: str) -> Curve:
        starts = [0.0, *self.ends]
        steps: list[float] = []
        values: list[float] = []
        kept: list[tuple[float, float]] = []
        for start, stage in zip(starts, self.stages, strict=False):
            own = [point for point in stage if name in point]
            if not own:
                continue
            if steps:
                steps.append(start)
                values.append(np.nan)
            steps += [start + point["step"] for point in own]
            values += [point[name] for point in own]
            judged = [point for point in own if "score" in point]
            if judged:
                best = max(judged, key=lambda point: point["score"])
                kept.append((start + best["step"], best[name]))
        return Curve(name, np.array(steps), np.array(values), np.array(kept).reshape(-1, 2))


def read_history(path: Path) -> LearningHistory:
    """The history of a training.

    Args:
        path: a ``history.json``, or a training's folder; of a training that has not ended, the
            checkpoints in it are read.

    Raises:
        UserError: there is none, or it is not readable.
    """
    file = path / HISTORY if path.is_dir() else path
    if file.is_file():
        return _from_json(file)
    checkpoints = sorted(path.glob("stage*.safetensors")) if path.is_dir() else []
    if not checkpoints:
        raise UserError(
            f"There is no history of a training in {path.name}.",
            "Give the folder of a training, or its history.json.",
        )
    counters = sorted((load_checkpoint(one)[1] for one in checkpoints), key=lambda one: one.stage)
    return LearningHistory([list(one.history) for one in counters])


def _from_json(file: Path) -> LearningHistory:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        stages: list[list[Point]] = [
            [{str(name): float(value) for name, value in point.items()} for point in stage]
            for stage in content
        ]
        if not all("step" in point for stage in stages for point in stage):
            raise ValueError("a point without its step")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(
            f"{file.name} is not the history of a training.",
            "It is written by retina-viewer train.",
        ) from error
    return LearningHistory(stages)


def smoothed(values: Sequence[float] | Line, window: int = 9) -> Line:
    """A centred running median that leaves NaN where it is; shorter at the ends of each run.

    Args:
        values: ``(n,)``.
        window: odd; the trend of values that jump from batch to batch.
    """
    line = np.asarray(values, np.float64)
    half = window // 2
    result = np.full_like(line, np.nan)
    breaks = np.flatnonzero(np.isnan(line))
    for run in np.split(np.arange(len(line)), breaks):
        inside = run[~np.isnan(line[run])]
        for place in inside:
            reach = min(half, place - inside[0], inside[-1] - place)
            result[place] = np.median(line[place - reach : place + reach + 1])
    return result
