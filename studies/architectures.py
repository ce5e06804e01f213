"""Quality against time of the generators that ``architecture-*.toml`` train on one budget.

``time`` times each of them for a result of 1024 x 1024 and keeps the seconds in
``docs/figures/architectures.json``. Once the recipes were trained (``python -m studies train
architecture-plain DATA``, ...; they leave ``runs/architecture-*``, and ``architecture-later-*``
start from the model of ``architecture-residual``, copied among one's own models), ``report`` writes
``architectures.md`` with one chart a step of the cascade.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import escape

import torch
from torch import nn
from torch.utils.benchmark import Timer
from torch.utils.flop_counter import FlopCounterMode

from retina_viewer.core.errors import UserError
from retina_viewer.core.options import option
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.networks.generator_cascade import (
    Generator,
    GeneratorCascade,
    StepParameters,
    make_generator,
)
from retina_viewer.networks.plain import PlainGenerator
from retina_viewer.training.cache import PhotographCache
from retina_viewer.training.pairs import PairSource
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import DegradationRange, SuperresRecipe, load_recipe
from studies.plots import round_steps
from studies.study import WithPage

_WIDTH, _HEIGHT = 760, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 30, 50, 60
_FONT = 'font-family="sans-serif" font-size="12" fill="#161616"'
_LETTER, _LINE = 7, 14  # px, about the width of a letter and the height of a line
_COLOURS = ("#0f62fe", "#da1e28", "#198038")
_RESULT = 1024  # px, side of the timed result
_TIMES = "architectures.json"


@dataclass(frozen=True)
class Point:
    """One measured thing: its place, and the words beside it."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Series:
    """Points of one colour, told in the legend; the best of them joined by a line."""

    title: str
    points: Sequence[Point]


def scatter(title: str, x_title: str, y_title: str, series: Sequence[Series]) -> str:
    """An SVG document: x logarithmic, y linear, less x and more y are better.

    The line of each series joins the points that no other beats in both.
    """
    everything = [point for one in series for point in one.points]
    xs, ys = [point.x for point in everything], [point.y for point in everything]
    span = max(ys) - min(ys) or 1.0
    low_y, high_y = min(ys) - 0.1 * span, max(ys) + 0.15 * span
    low_x, high_x = math.log10(min(xs) / 1.3), math.log10(max(xs) * 1.9)  # room for labels

    def place(x: float, y: float) -> tuple[float, float]:
        right = (math.log10(x) - low_x) / (high_x - low_x)
        up = (y - low_y) / (high_y - low_y)
        inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return _LEFT + right * inner_width, _HEIGHT - _BOTTOM - up * inner_height

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_FONT}>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_WIDTH / 2, 22, title, "middle", size=15),
        _text(_WIDTH / 2, _HEIGHT - 14, x_title, "middle"),
        f'<g transform="rotate(-90 18 {_HEIGHT / 2})">'
        + _text(18, _HEIGHT / 2, y_title, "middle")
        + "</g>",
    ]
    for x in _decades(10**low_x, 10**high_x):
        across, _ = place(x, low_y)
        parts.append(_line(across, _TOP, across, _HEIGHT - _BOTTOM))
        parts.append(_text(across, _HEIGHT - _BOTTOM + 18, f"{x:g}", "middle"))
    for y in round_steps(low_y, high_y):
        _, down = place(10**low_x, y)
        parts.append(_line(_LEFT, down, _WIDTH - _RIGHT, down))
        parts.append(_text(_LEFT - 8, down + 4, f"{y:g}", "end"))
    labels: list[tuple[float, float, str]] = []
    for number, one in enumerate(series):
        colour = _COLOURS[number % len(_COLOURS)]
        parts.append(_text(_LEFT + 8, _TOP + 16 * number - 6, f"● {one.title}", "start", colour))
        joined = " ".join(
            "{:.1f},{:.1f}".format(*place(point.x, point.y)) for point in unbeaten(one.points)
        )
        parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}"/>')
        for point in one.points:
            across, down = place(point.x, point.y)
            parts.append(f'<circle cx="{across:.1f}" cy="{down:.1f}" r="5" fill="{colour}"/>')
            labels.append((across + 9, down + 4, point.label))
    parts += [_text(x, y, words, "start") for x, y, words in apart(labels)]
    return "\n".join([*parts, "</svg>", ""])


