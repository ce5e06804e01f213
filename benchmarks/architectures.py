# ruff: noqa: T201
"""Quality against time of the generators that ``architecture-*.toml`` train on one budget.

Once every recipe was trained (``retina-viewer train architecture-plain DATA``, ...; they leave
``runs/architecture-*``, and ``architecture-later-*`` start from the model of
``architecture-residual``, which ``retina-viewer models import`` installs)::

    python -m benchmarks.architectures [--runs runs] [--out docs/figures] [--seconds 8]

times each network for a result of 1024 x 1024 and writes ``architectures.md`` with one chart a
step of the cascade.
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

from benchmarks.chart import Point, Series, scatter
from retina_viewer.core.paths import resources_dir
from retina_viewer.networks.cascade import GeneratorCascade, StepParameters, make_generator
from retina_viewer.networks.plain import PlainGenerator
from retina_viewer.training.cache import PhotographCache
from retina_viewer.training.pairs import PairSource
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import DegradationRange, SuperresRecipe, load_recipe

_RESULT = 1024  # px, side of the timed result
_SETTINGS = ((1, torch.float32), (2, torch.float32), (1, torch.bfloat16), (2, torch.bfloat16))


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
    seconds: tuple[float, ...]  # of one result, as _SETTINGS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("docs/figures"))
    parser.add_argument("--seconds", type=float, default=8.0, help="spent on each timing")
    options = parser.parse_args()
    recipes = sorted((resources_dir() / "recipes").glob("architecture-*.toml"))
    trained = [file for file in recipes if (options.runs / file.stem / "history.json").is_file()]
    if not trained:
        sys.exit(f"{options.runs} holds none of {', '.join(file.stem for file in recipes)}.")
    rows = [measure(file, options.runs / file.stem, options.seconds) for file in trained]
    rows.sort(key=lambda row: (row.step, row.seconds[0]))
    baselines = {
        file.stem: interpolation(file, options.runs / file.stem / "cache") for file in trained
    }
    by_step = {load_one(file).stages[0].step: baselines[file.stem] for file in trained}
    pages = [table([r for r in rows if r.step == step], step, by_step[step]) for step in by_step]
    (options.out / "architectures.md").write_text("\n".join(pages), encoding="utf-8")
    for step in by_step:
        drawn = draw([row for row in rows if row.step == step], step)
        (options.out / f"architectures-x{2**step}.svg").write_text(drawn, encoding="utf-8")


def load_one(file: Path) -> SuperresRecipe:
    """A recipe of the comparison: one stage, whose step is the one compared."""
    recipe = load_recipe(file)
    assert isinstance(recipe, SuperresRecipe)
    return recipe


def measure(file: Path, run: Path, seconds: float) -> Row:
    """One row; the quality is that of the weights that the training kept."""
    recipe = load_one(file)
    step = recipe.stages[0].step
    network = make_generator(recipe.architecture.steps[step - 1]).eval()
    parameters = sum(parameter.numel() for parameter in network.parameters())
    margin = network.margin
    if isinstance(network, PlainGenerator):
        network.collapse()
    history = json.loads((run / "history.json").read_text(encoding="utf-8"))[0]
    best = max((entry for entry in history if "score" in entry), key=lambda entry: entry["score"])
    summary = json.loads((run / "model" / "card.json").read_text(encoding="utf-8"))["training"]
    row = Row(
        recipe.title.removeprefix("Comparison: "),
        step,
        parameters,
        operations(network) / 2e9,
        margin,
        recipe.stages[0].optimisation.iterations,
        summary["precision"],
        best["psnr_gaussian"],
        best["psnr_bicubic"],
        tuple(time_of(network, threads, dtype, seconds) for threads, dtype in _SETTINGS),
    )
    print(row, flush=True)
    return row


def _inputs() -> dict[str, torch.Tensor]:
    image = torch.rand(1, 3, _RESULT // 2, _RESULT // 2, generator=torch.Generator().manual_seed(0))
    return {
        "image": image.contiguous(memory_format=torch.channels_last),
        "formation": torch.tensor([[0.42, 0.3]]),
    }


def operations(network: nn.Module) -> int:
    """Floating-point operations of one result (a multiply-add counts as two)."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(**_inputs())
    return int(counter.get_total_flops())


def time_of(network: nn.Module, threads: int, dtype: torch.dtype, seconds: float) -> float:
    """Fastest of the runs that fit into ``seconds``: other programs can only add to it.

    One thread is measured in processor time, which other programs hardly touch; two on the clock.
    """
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    clock = time.process_time if threads == 1 else time.perf_counter
    with torch.inference_mode(), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        timer = Timer(
            "network(image, formation)",
            globals={"network": network, **_inputs()},
            num_threads=threads,
            timer=clock,
        )
        timer.timeit(1)
        return float(min(timer.blocked_autorange(min_run_time=seconds).times))


def interpolation(file: Path, cache: Path) -> dict[str, float]:
    """PSNR of bicubic interpolation of the same input, on the patches that validated the recipe.

    An untrained generator is just that. Step 2 is given what the first step made.
    """
    recipe = load_one(file)
    stage = recipe.stages[0]
    source = PatchSource(PhotographCache(cache / "validation"), recipe.field_diameters)
    untrained = [StepParameters(maps=1, blocks=1)] * stage.step
    device = torch.device("cpu")
    cascade = GeneratorCascade(untrained)
    pairs = PairSource(cascade, stage, DegradationRange(), source, source, device)
    return pairs.luminance_psnr(cascade.steps[-1])


def table(rows: Sequence[Row], step: int, baseline: dict[str, float]) -> str:
    """Markdown: one row a generator, and what the columns mean."""
    names = [f"s, {n} thread{'s' * (n > 1)}, {str(t).split('.')[1]}" for n, t in _SETTINGS]
    heads = ["generator", "parameters", "10^9 MAC", "margin, px", "steps", "PSNR Gaussian"]
    heads += ["PSNR bicubic", *names]
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
        cells += [f"{row.training_steps:,}", *gains, *(f"{s:.2f}" for s in row.seconds)]
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
        f"{torch.__version__.split('+')[0]}, the fastest run: one thread in processor time, two "
        f"on the clock. Trained in {precisions}, on one thread."
    )


def draw(rows: Sequence[Row], step: int) -> str:
    """PSNR against the seconds of one thread, both degradations."""
    series = [
        Series(name, [Point(row.seconds[0], value(row), row.title) for row in rows])
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
