"""The x2 generator after Zhao 2025 (ICDSE, "Super-Resolution Image Generation for Diabetic
Retinopathy Detection by SRGAN", section 2 and figure 2).

As there: residual blocks with leaky ReLU and batch normalisation, a sum around all of them,
doubling by a shuffle of pixels, input normalised by the mean and the deviation of the training
photographs (eq. 7). Different: it doubles, the cascade does the rest; what it gives is added to
bicubic interpolation, without which so small a network does not come to it in so short a
training; and the later steps, whose input is smooth, work on unshuffled pixels.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retina_viewer.networks.generator import silent_tail, upsample2
from retina_viewer.networks.paper_generator import NormalisedConvolution, PaperBlock

_SLOPE = 0.2
_OUTPUT_GAIN = 0.1  # of the deviation: the residual over bicubic is a few hundredths of full scale
_BICUBIC_REACH = 2


class LeakyGenerator(nn.Module):
    """Doubles an image: ``(N, 3, H, W)`` float in [0, 1] -> ``(N, 3, 2H, 2W)``, not clamped.

    ``mean`` and ``deviation`` are those of the training photographs inside the field of view, for
    R, G, B; ``maps``, ``blocks``, ``unshuffle`` and ``margin`` as those of
    :class:`~retina_viewer.networks.generator.ResidualGenerator`.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        mean: Sequence[float],
        deviation: Sequence[float],
        maps: int = 48,
        blocks: int = 5,
        unshuffle: int = 1,
    ) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        # They are parameters of the architecture, so the weights need not repeat them.
        for name, value in (("mean", mean), ("deviation", deviation)):
            self.register_buffer(name, torch.tensor(value).view(1, 3, 1, 1), persistent=False)
        self.head = nn.Conv2d(3 * unshuffle**2, maps, 3, padding=1)
        self.body = nn.Sequential(*(PaperBlock(maps, _SLOPE) for _ in range(blocks)))
        self.trunk = NormalisedConvolution(maps, maps)
        self.tail = silent_tail(maps, unshuffle)
        self.margin = max((2 * blocks + 3) * unshuffle, _BICUBIC_REACH)

    def forward(self, image: Tensor, degradation: Tensor) -> Tensor:
        """See the class; ``degradation`` is not listened to: the paper knows one degradation."""
        normalised = F.pixel_unshuffle((image - self.mean) / self.deviation, self.unshuffle)
        hidden = F.leaky_relu(self.head(normalised), _SLOPE)
        deep = hidden + self.trunk(self.body(hidden))
        residual = F.pixel_shuffle(self.tail(deep), 2 * self.unshuffle).float()
        return upsample2(image) + _OUTPUT_GAIN * self.deviation * residual

    def hold_statistics(self) -> None:
        """From now on normalise by the population's statistics in training too, as at use.

        What a batch's own statistics make of an image is not what one image gets at use: the last
        part of a training does without them, so that the weights fit what will be.
        """
        for module in self.modules():
            if isinstance(module, NormalisedConvolution):
                module.held = True
