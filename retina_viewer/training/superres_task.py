"""Training one step of the cascade with a pixel loss, on the output of the steps before it."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from retina_viewer.networks.cascade import GeneratorCascade
from retina_viewer.training.degradation import random_low_resolution
from retina_viewer.training.losses import charbonnier, luminance
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import DegradationRange, Optimisation, SuperresStage
from retina_viewer.training.task import Player

_VALIDATION_SIDE = 28  # low-resolution pixels inside the border


@dataclass(frozen=True)
class PatchPair:
    """``low`` is the input of the trained step, made by the frozen steps before it."""

    low: Tensor  # (N, 3, h, w)
    high: Tensor  # (N, 3, 2h, 2w)


class SuperresTask:
    """The pixel stage for step ``stage.step`` of ``cascade`` (numbered from 1)."""

    def __init__(
        self,
        cascade: GeneratorCascade,
        stage: SuperresStage,
        degradation: DegradationRange,
        train: PatchSource,
        validation: PatchSource,
        device: torch.device,
    ) -> None:
        self.name = f"superres step {stage.step}"
        self._stage, self._degradation, self._train = stage, degradation, train
        self._device = device
        self._frozen = [step.eval().requires_grad_(False) for step in cascade.steps][
            : stage.step - 1
        ]
        step = cascade.steps[stage.step - 1].requires_grad_(True)
        self.players = (Player("generator", step),)
        self._scale = 2**stage.step
        self._validation = self._validation_pairs(validation)

    @property
    def optimisation(self) -> Optimisation:
        return self._stage.optimisation

    def batch(self, rng: np.random.Generator) -> PatchPair:
        side = self._stage.patch * self._scale
        high = [self._train.draw(side, rng) for _ in range(self.optimisation.batch)]
        low = [random_low_resolution(h, self._scale, self._degradation, rng) for h in high]
        return self._pair(low, high)

    def losses(self, player: Player, batch: PatchPair) -> dict[str, Tensor]:
        difference = player.network(batch.low) - batch.high
        rim = self._stage.border * self._scale
        difference = difference[..., rim:-rim, rim:-rim]
        epsilon = self._stage.charbonnier_epsilon
        return {
            "rgb": charbonnier(difference, epsilon),
            "luminance": self._stage.luminance_weight * charbonnier(luminance(difference), epsilon),
        }

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, float]:
        """Luminance PSNR of fixed validation patches and its gain over the untrained start."""
        rim = self._stage.border * self._scale
        ratios: dict[str, list[float]] = {}
        for kernel, pairs in self._validation.items():
            for pair in pairs:
                result = network(pair.low).clamp(0, 1)
                error = luminance(result - pair.high)[..., rim:-rim, rim:-rim]
                mse = error.square().mean(dim=(1, 2, 3)).clamp(min=1e-10)
                ratios.setdefault(kernel, []).extend((-10 * mse.log10()).tolist())
        psnr = {f"psnr_{kernel}": float(np.mean(values)) for kernel, values in ratios.items()}
        return {**psnr, "score": float(np.mean(list(psnr.values())))}

    def _validation_pairs(self, source: PatchSource) -> dict[str, list[PatchPair]]:
        """The same patches for every training: Gaussian (sigma 0.4 r) and bicubic, clean."""
        rng = np.random.default_rng(0)
        side = (_VALIDATION_SIDE + 2 * self._stage.border) * self._scale
        side -= side % (2 * self._scale)
        high = [source.draw(side, rng) for _ in range(self._stage.validation_patches)]
        clean = DegradationRange(sigma=(0.4, 0.4), area=0, noise_probability=0, jpeg_probability=0)
        kernels = {
            "gaussian": clean.model_copy(update={"gaussian": 1.0, "bicubic": 0.0}),
            "bicubic": clean.model_copy(update={"gaussian": 0.0, "bicubic": 1.0}),
        }
        return {
            name: [
                self._pair([random_low_resolution(h, self._scale, ranges, rng)], [h]) for h in high
            ]
            for name, ranges in kernels.items()
        }

    @torch.no_grad()
    def _pair(self, low: list[np.ndarray], high: list[np.ndarray]) -> PatchPair:
        inputs = self._tensor(low)
        for step in self._frozen:
            inputs = step(inputs).clamp(0, 1)
        return PatchPair(inputs, self._tensor(high))

    def _tensor(self, images: list[np.ndarray]) -> Tensor:
        stack = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
        return stack.to(self._device, memory_format=torch.channels_last)
