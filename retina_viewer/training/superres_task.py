"""Training one step of the cascade with a pixel loss, on the output of the steps before it."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retina_viewer.networks.generator_cascade import Chain, GeneratorCascade
from retina_viewer.networks.vgg import DEEPEST, VGG19Features
from retina_viewer.training.pairs import PairSource, PatchPair, charbonnier, luminance
from retina_viewer.training.recipe import Optimisation, SuperresStage
from retina_viewer.training.task import RESULT_OF, Player


class StepTask:
    """What every training of one step shares: where its pairs come from, how it is judged."""

    def __init__(
        self, name: str, players: tuple[Player, ...], optimisation: Optimisation, pairs: PairSource
    ) -> None:
        self.name, self.players, self.optimisation = name, players, optimisation
        self.pairs = pairs

    def batch(self, rng: np.random.Generator) -> PatchPair:
        return self.pairs.draw(self.optimisation.batch, rng)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Luminance PSNR of fixed validation patches by blur, and the score, weighted likewise."""
        return scored(self.pairs, network)


def scored(pairs: PairSource, network: nn.Module) -> dict[str, float]:
    """Luminance PSNR of the validation patches by blur, and ``score``, weighted as in training."""
    psnr, gaussian = pairs.luminance_psnr(network), pairs.gaussian_share
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
        self._content = ContentLoss(stage, device)

    def losses(self, player: Player, batch: PatchPair) -> dict[str, Tensor]:
        made = self.pairs.inside(player.network(batch.low, batch.degradation))
        return self._content.losses(made, self.pairs.inside(batch.high))


class JointTask(StepTask):
    """The pixel stage for steps 1 to ``stage.step`` of ``cascade`` at once.

    Steps that are trained in turn are strangers to what comes after them: the first learns to
    double well, not to leave the second what that could use. Here the loss of each result reaches
    all the steps that it came through, and the smaller results keep a loss of their own, on
    photographs that were shrunk for them: they are shown as well.

    Args:
        pairs: for each result in turn, from the photograph.
    """

    def __init__(
        self,
        cascade: GeneratorCascade,
        stage: SuperresStage,
        pairs: Sequence[PairSource],
        device: torch.device,
    ) -> None:
        chain = Chain(list(cascade.steps)[: stage.step]).requires_grad_(True)
        name = f"superres steps 1 to {stage.step}"
        super().__init__(name, (Player("generator", chain),), stage.optimisation, pairs[-1])
        self.levels = pairs
        self._content = ContentLoss(stage, device)

    def batch(self, rng: np.random.Generator) -> tuple[PatchPair, ...]:  # type: ignore[override]
        """One batch for each result; the samples of one number have their generator in common."""
        rngs = rng.spawn(self.optimisation.batch)
        return tuple(pairs.draw_each(rngs) for pairs in self.levels)

    def losses(self, player: Player, batch: tuple[PatchPair, ...]) -> dict[str, Tensor]:
        terms: dict[str, Tensor] = {}
        for level, (pairs, drawn) in enumerate(zip(self.levels, batch, strict=True), start=1):
            made = pairs.inside(_up_to(level, player.network)(drawn.low, drawn.degradation))
            found = self._content.losses(made, pairs.inside(drawn.high))
            terms |= {f"{name}{RESULT_OF}{2**level}": term for name, term in found.items()}
        return terms

    def validate(self, network: nn.Module) -> dict[str, float]:
        """PSNR of the largest result, and of the others by name; the score is the mean of all."""
        found = [
            scored(pairs, _up_to(level, network))
            for level, pairs in enumerate(self.levels, start=1)
        ]
        metrics = {**found[-1], "score": float(np.mean([one["score"] for one in found]))}
        for level, one in enumerate(found[:-1], start=1):
            metrics[f"psnr_gaussian{RESULT_OF}{2**level}"] = one["psnr_gaussian"]
        return metrics


def _up_to(level: int, network: nn.Module) -> Chain:
    assert isinstance(network, Chain)
    return Chain(list(network.steps)[:level])


def feature_loss(features: nn.Module, layer: str, truth: Tensor, made: Tensor) -> Tensor:
    """Mean squared difference of all maps of a layer."""
    with torch.no_grad():
        wanted = features(truth)[layer].float()
    return F.mse_loss(features(made)[layer].float(), wanted)


class ContentLoss:
    """The pixel stage's loss terms of a result."""

    def __init__(self, stage: SuperresStage, device: torch.device) -> None:
        self._stage = stage
        self._features = VGG19Features([DEEPEST]).to(device) if stage.vgg19 else None

    def losses(self, made: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """``(N, 3, H, W)`` in [0, 1] each, inside the rim."""
        terms = {"rgb": self._size(made - truth)}
        if weight := self._stage.luminance_weight:
            terms["luminance"] = weight * self._size(luminance(made - truth))
        if self._features is not None:
            # Zhao 2025, eq. 3
            cnn = feature_loss(self._features, DEEPEST, truth, made)
            terms["cnn"] = self._stage.vgg19 * cnn
        return terms

    def _size(self, difference: Tensor) -> Tensor:
        if self._stage.loss == "squared":
            return difference.square().mean()
        return charbonnier(difference, self._stage.charbonnier_epsilon)
