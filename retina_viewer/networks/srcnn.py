"""SRCNN (Dong, Loy, He and Tang 2014, 2016), the first network for super-resolution, as an x2 step.

Three convolutions on the bicubic-enlarged luminance; colour is enlarged by interpolation alone.
Two things differ from the paper, and change how it is trained, not what it can be:

- The network gives what is added to bicubic interpolation, not the luminance itself, and starts
  at nothing. The paper's own schedule of 10^8 updates is for learning the identity.
- The first filters start without a mean and at a gain, since the detail of fundus photographs is
  a few hundredths of full scale.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retina_viewer.networks.generator import upsample2

_LUMINANCE = (0.299, 0.587, 0.114)  # BT.601
_DETAIL_GAIN = 15.0  # brings the local contrast of fundus photographs to unit size
_OUTPUT_GAIN = 0.05  # the residual over bicubic is a few hundredths of full scale
_BICUBIC_REACH = 2  # input pixels that a bicubic kernel sees on each side


class SRCNN(nn.Module):
    """Doubles an image: ``(N, 3, H, W)`` float in [0, 1] -> ``(N, 3, 2H, 2W)``, not clamped.

    Args:
        sides: of the three convolutions' kernels, odd; 9-5-5 is the paper's best.
        maps: feature maps after the first and the second.

    Pixels within ``margin`` input pixels of the border depend on the zero padding there.
    """

    def __init__(
        self, sides: tuple[int, int, int] = (9, 5, 5), maps: tuple[int, int] = (64, 32)
    ) -> None:
        super().__init__()
        channels = (1, *maps, 1)
        self.extract, self.map, self.reconstruct = (
            nn.Conv2d(channels[k], channels[k + 1], sides[k], padding=sides[k] // 2)
            for k in range(3)
        )
        with torch.no_grad():
            weight = self.extract.weight
            weight.sub_(weight.mean(dim=(2, 3), keepdim=True)).mul_(_DETAIL_GAIN)
            nn.init.zeros_(self.reconstruct.weight)
            for layer in (self.extract, self.reconstruct):
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)
        # The convolutions see the doubled image.
        reach = sum(side // 2 for side in sides)
        self.margin = -(-reach // 2) + _BICUBIC_REACH

    def forward(self, image: Tensor, degradation: Tensor) -> Tensor:
        """See the class; ``degradation`` is not listened to: the paper knows one blur."""
        enlarged = upsample2(image)
        weights = enlarged.new_tensor(_LUMINANCE).view(1, 3, 1, 1)
        luminance = (enlarged * weights).sum(dim=1, keepdim=True)  # (N, 1, 2H, 2W)
        hidden = F.relu(self.map(F.relu(self.extract(luminance))))
        # Luminance added to all three colours leaves the chroma of BT.601 as it was.
        result: Tensor = enlarged + _OUTPUT_GAIN * self.reconstruct(hidden).float()
        return result
