"""Training one step of the cascade as the saliency GAN of the 2017 paper (section 3.1).

The loop lets the generator, then the discriminator, descend its own loss on the same batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.extras import read_discriminators, save_discriminators
from retina_viewer.networks.discriminator import Discriminator, VGG19Discriminator
from retina_viewer.networks.generator_cascade import GeneratorCascade
from retina_viewer.networks.leaky_generator import LeakyGenerator
from retina_viewer.networks.vgg import DEEPEST, VGG16Features, VGG19Features
from retina_viewer.quality.lpips import LPIPS
from retina_viewer.saliency.filters import SUPERPIXELS, saliency_filters
from retina_viewer.saliency.local import LocalSaliency
from retina_viewer.training.pairs import PairSource, PatchPair, charbonnier, luminance
from retina_viewer.training.recipe import SaliencyGanStage, SaliencyKind
from retina_viewer.training.superres_task import StepTask, feature_loss
from retina_viewer.training.task import Player, Task

OPPONENT = "discriminator"  # the name of the player that judges
_VGG16_LAYER = "relu4_1"
_CHARBONNIER_EPSILON = 0.01
_JUDGED_PATCHES = 24


class SaliencyGanTask(StepTask):
    """The GAN stage for step ``stage.step`` of ``cascade``, whose weights it starts from.

    Validation keeps the averaged generator that looks most like the truth (LPIPS); what that costs
    in PSNR is logged beside it, and how much of it to use is for the fidelity to say.
    """

    def __init__(
        self,
        cascade: GeneratorCascade,
        stage: SaliencyGanStage,
        pairs: PairSource,
        device: torch.device,
    ) -> None:
        generator = cascade.steps[stage.step - 1].requires_grad_(True)
        self._period = 2 * getattr(generator, "unshuffle", 1)
        if isinstance(generator, LeakyGenerator):
            generator.hold_statistics()  # this is the last part of its training
        narrow, normed = stage.discriminator_narrow, stage.discriminator_batch_norm
        self._discriminator = (
            VGG19Discriminator(narrow)
            if stage.discriminator == "vgg19"
            else Discriminator(narrow, normed)
        ).to(device)
        players = (Player("generator", generator), Player(OPPONENT, self._discriminator))
        super().__init__(f"saliency GAN step {stage.step}", players, stage.optimisation, pairs)
        self._gan = stage
        self._saliency = SaliencyMaps(stage.saliency, stage.curvature_share).to(device)
        vgg19 = stage.cnn_features == "vgg19"
        self._layer = DEEPEST if vgg19 else _VGG16_LAYER
        features = VGG19Features([self._layer]) if vgg19 else VGG16Features([self._layer])
        self._features = features.to(device)
        self._perceptual = LPIPS().to(device)
        # Truth and result as both players judge them, by their batch: there may be parts.
        self._judged: dict[int, tuple[Tensor, Tensor]] = {}

    def validate(self, network: nn.Module) -> dict[str, float]:
        """PSNR by blur, LPIPS of Gaussian patches, and the score: LPIPS, turned to be high."""
        distance = self.pairs.mean_distance(network, self._perceptual, _JUDGED_PATCHES)
        return {**self.pairs.luminance_psnr(network), "lpips": distance, "score": -distance}

    def batch(self, rng: np.random.Generator) -> PatchPair:
        self._judged.clear()
        return super().batch(rng)

    def losses(self, player: Player, batch: PatchPair) -> dict[str, Tensor]:
        if player.name == OPPONENT:  # the generator has played on this batch
            return {"adversarial": self._discriminator_loss(*self._judged.pop(id(batch)))}
        truth = self.pairs.inside(batch.high)
        made = self.pairs.inside(player.network(batch.low, batch.degradation))
        weight = self._gan.weights.grid
        grid = {"grid": weight * grid_error(made - truth, self._period)} if weight else {}
        truth, made = self._shifted(truth, made)
        self._judged[id(batch)] = truth, made.detach()
        return self._generator_losses(truth, made) | grid

    def _shifted(self, truth: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
        """Both cut at a random place within the period of the shuffling: the strides of the
        networks that judge would else always meet the same phases, and let a pattern pass."""
        dy, dx = (int(n) for n in torch.randint(self._period, (2,)))
        height, width = (side - self._period for side in truth.shape[2:])
        rows, columns = slice(dy, dy + height), slice(dx, dx + width)
        return truth[..., rows, columns], made[..., rows, columns]

    def _generator_losses(self, truth: Tensor, made: Tensor) -> dict[str, Tensor]:
        """Equations 7 to 10, weighted; terms of weight 0 are not computed."""
        weights = self._gan.weights
        terms: dict[str, Tensor] = {}
        if weights.pixel:
            terms["pixel"] = weights.pixel * charbonnier(made - truth, _CHARBONNIER_EPSILON)
        if weights.squared:
            terms["squared"] = weights.squared * F.mse_loss(made, truth)
        if weights.weighted or weights.saliency:
            terms |= self._saliency_terms(truth, made)
        if weights.cnn:
            terms["cnn"] = weights.cnn * feature_loss(self._features, self._layer, truth, made)
        if weights.adversarial:
            terms["adversarial"] = weights.adversarial * self._generator_adversarial(truth, made)
        return terms

    def _saliency_terms(self, truth: Tensor, made: Tensor) -> dict[str, Tensor]:
        """Equations 7 and 9."""
        weights, terms = self._gan.weights, {}
        true_map, made_map = self._saliency.of_truth(truth), self._saliency.of_made(made)
        if weights.weighted:
            own_map = made_map if self._gan.weighting == "paper" else None
            error = weighted_squared_error(truth, made, true_map, own_map)
            terms["weighted"] = weights.weighted * error
        if weights.saliency and made_map is not None:
            terms["saliency"] = weights.saliency * F.mse_loss(made_map, true_map)
        return terms

    def _generator_adversarial(self, truth: Tensor, made: Tensor) -> Tensor:
        self._discriminator.requires_grad_(False)
        judged_made = self._judge(made)
        if self._gan.adversarial == "paper":
            return F.softplus(-judged_made).mean()  # -log sigmoid(D), eq. 10
        return F.softplus(self._judge(truth) - judged_made).mean()

    def _discriminator_loss(self, truth: Tensor, made: Tensor) -> Tensor:
        self._discriminator.requires_grad_(True)
        judged_true, judged_made = self._judge(truth), self._judge(made)
        if self._gan.adversarial == "paper":  # the discriminator's half of eq. 5
            return F.softplus(-judged_true).mean() + F.softplus(judged_made).mean()
        return F.softplus(judged_made - judged_true).mean()

    def _judge(self, image: Tensor) -> Tensor:
        """The discriminator's logits under instance noise (which keeps it from certainty)."""
        noisy = image.float() + self._gan.instance_noise * torch.randn_like(image)
        # In full precision: in bfloat16 the gradients of its coarsest layers were seen to be NaN.
        with torch.autocast(image.device.type, enabled=False):
            logits: Tensor = self._discriminator(noisy)
        return logits


