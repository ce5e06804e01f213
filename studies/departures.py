"""The departures of the generator from the 2017 paper's, taken back one by one.

Trains step 1 (x2) as ``architecture-residual.toml`` says, from nothing, once as it is and once with
each departure taken back, for the same number of steps; then writes ``DIR/departures.md``. What is
finished in ``RUNS`` is not trained again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retina_viewer.core.options import option
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.networks.generator import (
    ResidualGenerator,
    conditioned_input,
    over_bicubic,
)
from retina_viewer.networks.generator_cascade import GeneratorCascade, StepParameters
from retina_viewer.networks.paper_generator import PaperBlock
from retina_viewer.training.loop import run_stage
from retina_viewer.training.pairs import PairSource
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import SuperresRecipe, load_recipe
from retina_viewer.training.superres_task import SuperresTask
from retina_viewer.training.task import TrainContext
from studies.ablations import Interpolation, sources
from studies.study import WithData, WithPage

_STEP = StepParameters(maps=48, blocks=5)
Patches = tuple[PatchSource, PatchSource]
Validation = dict[str, float]


class Departing(ResidualGenerator):
    """The fast cascade's first step, untold of blur and noise: with some departures taken back.

    Args:
        normalised: batch normalisation in every block, as in the paper.
        colours_alone: the network sees ``2x - 1`` and not the detail against its surroundings.
        from_nothing: the image is learned itself, and the last layer does not start at zero.
    """

    def __init__(
        self, normalised: bool = False, colours_alone: bool = False, from_nothing: bool = False
    ) -> None:
        super().__init__(_STEP.maps, _STEP.blocks)
        self.colours_alone, self.from_nothing = colours_alone, from_nothing
        if normalised:
            self.body = nn.Sequential(*(PaperBlock(_STEP.maps) for _ in range(_STEP.blocks)))
        if colours_alone:
            self.head = nn.Conv2d(3, _STEP.maps, 3, padding=1)
        if from_nothing:
            self.tail.reset_parameters()

    def forward(self, image: Tensor, degradation: Tensor) -> Tensor:
        """See :class:`ResidualGenerator`; ``degradation`` is not listened to."""
        given = 2 * image - 1 if self.colours_alone else conditioned_input(image, 1)
        hidden = F.relu(self.head(given))
        tail = self.tail(hidden + self.body(hidden))
        if self.from_nothing:
            return F.pixel_shuffle(tail, 2).float()
        return over_bicubic(image, tail, 1)


VARIANTS: dict[str, Callable[[], nn.Module]] = {
    "all three departures": Departing,
    "with batch normalisation": lambda: Departing(normalised=True),
    "colours alone, no local contrast": lambda: Departing(colours_alone=True),
    "the image itself, no bicubic beneath": lambda: Departing(from_nothing=True),
    "all three taken back": lambda: Departing(True, True, True),
}


@dataclass(frozen=True)
class Departures(WithData, WithPage):
    runs: Path = option(metavar="RUNS", help="where the trainings are kept")
    device: str = option("cpu", metavar="DEVICE", help="cpu, cuda or cuda:N")

    def measure(self, progress: Progress = no_progress) -> str:
        recipe = load_recipe(resources_dir() / "recipes" / "architecture-residual.toml")
        assert isinstance(recipe, SuperresRecipe)
        torch.set_num_threads(recipe.threads or torch.get_num_threads())
        patches = sources(recipe, self.data, self.runs / "departures-cache")
        device = torch.device(self.device)
        rows = {"bicubic interpolation": [interpolated(recipe, patches, device)]}
        for number, (title, make) in enumerate(VARIANTS.items()):
            progress(number / len(VARIANTS), title)
            checkpoint = self.runs / f"departures-{number}.safetensors"
            rows[title] = trained(recipe, patches, make, checkpoint, device)
        text = page(rows)
        (self.out / "departures.md").write_text(text, encoding="utf-8")
        return text


def interpolated(recipe: SuperresRecipe, patches: Patches, device: torch.device) -> Validation:
    """Bicubic interpolation on the patches that validate."""
    cascade = GeneratorCascade([_STEP])
    pairs = PairSource(cascade, recipe.stages[0], recipe.degradation, *patches, device)
    return {"step": 0, **pairs.luminance_psnr(Interpolation())}


def trained(
    recipe: SuperresRecipe,
    patches: Patches,
    make: Callable[[], nn.Module],
    checkpoint: Path,
    device: torch.device,
) -> list[Validation]:
    """Train one variant, or go on with it; all of its validations."""
    torch.manual_seed(recipe.seed)
    cascade = GeneratorCascade([_STEP])
    cascade.steps[0] = make()
    pairs = PairSource(cascade, recipe.stages[0], recipe.degradation, *patches, device)
    task = SuperresTask(cascade, recipe.stages[0], pairs, device)
    where = TrainContext(checkpoint, recipe.seed, device, lambda event: None)
    counters = run_stage(task, 0, where)
    return [dict(entry) for entry in counters.history if "psnr_gaussian" in entry]


def page(rows: dict[str, list[Validation]]) -> str:
    """Markdown: a row a variant, PSNR along the way and at the end."""
    steps = [int(entry["step"]) for entry in rows["all three departures"]]
    heads = [f"Gaussian, {step} steps" for step in steps] + [f"bicubic, {steps[-1]} steps"]
    lines = [
        "# The generator's departures from the paper, taken back one by one",
        "",
        f"| step 1 (x2), 48 maps, 5 blocks | {' | '.join(heads)} |",
        "|---" + "|---:" * len(heads) + "|",
    ]
    for title, entries in rows.items():
        along = [f"{entry['psnr_gaussian']:.2f}" for entry in entries]
        along += along[:1] * (len(steps) - len(along))  # interpolation does not change
        cells = [title, *along, f"{entries[-1]['psnr_bicubic']:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "PSNR, dB: luminance, full range, mean over the validation patches, which hold no DRIVE;",
        "of the averaged weights. Data, degradation, patches, loss, rate and seed of",
        "`architecture-residual.toml`, from nothing, one seed each; none is told blur and noise.",
        "Batch normalisation has the population's statistics in validation, as at use. Made by",
        "`python -m studies departures DATA RUNS`.",
        "",
    ]
    return "\n".join(lines)
