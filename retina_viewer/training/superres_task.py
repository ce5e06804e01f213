"""Training one step of the cascade with a pixel loss, on the output of the steps before it."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retina_viewer.networks.cascade import GeneratorCascade
from retina_viewer.networks.vgg19 import DEEPEST, VGG19Features
from retina_viewer.training.losses import charbonnier, luminance
from retina_viewer.training.pairs import PairSource, PatchPair
from retina_viewer.training.recipe import Optimisation, SuperresStage
from retina_viewer.training.task import Player


class StepTask:
    """What every training of one step shares: where its pairs come from, how it is judged."""

    def __init__(
        self,
        name: str,
        players: tuple[Player, ...],
        optimisation: Optimisation,
        pairs: PairSource,
    ) -> None:
        self.name, self.players, self.optimisation = name, players, optimisation
        self._pairs = pairs

    @property
    def pairs(self) -> PairSource:
        """What it trains on and is judged by."""
        return self._pairs

    def batch(self, rng: np.random.Generator) -> PatchPair:
        return self._pairs.draw(self.optimisation.batch, rng)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Luminance PSNR of fixed validation patches by blur, and the score, weighted likewise."""
        psnr = self._pairs.luminance_psnr(network)
        gaussian = self._pairs.gaussian_share
        score = gaussian * psnr["psnr_gaussian"] + (1 - gaussian) * psnr["psnr_bicubic"]
        return {**psnr, "score": score}


class SuperresTask(StepTask):
    """The pixel stage for step ``stage.step`` of ``cascade`` (numbered from 1)."""

    def __init__(
        self,
        cascade: GeneratorCascade,
        stage: SuperresStage,
        pairs: PairSource,
        device: torch.device,
    ) -> None:
        generator = Player("generator", cascade.steps[stage.step - 1].requires_grad_(True))
        super().__init__(f"superres step {stage.step}", (generator,), stage.optimisation, pairs)
        self._stage = stage
        self._features = VGG19Features([DEEPEST]).to(device) if stage.vgg19 else None

    def losses(self, player: Player, batch: PatchPair) -> dict[str, Tensor]:
        made = self._pairs.inside(player.network(batch.low, batch.formation))
        truth = self._pairs.inside(batch.high)
        terms = {"rgb": self._size(made - truth)}
        if weight := self._stage.luminance_weight:
            terms["luminance"] = weight * self._size(luminance(made - truth))
        if self._features is not None:
            terms["cnn"] = self._stage.vgg19 * self._cnn_loss(self._features, truth, made)
        return terms

    def _cnn_loss(self, features: nn.Module, truth: Tensor, made: Tensor) -> Tensor:
        """Zhao 2025, eq. 3: mean squared difference of all maps."""
        with torch.no_grad():
            wanted = features(truth)[DEEPEST].float()
        return F.mse_loss(features(made)[DEEPEST].float(), wanted)

    def _size(self, difference: Tensor) -> Tensor:
        if self._stage.loss == "squared":
            return difference.square().mean()
        return charbonnier(difference, self._stage.charbonnier_epsilon)
