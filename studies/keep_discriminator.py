"""Put the discriminators of a finished GAN training beside the model that it made.

    python -m studies.keep_discriminator RUN MODEL_DIR

``retina-viewer train`` does this itself; this is for runs whose model was copied before that.
"""

import argparse
import sys
from pathlib import Path

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import sha256_of
from retina_viewer.model_store.card import WEIGHTS_FILE, read_card
from retina_viewer.model_store.extras import DISCRIMINATOR_FILE
from retina_viewer.training.recipe import StepStage, load_recipe
from retina_viewer.training.saliency_gan_task import keep_discriminators


def keep(run: Path, model: Path) -> str:
    """Extract them from the checkpoints.

    Args:
        run: the folder of the training: ``recipe.toml``, ``stageN.safetensors``, and the weights in
            ``model``.
        model: a folder with the card of the same weights.

    Returns:
        What was written.

    Raises:
        UserError: the two are not of the same weights, or nothing could be kept.
    """
    card = read_card(model)
    if sha256_of(run / "model" / WEIGHTS_FILE) != card.weights_sha256:
        raise UserError(f"{run.name} did not make the weights of {card.name!r}.")
    stages = [one for one in load_recipe(run / "recipe.toml").stages if isinstance(one, StepStage)]
    steps = keep_discriminators(run, [stage.step for stage in stages], card)
    if not steps:
        raise UserError(f"{run.name} holds no discriminators of a size to be kept.")
    path = model / DISCRIMINATOR_FILE
    return f"{path}: steps {', '.join(map(str, steps))}, {path.stat().st_size / 1e6:.1f} MB"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("model", type=Path)
    given = parser.parse_args()
    sys.stdout.write(keep(given.run, given.model) + "\n")
