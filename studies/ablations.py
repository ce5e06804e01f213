"""The saliency GAN with this or that left out or exchanged, then one table.

Trains every recipe of ``studies/recipes`` into ``RUNS/name`` (from where it was broken off; what is
finished is not trained again), judges its weights on the validation patches of its step, and writes
``DIR/ablations.md`` and ``ablations.json``. What was measured before stays in the table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.model_store.card import read_card
from retina_viewer.model_store.store import find_model, load_network
from retina_viewer.networks.generator import upsample2
from retina_viewer.networks.generator_cascade import GeneratorCascade
from retina_viewer.quality.lpips import LPIPS
from retina_viewer.training.cache import open_cache
from retina_viewer.training.pairs import PairSource, luminance
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import SaliencyGanRecipe, SuperresRecipe, load_recipe
from retina_viewer.training.saliency_gan_task import grid_error
from studies.data_folders import divided
from studies.sharpness import mean_of_sharpest, sharpness_map
from studies.study import WithData, WithDevice, WithPage
from studies.train import SUPERRES_CACHE_DIAMETER, train

_RESULTS = "ablations.json"
_JUDGED_BY_LPIPS = 24  # patches
_EXPLANATION = """\
PSNR: luminance, full range, mean over the validation patches, which hold no DRIVE. LPIPS-VGG of
the Gaussian patches: less is more alike. Grid: root mean square of the error that repeats with the
pixel shuffling, grey levels. S3: the index of the sharpest 1 % of all patches over that of the
truth; above 1.1 is noise or invention. The weights are those of the training itself, not mixed
with its start's. Made by `python -m studies ablations`."""


class Interpolation(nn.Module):
    """Bicubic doubling of what the step is given."""

    def forward(self, image: Tensor, degradation: Tensor) -> Tensor:
        """As a generator's; ``degradation`` does not matter."""
        return upsample2(image)


def sources(
    recipe: SuperresRecipe | SaliencyGanRecipe, data: Path, cache: Path
) -> tuple[PatchSource, PatchSource]:
    """Where a recipe's patches for training and for validation are drawn from.

    Args:
        data: the folder of the public sets.
        cache: of the decoded photographs; they are decoded anew where it is not there.
    """
    subsets = divided(data, recipe.datasets)
    train, validation = (
        open_cache(
            subsets[name], cache / name, diameter=SUPERRES_CACHE_DIAMETER, with_vessels=False
        )
        for name in ("train", "validation")
    )
    diameters, stage = recipe.field_diameters, recipe.stages[0]
    return PatchSource(train, diameters, stage.grain), PatchSource(validation, diameters)


RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Figures:
    """What the weights of one recipe, or what it is compared with, do on the validation patches.

    Attributes:
        gaussian, bicubic: PSNR of luminance, full range, dB.
        lpips: LPIPS-VGG of Gaussian patches.
        grid: root mean square of what repeats with the pixel shuffling, grey levels.
        sharpness: S3 index of all patches, relative to that of the truth.
    """

    title: str
    step: int
    iterations: int
    gaussian: float
    bicubic: float
    lpips: float
    grid: float
    sharpness: float


@dataclass(frozen=True)
class Ablations(WithData, WithPage, WithDevice):
    runs: Path = option(metavar="RUNS", help="where the trainings are kept")
    recipes: Path = option(RECIPES, metavar="DIR", help="what is trained")
    only: Sequence[str] = option((), metavar="NAME", help="names of recipes; default: all")

    def measure(self, progress: Progress = no_progress) -> str:
        files = sorted(self.recipes.glob("*.toml"))
        chosen = [file for file in files if not self.only or file.stem in self.only]
        results = read_results(self.out)
        for number, file in enumerate(chosen):
            recipe = load_recipe(file)
            assert isinstance(recipe, SaliencyGanRecipe)
            share = part_of(progress, number / len(chosen), (number + 1) / len(chosen))
            run, cache = self.runs / recipe.name, self.runs / "ablations-cache"
            if not (run / "model" / "card.json").is_file():
                train(
                    file, self.data, run, device=self.device, resume=True, cache=cache,
                    progress=share,
                )  # fmt: skip
                results.pop(recipe.name, None)  # of an earlier training
            if recipe.name not in results:
                share(1.0, f"measuring {recipe.name}")
                own = run / "cache"
                _, patches = sources(recipe, self.data, own if own.is_dir() else cache)
                results |= measured(recipe, run, patches, results.keys())
                write(results, self.out)
        write(results, self.out)
        return page(list(results.values()))


