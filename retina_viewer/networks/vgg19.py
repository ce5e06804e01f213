"""The first eight convolutions of VGG-19 (Simonyan and Zisserman 2015), fixed."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from retina_viewer.networks.vgg import read_perceptual_weights

FILE = "vgg19_conv1_1-conv3_4.safetensors"
DEEPEST = "relu3_4"
_BLOCKS = {1: (2, 64), 2: (2, 128), 3: (4, 256)}  # convolutions, channels
# The weights are the authors' own, whose input is BGR, 0 to 255, less the mean of ImageNet.
_MEAN = (103.939, 116.779, 123.68)
_UNIT = 1000.0  # the root mean square of relu3_4 on fundus photographs


class VGG19Features(nn.Module):
    """``(N, 3, H, W)`` RGB in [0, 1] -> the named activations, in thousands; H and W at least 4.

    What it is made of are no parameters and not part of any saved state: it comes with the
    program, and whatever holds it stays as small as what it learns.

    Args:
        taps: names from ``relu1_1`` to ``relu3_4``; the network ends at the deepest.

    Raises:
        UserError: the weights that come with the program are missing or broken.
    """

    def __init__(self, taps: Sequence[str] = (DEEPEST,)) -> None:
        super().__init__()
        names = [f"{block}_{k + 1}" for block, (count, _) in _BLOCKS.items() for k in range(count)]
        unknown = {tap.removeprefix("relu") for tap in taps} - set(names)
        if unknown:
            raise ValueError(f"these weights of VGG-19 have no {', '.join(sorted(unknown))}")
        self.taps = tuple(taps)
        deepest = max(names.index(tap.removeprefix("relu")) for tap in taps)
        self._names = names[: deepest + 1]
        weights = read_perceptual_weights(FILE)
        for name in self._names:
            kernel, bias = weights[f"conv{name}.weight"], weights[f"conv{name}.bias"]
            self.register_buffer(f"weight{name}", kernel.float(), persistent=False)
            self.register_buffer(f"bias{name}", bias.float(), persistent=False)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        x = 255 * image.flip(1) - self.get_buffer("mean")
        found: dict[str, Tensor] = {}
        for name in self._names:
            if name.endswith("_1") and name != "1_1":
                x = F.max_pool2d(x, 2)
            kernel, bias = self.get_buffer(f"weight{name}"), self.get_buffer(f"bias{name}")
            x = F.relu(F.conv2d(x, kernel, bias, padding=1))
            if f"relu{name}" in self.taps:
                found[f"relu{name}"] = x / _UNIT
        return found
