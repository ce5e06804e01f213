"""Put the discriminators of a finished GAN training beside the model that it made.

``python -m studies train`` does this itself; this is for runs whose model was copied before that.
"""

from dataclasses import dataclass
from pathlib import Path

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import sha256_of
from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.model_store.card import WEIGHTS_FILE, read_card
from retina_viewer.model_store.extras import DISCRIMINATOR_FILE
from retina_viewer.training.recipe import StepStage, load_recipe
from retina_viewer.training.saliency_gan_task import keep_discriminators
from studies.study import Study


@dataclass(frozen=True)
class KeptDiscriminator(Study):
    training: Path = option(
        metavar="RUN", help="the training: recipe.toml, stageN.safetensors, weights in model"
    )
    model: Path = option(metavar="MODEL", help="a folder with the card of the same weights")

    def measure(self, progress: Progress = no_progress) -> str:
        card, run = read_card(self.model), self.training
        if sha256_of(run / "model" / WEIGHTS_FILE) != card.weights_sha256:
            raise UserError(f"{run.name} did not make the weights of {card.name!r}.")
        recipe = load_recipe(run / "recipe.toml")
        stages = [one for one in recipe.stages if isinstance(one, StepStage)]
        steps = keep_discriminators(run, [stage.step for stage in stages], card)
        if not steps:
            raise UserError(f"{run.name} holds no discriminators of a size to be kept.")
        path = self.model / DISCRIMINATOR_FILE
        return f"{path}: steps {', '.join(map(str, steps))}, {path.stat().st_size / 1e6:.1f} MB"
