"""VGG-16 and the first eight convolutions of VGG-19 (Simonyan and Zisserman 2015), fixed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from retina_viewer.core.errors import UserError
from retina_viewer.core.paths import shipped_models_dir

# Of each activation: its convolution's index in torchvision's `vgg16.features`, its channels.
_LAYERS: dict[str, tuple[int, int]] = {
    "relu1_1": (0, 64),
    "relu1_2": (2, 64),
    "relu2_1": (5, 128),
    "relu2_2": (7, 128),
    "relu3_1": (10, 256),
    "relu3_2": (12, 256),
    "relu3_3": (14, 256),
    "relu4_1": (17, 512),
    "relu4_2": (19, 512),
    "relu4_3": (21, 512),
    "relu5_1": (24, 512),
    "relu5_2": (26, 512),
    "relu5_3": (28, 512),
}
_FILES = {  # by the first activation that needs the file
    "relu1_1": "vgg16_conv1_1-conv4_1.safetensors",
    "relu4_2": "vgg16_conv4_2-conv4_3.safetensors",
    "relu5_1": "vgg16_conv5_1-conv5_3.safetensors",
}
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class VGG16Features(nn.Module):
    """``(N, 3, H, W)`` RGB in [0, 1] -> the named activations; weights fixed. Raises UserError: the
    weights that come with the program are missing or broken.

    Args:
        taps: names such as ``relu4_1``; the network ends at the deepest.
    """

    def __init__(self, taps: Sequence[str]) -> None:
        super().__init__()
        if unknown := set(taps) - set(_LAYERS):
            raise ValueError(f"VGG-16 has no {', '.join(sorted(unknown))}")
        names = list(_LAYERS)
        self.taps = tuple(taps)
        self._names = names[: max(names.index(tap) for tap in taps) + 1]
        self.convolutions = nn.ModuleDict()
        channels = 3
        for name in self._names:
            width = _LAYERS[name][1]
            self.convolutions[name] = nn.Conv2d(channels, width, 3, padding=1)
            channels = width
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1))
        self._load()
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        x = (image - self.get_buffer("mean")) / self.get_buffer("std")
        found: dict[str, Tensor] = {}
        for name in self._names:
            if name.endswith("_1") and name != "relu1_1":
                x = F.max_pool2d(x, 2)
            x = F.relu(self.convolutions[name](x))
            if name in self.taps:
                found[name] = x
        return found

    def _load(self) -> None:
        weights: dict[str, Tensor] = {}
        for first, file in _FILES.items():
            if first in self._names:
                weights |= read_perceptual_weights(file)
        for name, layer in self.convolutions.items():
            index = _LAYERS[name][0]
            layer.load_state_dict(
                {kind: weights[f"{index}.{kind}"].float() for kind in ("weight", "bias")}
            )


def read_perceptual_weights(file: str) -> dict[str, Tensor]:
    """The tensors of a file of ``models/perceptual``. Raises UserError: it is missing or broken."""
    path = shipped_models_dir() / "perceptual" / file
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"The file {file} of the installation is missing or broken.") from error


FILE = "vgg19_conv1_1-conv3_4.safetensors"
DEEPEST = "relu3_4"
_BLOCKS = {1: (2, 64), 2: (2, 128), 3: (4, 256)}  # convolutions, channels
# The weights are the authors' own, whose input is BGR, 0 to 255, less the mean of ImageNet.
_MEAN_BGR = (103.939, 116.779, 123.68)
_UNIT = 1000.0  # the root mean square of relu3_4 on fundus photographs


class VGG19Features(nn.Module):
    """``(N, 3, H, W)`` RGB in [0, 1] -> the named activations, in thousands; H and W at least 4.

    What it is made of are no parameters and not part of any saved state: it comes with the program,
    and whatever holds it stays as small as what it learns. Raises UserError: the weights that come
    with the program are missing or broken.

    Args:
        taps: names from ``relu1_1`` to ``relu3_4``; the network ends at the deepest.
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
        self.register_buffer("mean", torch.tensor(_MEAN_BGR).view(1, 3, 1, 1), persistent=False)

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