def apart(labels: Sequence[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """The same labels ``(x, y, words)``, moved down where they would cover one above them."""
    placed: list[tuple[float, float, str]] = []
    for x, y, words in sorted(labels, key=lambda label: label[1]):
        for other_x, other_y, other in placed:
            across = x < other_x + _LETTER * len(other) and other_x < x + _LETTER * len(words)
            if across and y < other_y + _LINE:
                y = other_y + _LINE
        placed.append((x, y, words))
    return placed


def unbeaten(points: Sequence[Point]) -> list[Point]:
    """Those to whose left none is as high, from the left."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (p.x, -p.y)):
        if not kept or point.y > kept[-1].y:
            kept.append(point)
    return kept


def _text(
    x: float, y: float, words: str, anchor: str, colour: str = "#161616", size: int = 12
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        f'font-size="{size}">{escape(words)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#e0e0e0" '
        'stroke-width="1"/>'
    )


def _decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten between two bounds."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [m * 10**p for p in powers for m in (1, 2, 5) if low <= m * 10**p <= high]


@dataclass(frozen=True)
class Row:
    """One trained generator: what it costs, how well it does."""

    title: str
    step: int
    parameters: int
    giga_operations: float  # multiply-adds of one result, 10^9
    margin: int
    training_steps: int
    precision: str
    gaussian: float  # validation PSNR, dB
    bicubic: float
    seconds: dict[str, float]  # of one result, by setting


@dataclass(frozen=True)
class Architectures(WithPage):
    what: Literal["time", "report"] = option(help="what to do")
    runs: Path = option(Path("runs"), metavar="RUNS", help="where the trainings are kept")
    seconds: float = option(8.0, metavar="S", help="spent on each timing")
    threads: Sequence[int] = option((1, 2), metavar="N", help="of the timings")

    def measure(self, progress: Progress = no_progress) -> str:
        files = sorted((resources_dir() / "recipes").glob("architecture-*.toml"))
        recipes = {file.stem: load_one(file) for file in files}
        if self.what == "time":
            return time_all(recipes, self.out / _TIMES, self.threads, self.seconds)
        return report(recipes, self.runs, self.out)


def load_one(file: Path) -> SuperresRecipe:
    """A recipe of the comparison: one stage, whose step is the one compared."""
    recipe = load_recipe(file)
    assert isinstance(recipe, SuperresRecipe)
    return recipe


def compared(recipe: SuperresRecipe) -> Generator:
    """The network that the recipe trains, untrained."""
    return make_generator(recipe.architecture.steps[recipe.stages[0].step - 1]).eval()


def time_all(
    recipes: dict[str, SuperresRecipe], file: Path, threads: Sequence[int], seconds: float
) -> str:
    """Seconds by recipe and setting, added to those that ``file`` holds already."""
    times = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for name, recipe in recipes.items():
        network = compared(recipe)
        if isinstance(network, PlainGenerator):
            network.collapse()
        for count in threads:
            for dtype in (torch.float32, torch.bfloat16):
                setting = f"{count} thread{'s' * (count > 1)}, {str(dtype).split('.')[1]}"
                taken = time_of(network, count, dtype, seconds)
                times.setdefault(name, {})[setting] = round(taken, 3)
        file.write_text(json.dumps(times, indent=2) + "\n", encoding="utf-8")
    return json.dumps(times, indent=2)


def _inputs() -> dict[str, torch.Tensor]:
    image = torch.rand(1, 3, _RESULT // 2, _RESULT // 2, generator=torch.Generator().manual_seed(0))
    return {
        "image": image.contiguous(memory_format=torch.channels_last),
        "degradation": torch.tensor([[0.42, 0.3]]),
    }


def time_of(network: nn.Module, threads: int, dtype: torch.dtype, seconds: float) -> float:
    """Fastest of the runs that fit into ``seconds``: other programs can only add to it.

    One thread is measured in processor time, which other programs hardly touch; two on the clock.
    """
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    clock = time.process_time if threads == 1 else time.perf_counter
    with torch.inference_mode(), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        timer = Timer(
            "network(image, degradation)",
            globals={"network": network, **_inputs()},
            num_threads=threads,
            timer=clock,
        )
        timer.timeit(1)
        return float(min(timer.blocked_autorange(min_run_time=seconds).times))


def operations(network: nn.Module) -> int:
    """Floating-point operations of one result (a multiply-add counts as two)."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(**_inputs())
    return int(counter.get_total_flops())


def report(recipes: dict[str, SuperresRecipe], runs: Path, out: Path) -> str:
    """The table and the charts of the recipes that were timed and trained."""
    times = json.loads((out / _TIMES).read_text(encoding="utf-8"))
    trained = {
        name: recipe
        for name, recipe in recipes.items()
        if name in times and (runs / name / "history.json").is_file()
    }
    if not trained:
        raise UserError(f"{runs} holds none of {', '.join(times)}.", "Train them first.")
    rows = [measured(recipe, runs / name, times[name]) for name, recipe in trained.items()]
    pages = []
    for step in sorted({row.step for row in rows}):
        chosen = [row for row in rows if row.step == step]
        chosen.sort(key=lambda row: next(iter(row.seconds.values())))
        first = next(n for n, r in trained.items() if r.stages[0].step == step)
        baseline = interpolation(trained[first], runs / first / "cache")
        pages.append(table(chosen, step, baseline))
        chart = draw(chosen, step, baseline)
        (out / f"architectures-x{2**step}.svg").write_text(chart, encoding="utf-8")
    text = "\n".join(pages)
    (out / "architectures.md").write_text(text, encoding="utf-8")
    return text


def measured(recipe: SuperresRecipe, run: Path, seconds: dict[str, float]) -> Row:
    """One row; the quality is that of the weights that the training kept."""
    network = compared(recipe)
    history = json.loads((run / "history.json").read_text(encoding="utf-8"))[0]
    best = max((entry for entry in history if "score" in entry), key=lambda entry: entry["score"])
    card = json.loads((run / "model" / "card.json").read_text(encoding="utf-8"))
    return Row(
        title=recipe.title.removeprefix("Comparison: "),
        step=recipe.stages[0].step,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        giga_operations=operations(network) / 2e9,
        margin=network.margin,
        training_steps=recipe.stages[0].optimisation.iterations,
        precision=card["training"]["precision"],
        gaussian=best["psnr_gaussian"],
        bicubic=best["psnr_bicubic"],
        seconds=seconds,
    )


def interpolation(recipe: SuperresRecipe, cache: Path) -> dict[str, float]:
    """PSNR of bicubic interpolation of the photograph, on the patches that validated the recipe.

    Untrained generators do just that.
    """
    stage = recipe.stages[0]
    source = PatchSource(PhotographCache(cache / "validation"), recipe.field_diameters)
    cascade = GeneratorCascade([StepParameters(maps=1, blocks=1)] * stage.step)
    device = torch.device("cpu")
    pairs = PairSource(cascade, stage, DegradationRange(), source, source, device)
    return pairs.luminance_psnr(cascade.steps[-1])


def table(rows: Sequence[Row], step: int, baseline: dict[str, float]) -> str:
    """Markdown: one row a generator, and what the columns mean."""
    settings = list(rows[0].seconds)
    heads = ["generator", "parameters", "10^9 MAC", "margin, px", "steps", "PSNR Gaussian"]
    heads += ["PSNR bicubic", *(f"s, {setting}" for setting in settings)]
    lines = [
        f"# Generators of step {step} (x{2**step}), one training budget",
        "",
        f"![PSNR against seconds](architectures-x{2**step}.svg)",
        "",
        f"| {' | '.join(heads)} |",
        "|---" + "|---:" * (len(heads) - 1) + "|",
    ]
    for row in rows:
        gains = [
            f"{value:.2f} ({value - baseline[f'psnr_{name}']:+.2f})"
            for name, value in (("gaussian", row.gaussian), ("bicubic", row.bicubic))
        ]
        cells = [row.title, f"{row.parameters:,}", f"{row.giga_operations:.1f}", str(row.margin)]
        cells += [f"{row.training_steps:,}", *gains, *(f"{row.seconds[s]:.2f}" for s in settings)]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", explanation(rows, baseline), ""]
    return "\n".join(lines)


def explanation(rows: Sequence[Row], baseline: dict[str, float]) -> str:
    """What the columns of the table mean."""
    gaussian, bicubic = baseline["psnr_gaussian"], baseline["psnr_bicubic"]
    precisions = ", ".join(sorted({row.precision for row in rows}))
    return (
        "PSNR: luminance, full range, mean over the validation patches, which hold no DRIVE; in "
        f"brackets the gain over bicubic interpolation of the photograph, {gaussian:.2f} and "
        f"{bicubic:.2f} dB. Seconds of a result of {_RESULT} x {_RESULT} on an x86-64 server "
        "processor (AVX-512 with bfloat16), channels last, torch "
        f"{torch.__version__.split('+')[0]}, the fastest run; one thread in processor time, "
        f"more on the clock. Trained in {precisions}, on one thread; the steps are what fits into "
        "the budget that the recipes name. The chart leaves out what is below interpolation."
    )


def draw(rows: Sequence[Row], step: int, baseline: dict[str, float]) -> str:
    """PSNR against the seconds of one thread, of those that are better than interpolation."""
    shown = [row for row in rows if row.gaussian > baseline["psnr_gaussian"]]
    series = [
        Series(
            name, [Point(next(iter(row.seconds.values())), value(row), row.title) for row in shown]
        )
        for name, value in (
            ("Gaussian degradation", lambda row: row.gaussian),
            ("bicubic degradation", lambda row: row.bicubic),
        )
    ]
    return scatter(
        f"Step {step} (x{2**step}): quality against time on one training budget",
        f"seconds for {_RESULT} x {_RESULT}, one thread, float32",
        "validation PSNR, dB",
        series,
    )
