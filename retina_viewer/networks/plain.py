"""A plain x2 generator: 3x3 convolutions in a row, each learned as the sum of three branches.

After RepVGG (Ding et al. 2021) without its batch normalisation: all branches are linear, so they
are one 3x3 convolution, and are computed as one, in training too. Only the descent differs: it
moves the parts, and the identity among them lets a deep row of layers learn.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retina_viewer.networks import generator


class ThreeBranches(nn.Module):
    """``conv3x3(x) + conv1x1(x) + x``: ``(N, maps, H, W)`` -> the same."""

    identity: Tensor

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.square = nn.Conv2d(maps, maps, 3, padding=1)
        self.point = nn.Conv2d(maps, maps, 1, bias=False)  # one bias is enough
        self.register_buffer("identity", torch.eye(maps)[:, :, None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.merged_weight(), self.square.bias, padding=1)

    def merged_weight(self) -> Tensor:
        """``(maps, maps, 3, 3)``: what sees one pixel alone stands in the middle of the nine."""
        return self.square.weight + F.pad(self.point.weight + self.identity, (1, 1, 1, 1))

    def collapsed(self) -> nn.Conv2d:
        """The same as one convolution."""
        maps = self.square.out_channels
        one = nn.Conv2d(maps, maps, 3, padding=1, device=self.square.weight.device)
        one.load_state_dict({"weight": self.merged_weight(), "bias": self.square.bias})
        return one.train(self.training)


class PlainGenerator(nn.Module):
    """Doubles an image: ``(N, 3, H, W)`` float in [0, 1] -> ``(N, 3, 2H, 2W)``, not clamped.

    Input, output, ``unshuffle``, ``conditioned`` and ``margin`` as those of
    :class:`~retina_viewer.networks.generator.ResidualGenerator`; it too starts as bicubic
    interpolation. ``layers`` is the number of convolutions between the first and the last.
    """

    def __init__(
        self, maps: int = 48, layers: int = 8, unshuffle: int = 1, conditioned: bool = False
    ) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        self.head = nn.Conv2d(6 * unshuffle**2, maps, 3, padding=1)
        self.body = nn.ModuleList(ThreeBranches(maps) for _ in range(layers))
        self.modulation = generator.Modulation(maps, layers) if conditioned else None
        self.tail = generator.silent_tail(maps, unshuffle)
        self.margin = generator.margin_of(layers + 2, unshuffle)

    def forward(self, image: Tensor, degradation: Tensor) -> Tensor:
        """See the class; ``degradation``: ``(N, 2)``, blur (px) and noise (grey levels)."""
        hidden = F.relu(self.head(generator.conditioned_input(image, self.unshuffle)))
        gains = self.modulation(degradation) if self.modulation else (None,) * len(self.body)
        for layer, gain in zip(self.body, gains, strict=True):
            detail = layer(hidden)
            hidden = F.relu(detail if gain is None else detail + gain * detail)
        return generator.over_bicubic(image, self.tail(hidden), self.unshuffle)

    @torch.no_grad()
    def collapse(self) -> None:
        """Replace the branches by what they are together; nothing but the speed changes."""
        self.body = nn.ModuleList(
            layer.collapsed() if isinstance(layer, ThreeBranches) else layer for layer in self.body
        )