def grid_error(difference: Tensor, period: int) -> Tensor:
    """How much of an error repeats with the period of the pixel shuffling: a visible grid.

    Args:
        difference: result less truth, ``(N, C, H, W)``; H and W multiples of ``period``.
        period: of the shuffling, in result pixels.

    Returns:
        Mean square over images, channels and phases of the mean error of a phase, less that of all.
    """
    count, channels = difference.shape[:2]
    phases = F.pixel_unshuffle(difference, period).view(count, channels, period**2, -1).mean(dim=3)
    deviation: Tensor = phases - phases.mean(dim=2, keepdim=True)
    return deviation.square().mean()


def weighted_squared_error(
    truth: Tensor, made: Tensor, true_map: Tensor, made_map: Tensor | None
) -> Tensor:
    """The saliency-weighted mean squared error of ``(N, 3, H, W)``.

    Args:
        true_map: saliency, ``(N, 1, H, W)``.
        made_map: likewise, for eq. 7 as printed, ``(w_HR HR - w_SR SR)^2``: each image is
            multiplied by its own saliency inside the square. None for ``w_HR (HR - SR)^2``.
    """
    if made_map is not None:
        return (true_map * truth - made_map * made).square().mean()
    return (true_map * (truth - made).square()).mean()


class SaliencyMaps(nn.Module):
    """Saliency of patches, ``(N, 3, H, W)`` in [0, 1] -> ``(N, 1, H, W)``.

    ``local``, ``curvature`` and ``entropy`` are the 2017 paper's, in its differentiable form.
    ``filters`` are Saliency Filters, the global map of the comparison. They have no gradient: the
    truth is weighed by them (eq. 7), but two maps cannot be drawn together (eq. 9), which is then
    left out. Each patch is taken for the whole image: what is rare in it is salient.
    ``curvature_share`` is w1 of eq. 3, for ``local``.
    """

    def __init__(self, kind: SaliencyKind, curvature_share: float) -> None:
        super().__init__()
        self.local: LocalSaliency | None = None
        if kind == "local":
            self.local = LocalSaliency(curvature_share)
        elif kind != "filters":
            self.local = LocalSaliency(features=kind)

    @torch.no_grad()
    def of_truth(self, truth: Tensor) -> Tensor:
        """Of true photographs, without gradient."""
        if self.local is None:
            return _filtered(truth)
        found: Tensor = self.local(luminance(truth))
        return found

    def of_made(self, made: Tensor) -> Tensor | None:
        """Of what a network made, with gradient; None where the kind has none."""
        return None if self.local is None else self.local(luminance(made))


