"""What the comparisons of trainings of one step share: their patches, and interpolation."""

from pathlib import Path

from torch import Tensor, nn

from retina_viewer.networks.generator import upsample2
from retina_viewer.quality.datasets import split
from retina_viewer.training.cache import open_cache
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import SaliencyGanRecipe, SuperresRecipe
from studies.data_folders import find_photographs
from studies.train import SUPERRES_CACHE_DIAMETER


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
    subsets = split([p for p in find_photographs(data) if p.dataset in recipe.datasets])
    train, validation = (
        open_cache(
            subsets[name], cache / name, diameter=SUPERRES_CACHE_DIAMETER, with_vessels=False
        )
        for name in ("train", "validation")
    )
    diameters, stage = recipe.field_diameters, recipe.stages[0]
    return PatchSource(train, diameters, stage.grain), PatchSource(validation, diameters)