def measured(
    recipe: SaliencyGanRecipe, run: Path, source: PatchSource, known: Set[str]
) -> dict[str, Figures]:
    """The figures of a trained recipe and of what it began as, by name.

    Args:
        run: holds ``model``.
        source: of the validation patches.
        known: names that need not be measured again; the references of a step are the same for
            all its recipes.
    """
    stage = recipe.stages[0]
    trained = load_network(read_card(run / "model"))
    base = find_model(recipe.base)
    start = load_network(base)
    assert isinstance(trained, GeneratorCascade)
    assert isinstance(start, GeneratorCascade)
    # The steps before are frozen in the training, so both cascades give the same patches.
    degradation = stage.degradation or recipe.degradation
    pairs = PairSource(start, stage, degradation, source, source, torch.device("cpu"))
    place, step = stage.step - 1, stage.step
    origin = f"{base.name}-{base.version}-{step}"  # decides what the step is given, too
    contenders: dict[str, tuple[str, int, nn.Module]] = {
        f"bicubic-{origin}": ("bicubic, of what the step is given", 0, Interpolation()),
        origin: (f"the start ({base.name} {base.version})", 0, start.steps[place]),
        recipe.name: (
            recipe.title.removeprefix("Ablation: "),
            stage.optimisation.iterations,
            trained.steps[place],
        ),
    }
    perceptual = LPIPS()
    period = 2 * getattr(trained.steps[place], "unshuffle", 1)
    return {
        name: figures(title, step, iterations, network.eval(), pairs, period, perceptual)
        for name, (title, iterations, network) in contenders.items()
        if name not in known
    }


@torch.no_grad()
def figures(
    title: str,
    step: int,
    iterations: int,
    network: nn.Module,
    pairs: PairSource,
    period: int,
    perceptual: LPIPS,
) -> Figures:
    """What a network of one step does on the validation patches."""
    psnr = pairs.luminance_psnr(network)
    shown = list(pairs.shown(network, 10**6))
    errors = [float(grid_error(_whole(made - truth, period), period)) for made, truth in shown]
    made, truth = ([_grey(pair[k]) for pair in shown] for k in range(2))
    return Figures(
        title=title,
        step=step,
        iterations=iterations,
        gaussian=psnr["psnr_gaussian"],
        bicubic=psnr["psnr_bicubic"],
        lpips=pairs.mean_distance(network, perceptual, _JUDGED_BY_LPIPS),
        grid=255 * float(np.sqrt(np.mean(errors))),
        sharpness=_sharpest(made) / _sharpest(truth),
    )


def _whole(image: Tensor, period: int) -> Tensor:
    """``(N, C, H, W)`` without the last rows and columns that fill no period."""
    height, width = (side - side % period for side in image.shape[2:])
    return image[..., :height, :width]


def _grey(image: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """``(1, 3, H, W)`` in [0, 1] as luminance ``(H, W)`` on the grid of 8 bits, 0 to 255."""
    return (255 * luminance(image)[0, 0]).round().numpy()


def _sharpest(patches: Sequence[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]) -> float:
    """The S3 index of all patches together: a patch alone holds too few blocks for its top 1 %."""
    return mean_of_sharpest(np.concatenate([sharpness_map(patch) for patch in patches]))


def read_results(out: Path) -> dict[str, Figures]:
    """What was measured before, by name."""
    file = out / _RESULTS
    if not file.is_file():
        return {}
    kept = json.loads(file.read_text(encoding="utf-8"))
    return {name: Figures(**values) for name, values in kept.items()}


def write(results: dict[str, Figures], out: Path) -> None:
    """The figures as JSON, and as a page with one table a step."""
    out.mkdir(parents=True, exist_ok=True)
    kept = {name: asdict(one) for name, one in results.items()}
    (out / _RESULTS).write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    (out / "ablations.md").write_text(page(list(results.values())), encoding="utf-8")


def page(rows: Sequence[Figures]) -> str:
    """Markdown: a table for each step, references first, then by LPIPS."""
    lines = ["# Ablations of the saliency GAN", ""]
    for step in sorted({row.step for row in rows}):
        lines += [
            f"## Step {step} (x{2**step})",
            "",
            "| training | steps | PSNR Gaussian, dB | PSNR bicubic, dB | LPIPS | grid | S3 |",
            "|---|---:|---:|---:|---:|---:|---:|",
        ]
        of_step = [row for row in rows if row.step == step]
        for row in sorted(of_step, key=lambda row: (row.iterations > 0, row.lpips)):
            lines.append(
                f"| {row.title} | {row.iterations or '-'} | {row.gaussian:.2f} | {row.bicubic:.2f} "
                f"| {row.lpips:.4f} | {row.grid:.2f} | {row.sharpness:.2f} |"
            )
        lines.append("")
    return "\n".join([*lines, _EXPLANATION, ""])
