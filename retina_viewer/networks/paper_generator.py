"""The x2 generator of the saliency GAN as the 2017 paper has it (section 3, figure 2a).

Kept to compare with, and for the ``paper`` recipes. Where the paper is silent, the generator it
names as its model (Ledig et al. 2017) decides: 16 blocks, a skip around all of them, doubling by
a shuffle of pixels. What the viewer uses instead, and why: ``docs/decisions/generator.md``.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class NormalisedConvolution(nn.Module):
    """A 3x3 convolution and batch normalisation: ``(N, inputs, H, W)`` -> ``(N, maps, H, W)``.

    In evaluation the statistics are those of the training's population, and both are computed as
    one convolution: a result then depends on its own surroundings alone, not on the tile.

    Attributes:
        held: whether training too uses the population's statistics, as they are.
    """

    def __init__(self, inputs: int, maps: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, maps, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(maps)
        self.held = False

    def forward(self, x: Tensor) -> Tensor:
        if self.training and not self.held:
            normalised: Tensor = self.norm(self.convolution(x))
            return normalised
        weight, bias = self.folded()
        return F.conv2d(x, weight, bias, padding=1)

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight ``(maps, inputs, 3, 3)`` and bias ``(maps,)`` of both together, in evaluation."""
        norm = self.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        weight = self.convolution.weight * scale[:, None, None, None]
        return weight, norm.bias - scale * norm.running_mean


class PaperBlock(nn.Module):
    """x + bn(conv(act(bn(conv(x))))), ``(N, maps, H, W)`` -> the same."""

    def __init__(self, maps: int, slope: float = 0.0) -> None:
        super().__init__()
        self.slope = slope
        self.first = NormalisedConvolution(maps, maps)
        self.second = NormalisedConvolution(maps, maps)

    def forward(self, x: Tensor) -> Tensor:
        detail: Tensor = self.second(F.leaky_relu(self.first(x), self.slope))
        return x + detail


class PaperGenerator(nn.Module):
    """Doubles an image: ``(N, 3, H, W)`` float in [0, 1] -> ``(N, 3, 2H, 2W)``, not clamped.

    RGB in, RGB out; the image is learned from nothing, without interpolation beneath it.

    Args:
        maps: feature maps of every hidden layer; 64 in the paper.
        blocks: residual blocks; the paper gives no number.

    Pixels within ``margin`` input pixels of the border depend on the zero padding there.
    """

    def __init__(self, maps: int = 64, blocks: int = 16) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, maps, 3, padding=1)
        self.body = nn.Sequential(*(PaperBlock(maps) for _ in range(blocks)))
        self.trunk = NormalisedConvolution(maps, maps)
        self.widen = nn.Conv2d(maps, 4 * maps, 3, padding=1)
        self.tail = nn.Conv2d(maps, 3, 3, padding=1)
        # One pixel each but for the tail, which sees one of the doubled image: half of one.
        self.margin = 1 + 2 * blocks + 1 + 1 + 1

    def forward(self, image: Tensor, degradation: Tensor) -> Tensor:
        """See the class; ``degradation`` is not listened to: the paper knows one blur."""
        hidden = F.relu(self.head(image))
        deep = hidden + self.trunk(self.body(hidden))
        doubled = F.relu(F.pixel_shuffle(self.widen(deep), 2))  # (N, maps, 2H, 2W)
        result: Tensor = self.tail(doubled)
        return result.float()