def _filtered(images: Tensor) -> Tensor:
    # 36 pixels each: patches are too small for the 400 of whole photographs.
    count = min(max(images.shape[2] * images.shape[3] // 36, 16), SUPERPIXELS)
    rgb = images.detach().float().clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()
    maps = np.stack([saliency_filters(one, count) for one in rgb])
    return torch.from_numpy(maps)[:, None].to(images.device)


KeptState = Mapping[str, Tensor]


def keep_discriminators(
    run: Path,
    steps: Sequence[int],
    card: ModelCard,
    *,
    first: int = 1,
    base: ModelCard | None = None,
) -> list[int]:
    """Put the discriminators of a finished training beside its model.

    Args:
        run: the folder with the checkpoints, ``stageN.safetensors``.
        steps: of the cascade, that the stages trained in turn.
        first: the number of the first of these stages.
        base: what the model was tuned from: its discriminators stand for steps that were not.

    Returns:
        The steps with a discriminator; none where no stage had one, or where they are too large.
    """
    found: dict[int, KeptState] = {}
    for number, step in enumerate(steps, first):
        state = _in_checkpoint(run / f"stage{number}.safetensors")
        if state:
            found[step] = state
    if not found:
        return []
    if base is not None:
        found = _kept_with(base)[0] | found
    return sorted(found) if save_discriminators(found, card) else []


def begin_with(task: Task, kept: KeptState | None) -> bool:
    """Let a task's discriminator go on from a kept state of the same step; False where it has one
    that stays as it was made: nothing was kept, or it is of another form."""
    network = next((player.network for player in task.players if player.name == OPPONENT), None)
    if network is None:
        return True
    wanted = {name: value.shape for name, value in network.state_dict().items()}
    if kept is None or {name: value.shape for name, value in kept.items()} != wanted:
        return False
    network.load_state_dict(dict(kept))
    return True


def take_over(task: Task, step: int, base: ModelCard) -> str:
    """Let a task's discriminator go on from that of the model that is tuned; what to tell the
    person where it does not."""
    kept, problem = _kept_with(base)
    if begin_with(task, kept.get(step)):
        return ""
    why = problem or f"The model {base.name!r} comes without one that fits."
    return f"The discriminator of step {step} starts anew. {why}"


def _kept_with(card: ModelCard) -> tuple[dict[int, KeptState], str]:
    """The discriminators of a model by step, and why they cannot be used."""
    try:
        return dict(read_discriminators(card)), ""
    except UserError as error:
        return {}, error.message


def _in_checkpoint(path: Path) -> dict[str, Tensor]:
    start = f"network/{OPPONENT}/"
    try:
        with safe_open(path, framework="pt") as stream:
            names = [key for key in stream.keys() if key.startswith(start)]  # noqa: SIM118
            return {name.removeprefix(start): stream.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"{path.name} is not a checkpoint of this program.") from error
