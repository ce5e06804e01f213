"""Quality against time of the generators that ``architecture-*.toml`` train on one budget.

``python -m studies.architectures time`` times each of them for a result of 1024 x 1024 and
keeps the seconds in ``docs/figures/architectures.json``. Once the recipes were trained
(``retina-viewer train architecture-plain DATA``, ...; they leave ``runs/architecture-*``, and
``architecture-later-*`` start from the model of ``architecture-residual``, copied among one's own
models), ``python -m studies.architectures report`` writes
``architectures.md`` with one chart a step of the cascade.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.utils.benchmark import Timer
from torch.utils.flop_counter import FlopCounterMode

from retina_viewer.core.paths import resources_dir
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
from studies.chart import Point, Series, scatter

_RESULT = 1024  # px, side of the timed result
_TIMES = "architectures.json"


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("time", "report"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("docs/figures"))
    parser.add_argument("--seconds", type=float, default=8.0, help="spent on each timing")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    files = sorted((resources_dir() / "recipes").glob("architecture-*.toml"))
    recipes = {file.stem: load_one(file) for file in files}
    if options.what == "time":
        time_all(recipes, options.out / _TIMES, options.threads, options.seconds)
    else:
        report(recipes, options.runs, options.out)


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
) -> None:
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
                print(f"{name}: {taken:.3f} s, {setting}", flush=True)
        file.write_text(json.dumps(times, indent=2) + "\n", encoding="utf-8")


def _inputs() -> dict[str, torch.Tensor]:
    image = torch.rand(1, 3, _RESULT // 2, _RESULT // 2, generator=torch.Generator().manual_seed(0))
    return {
        "image": image.contiguous(memory_format=torch.channels_last),
        "formation": torch.tensor([[0.42, 0.3]]),
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


def report(recipes: dict[str, SuperresRecipe], runs: Path, out: Path) -> None:
    """The table and the charts of the recipes that were timed and trained."""
    times = json.loads((out / _TIMES).read_text(encoding="utf-8"))
    trained = {
        name: recipe
        for name, recipe in recipes.items()
        if name in times and (runs / name / "history.json").is_file()
    }
    if not trained:
        sys.exit(f"{runs} holds none of {', '.join(times)}.")
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
    (out / "architectures.md").write_text("\n".join(pages), encoding="utf-8")


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


if __name__ == "__main__":
    main()
