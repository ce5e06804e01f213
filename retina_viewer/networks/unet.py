"""The vessel network: a U-Net (Ronneberger, Fischer, Brox 2015) of modest size."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _DoubleConv(nn.Sequential):
    """Two 3x3 convolutions, each with batch normalisation and ReLU."""

    def __init__(self, inputs: int, maps: int, dropout: float) -> None:
        super().__init__(
            nn.Conv2d(inputs, maps, 3, padding=1, bias=False),
            nn.BatchNorm2d(maps),
            nn.ReLU(inplace=True),
            nn.Dropout2d(dropout),
            nn.Conv2d(maps, maps, 3, padding=1, bias=False),
            nn.BatchNorm2d(maps),
            nn.ReLU(inplace=True),
        )


class UNet(nn.Module):
    """``(N, inputs, H, W)`` float -> ``(N, 1, H, W)`` logits; any H and W.

    Args:
        widths: feature maps from the finest level to the coarsest; each level halves the size.
        dropout: probability of dropping a whole feature map, in training only.
    """

    def __init__(
        self, inputs: int = 3, widths: tuple[int, ...] = (16, 32, 64, 128), dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.multiple = 2 ** (len(widths) - 1)
        ins = (inputs, *widths[:-1])
        self.down = nn.ModuleList(
            _DoubleConv(i, o, dropout) for i, o in zip(ins, widths, strict=True)
        )
        pairs = list(zip(widths[1:], widths[:-1], strict=True))
        self.reduce = nn.ModuleList(nn.Conv2d(deep, fine, 1) for deep, fine in pairs)
        self.up = nn.ModuleList(_DoubleConv(2 * fine, fine, dropout) for _, fine in pairs)
        self.head = nn.Conv2d(widths[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:  # (N, inputs, H, W) -> (N, 1, H, W)
        height, width = x.shape[-2:]
        x = F.pad(x, (0, -width % self.multiple, 0, -height % self.multiple), mode="replicate")
        levels: list[Tensor] = []
        for number, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if number else x)
            levels.append(x)
        for number in reversed(range(len(self.up))):
            x = F.interpolate(
                self.reduce[number](x), scale_factor=2, mode="bilinear", align_corners=False
            )
            x = self.up[number](torch.cat([x, levels[number]], dim=1))
        logits: Tensor = self.head(x)
        return logits[..., :height, :width].float()
