"""The discriminator of Zhao 2025 (section 2.2): VGG-19 with additional convolutions, then dense.

The pretrained part is fixed. With a few dozen photographs its two million weights would learn
them by heart, and a fixed one is known to judge more steadily (Sauer et al. 2021, "Projected GANs
converge faster"). It ends at relu3_4, as deep as the weights that come with the program go.
"""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from retina_viewer.networks.vgg19 import DEEPEST, VGG19Features

_SLOPE = 0.2
_CHANNELS = 256


class VGG19Discriminator(nn.Module):
    """``(N, 3, H, W)`` RGB in [0, 1], at least 16 px -> ``(N, 1)`` logits: how likely true.

    The sigmoid of the paper is part of the loss. Spectral normalisation (Miyato et al. 2018)
    keeps the learned part smooth.

    Args:
        narrow: divides the width of the learned part; at 1 it is 256 and 512.
    """

    def __init__(self, narrow: int = 1) -> None:
        super().__init__()
        self.pretrained = VGG19Features()
        first, second = max(8, 256 // narrow), max(8, 512 // narrow)
        self.features = nn.ModuleList(
            spectral_norm(nn.Conv2d(inputs, maps, 3, stride=stride, padding=1))
            for inputs, maps, stride in (
                (_CHANNELS, first, 1),
                (first, first, 2),
                (first, second, 1),
                (second, second, 2),
            )
        )
        hidden = max(16, 1024 // narrow)
        self.dense = nn.Sequential(
            nn.Linear(second, hidden), nn.LeakyReLU(_SLOPE), nn.Linear(hidden, 1)
        )

    def forward(self, image: Tensor) -> Tensor:  # (N, 3, H, W) -> (N, 1)
        x = self.pretrained(image)[DEEPEST]  # (N, 256, H / 4, W / 4)
        for convolution in self.features:
            x = F.leaky_relu(convolution(x), _SLOPE)
        logits: Tensor = self.dense(x.mean(dim=(2, 3)))
        return logits
