"""Training the estimator of blur and noise on photographs shrunk in known ways."""

import numpy as np
import torch
from torch import Tensor, nn

from retina_viewer.training.pairs import degradation_tensor
from retina_viewer.training.patches import PatchSource, random_low_resolution
from retina_viewer.training.recipe import FormationStage, Optimisation
from retina_viewer.training.task import Player

_BLUR_UNIT = 0.1  # px: an error of this much counts like a doubling of the noise


class FormationTask:
    """Patches of all four scales in turn, one scale a batch."""

    def __init__(
        self,
        network: nn.Module,
        stage: FormationStage,
        train: PatchSource,
        validation: PatchSource,
        device: torch.device,
    ) -> None:
        self._stage, self._train, self._device = stage, train, device
        self._player = Player("estimator", network.requires_grad_(True))
        rng = np.random.default_rng(0)
        self._validation = [
            self._batch(validation, scale, stage.validation_patches, rng) for scale in stage.patches
        ]

    @property
    def name(self) -> str:
        return "formation"

    @property
    def optimisation(self) -> Optimisation:
        return self._stage.optimisation

    @property
    def players(self) -> tuple[Player, ...]:
        return (self._player,)

    def batch(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        scale = int(rng.choice(list(self._stage.patches)))
        return self._batch(self._train, scale, self.optimisation.batch, rng)

    def losses(self, player: Player, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        image, truth = batch
        found = player.network(image)
        noise = (torch.log2(found[:, 1]) - torch.log2(truth[:, 1])).abs()
        return {
            "blur": ((found[:, 0] - truth[:, 0]).abs() / _BLUR_UNIT).mean(),
            "noise": noise.mean(),
        }

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, float]:
        """Mean absolute errors: blur in px, noise in octaves."""
        terms = [self.losses(Player("validation", network), batch) for batch in self._validation]
        blur = float(torch.stack([term["blur"] for term in terms]).mean())
        noise = float(torch.stack([term["noise"] for term in terms]).mean())
        return {"blur_error": blur * _BLUR_UNIT, "noise_error": noise, "score": -blur - noise}

    def _batch(
        self, source: PatchSource, scale: int, count: int, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        side = self._stage.patches[scale] * scale
        drawn = [
            random_low_resolution(source.draw(side, one), scale, self._stage.degradation, one)
            for one in rng.spawn(count)
        ]
        images = torch.from_numpy(np.stack([low for low, _ in drawn])).permute(0, 3, 1, 2)
        images = images.to(self._device, memory_format=torch.channels_last)
        return images, degradation_tensor([formed for _, formed in drawn], self._device)
