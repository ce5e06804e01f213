"""The discriminators of the saliency GAN (2017, figure 2b) and of Zhao 2025 (section 2.2)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from retina_viewer.networks.vgg import DEEPEST, VGG19Features

_SLOPE = 0.2
_WIDTHS = (64, 64, 128, 128, 256, 256, 512, 512)


class Discriminator(nn.Module):
    """Eight 3x3 convolutions, two dense: ``(N, 3, H, W)`` RGB in [0, 1] -> ``(N, 1)`` logits, how
    likely a true photograph.

    Feature maps double from 64 to 512, and each doubling comes with the strided convolution after
    it, as in the paper (and in Ledig et al. 2017). The maps are averaged over the patch before the
    two dense layers, so that patches of any size of at least 16 pixels can be judged. The sigmoid
    of the paper is part of the loss.

    Args:
        narrow: divides every width; 1 is the paper's.
        batch_norm: as the paper's training has it; without it, spectral normalisation (Miyato et
            al. 2018) keeps the discriminator smooth, which is steadier on few photographs.
    """

    def __init__(self, narrow: int = 1, batch_norm: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for number, wide in enumerate(_WIDTHS):
            maps = max(8, wide // narrow)
            stride = 1 + number % 2
            convolution: nn.Module = nn.Conv2d(channels, maps, 3, stride=stride, padding=1)
            layers.append(convolution if batch_norm else spectral_norm(convolution))
            if batch_norm and number:
                layers.append(nn.BatchNorm2d(maps))
            layers.append(nn.LeakyReLU(_SLOPE))
            channels = maps
        self.features = nn.Sequential(*layers)
        hidden = max(16, 1024 // narrow)
        self.dense = nn.Sequential(
            nn.Linear(channels, hidden), nn.LeakyReLU(_SLOPE), nn.Linear(hidden, 1)
        )

    def forward(self, image: Tensor) -> Tensor:  # (N, 3, H, W) -> (N, 1)
        maps = self.features(2 * image - 1)  # (N, C, H / 16, W / 16)
        logits: Tensor = self.dense(maps.mean(dim=(2, 3)))
        return logits


class VGG19Discriminator(nn.Module):
    """``(N, 3, H, W)`` RGB in [0, 1], at least 16 px -> ``(N, 1)`` logits: how likely true.

    VGG-19 with additional convolutions, then dense. The pretrained part is fixed: with a few dozen
    photographs its two million weights would learn them by heart, and a fixed one is known to judge
    more steadily (Sauer et al. 2021, "Projected GANs converge faster"). It ends at relu3_4, as deep
    as the weights that come with the program go. The sigmoid of the paper is part of the loss.
    Spectral normalisation (Miyato et al. 2018) keeps the learned part smooth.

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
                (256, first, 1),
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
