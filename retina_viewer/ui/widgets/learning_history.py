"""What a training wrote down of itself, ordered for the eye; no Qt."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.training.checkpoint import load_checkpoint
from retina_viewer.training.recipe import SaliencyGanStage, StepStage, load_recipe
from retina_viewer.training.task import RESULT_OF

HISTORY = "history.json"
_RECIPE = "recipe.toml"
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
    "psnr_gaussian": "PSNR, Gaussian (dB)",
    "psnr_bicubic": "PSNR, bicubic (dB)",
    "ssim": "SSIM",
    "lpips": "LPIPS",
    "auc": "AUC",
    "dice": "Dice",
    "blur_error": "Error of the blur (px)",
    "noise_error": "Error of the noise (octaves)",
    "score": "Score",
}
_LESS_IS_BETTER = ("lpips", "error")
_FEWEST_KEPT = 100
"""Losses and validations of a stage that stay when it is thinned: a plot is some 200 px wide."""
_AT_ONCE = 256
"""Windows of a running median that are sorted together: bounds the memory."""


@dataclass(frozen=True, eq=False)
class Curve:
    """One quantity over one stage, by its name as written: ``(n,)`` steps and values, and where
    the weights stand that the stage kept; None for losses."""

    name: str
    steps: Line
    values: Line
    kept: tuple[float, float] | None

    @property
    def title(self) -> str:
        """For people: ``PSNR, Gaussian (dB)``, ``Colour error, ×2``."""
        name, _, scale = self.name.partition(RESULT_OF)
        known = _TITLES.get(name) or name.split("/")[-1].replace("_", " ").capitalize()
        return f"{known}, ×{scale}" if scale else known

    def equals(self, other: Curve) -> bool:
        """Whether both say the same."""
        return (
            (self.name, self.kept) == (other.name, other.kept)
            and np.array_equal(self.steps, other.steps)
            and np.array_equal(self.values, other.values)
        )

    @property
    def is_loss(self) -> bool:
        return "/" in self.name

    @property
    def falls(self) -> bool:
        """Whether less of a metric is better; it is then drawn upside down, so that up is."""
        return not self.is_loss and any(part in self.name for part in _LESS_IS_BETTER)

    @property
    def reading(self) -> str:
        """What it is, and which way is better, in words."""
        if not self.is_loss:
            return "validation: up is better"
        if self.name.endswith("adversarial"):
            return "loss: level is good"  # two networks pull against each other
        return "loss: down is better"


@dataclass
class LearningHistory:
    """The stages of a training, each a list of points in the order of their steps.

    ``names`` says what each stage trained, where that is known: ``x4``.
    """

    stages: list[list[Point]] = field(default_factory=list)
    names: Sequence[str] = ()

    def add(self, stage: int, point: Mapping[str, object]) -> None:
        """Append what a running training has just told of a stage, from 0, which may be a new one:
        ``step`` and values; what is no number is left out."""
        while len(self.stages) <= stage:
            self.stages.append([])
        numbers = {k: v for k, v in point.items() if isinstance(v, int | float)}
        self.stages[stage].append(_finite(numbers))

    def thin(self, stage: int) -> None:
        """Bound what a stage holds, so that it is drawn as fast at its end as at its beginning:
        losses become means of two neighbours; of validations every second goes, but for the best
        and the newest."""
        points = self.stages[stage]
        losses = [point for point in points if "score" not in point]
        judged = [point for point in points if "score" in point]
        if max(len(losses), len(judged)) < 2 * _FEWEST_KEPT:
            return
        if len(losses) >= 2 * _FEWEST_KEPT:
            losses = [_mean(*losses[place : place + 2]) for place in range(0, len(losses), 2)]
        if len(judged) >= 2 * _FEWEST_KEPT:
            best = max(judged, key=lambda point: point["score"])
            stay = (id(best), id(judged[-1]))
            judged = [one for n, one in enumerate(judged) if n % 2 == 0 or id(one) in stay]
        points[:] = sorted([*losses, *judged], key=lambda point: point["step"])

    def copy(self) -> LearningHistory:
        """What is added to one is not in the other."""
        return LearningHistory([list(points) for points in self.stages], self.names)

    def length(self, stage: int) -> float:
        """The steps that a stage has done."""
        return max((point["step"] for point in self.stages[stage]), default=0.0)

    def title(self, stage: int) -> str:
        """For people: ``Stage 3 of 7: x4, 4,000 steps``."""
        name = f"{self.names[stage]}, " if stage < len(self.names) else ""
        of = f" of {len(self.stages)}" if len(self.stages) > 1 else ""
        return f"Stage {stage + 1}{of}: {name}{self.length(stage):,.0f} steps"

    def curves(self, stage: int) -> list[Curve]:
        """Losses first, then metrics; each kind in the order in which it first occurs."""
        points = self.stages[stage]
        names = dict.fromkeys(name for point in points for name in point if name != "step")
        judged = [point for point in points if "score" in point]
        best = max(judged, key=lambda point: point["score"], default=None)
        found: list[Curve] = []
        for name in sorted(names, key=lambda name: "/" not in name):
            own = [point for point in points if name in point]
            kept = (best["step"], best[name]) if best is not None and name in best else None
            steps = np.array([point["step"] for point in own])
            found.append(Curve(name, steps, np.array([point[name] for point in own]), kept))
        return found


def _finite(point: Mapping[str, float]) -> Point:
    return {str(k): float(v) for k, v in point.items() if math.isfinite(float(v))}


def _mean(one: Point, other: Point | None = None) -> Point:
    """Of two neighbours, at the step of the later one."""
    if other is None:
        return one
    shared = {name: (one[name] + other[name]) / 2 for name in one if name in other}
    return {**one, **other, **shared, "step": other["step"]}


def read_history(path: Path) -> LearningHistory:
    """The history of a training. Raises UserError: there is none, or it is not readable.

    Args:
        path: a ``history.json``, or a training's folder; of a training that has not ended, the
            checkpoints in it are read.
    """
    file = path / HISTORY if path.is_dir() else path
    names = _names_of_stages(file.parent / _RECIPE)
    if file.is_file():
        return LearningHistory(_from_json(file), names)
    checkpoints = sorted(path.glob("stage*.safetensors")) if path.is_dir() else []
    if not checkpoints:
        raise UserError(
            f"There is no history of a training in {path.name}.",
            "Give the folder of a training, or its history.json.",
        )
    counters = sorted((load_checkpoint(one)[1] for one in checkpoints), key=lambda one: one.stage)
    return LearningHistory([list(one.history) for one in counters], names)


def _names_of_stages(recipe: Path) -> list[str]:
    """``x2``, ``x4``, ...: what each stage of a cascade makes; nothing for other recipes."""
    try:
        stages = load_recipe(recipe).stages
    except UserError:  # a recipe of an older program, or none: the curves need no names
        return []
    steps = [stage.step for stage in stages if isinstance(stage, StepStage | SaliencyGanStage)]
    return [f"x{2**step}" for step in steps]


def _from_json(file: Path) -> list[list[Point]]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        stages: list[list[Point]] = [[_finite(point) for point in stage] for stage in content]
        if not all("step" in point for stage in stages for point in stage):
            raise ValueError("a point without its step")
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{file.name} is not the history of a training.",
            "It is written by retina-viewer train.",
        ) from error
    return stages


def smoothed(values: Line) -> Line:
    """The trend of values that jump: a centred running median over a tenth of them, at least 9,
    narrower at both ends but never of a few values alone, which would jump there. ``(n,)``."""
    half = max(4, len(values) // 20)
    places = np.arange(len(values))
    reach = np.maximum(np.minimum(half, np.minimum(places, places[::-1])), half // 3)
    result = np.empty_like(values)
    padded = np.pad(values, half, constant_values=np.nan)
    for start in range(0, len(values), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        windows = np.lib.stride_tricks.sliding_window_view(
            padded[start : start + _AT_ONCE + 2 * half], 2 * half + 1
        )
        outside = np.abs(np.arange(-half, half + 1))[None] > reach[some, None]
        ordered = np.sort(np.where(outside, np.nan, windows), axis=1)  # what is no number: last
        count = np.count_nonzero(~np.isnan(ordered), axis=1)
        rows = np.arange(len(ordered))
        result[some] = (ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]) / 2
    return result
