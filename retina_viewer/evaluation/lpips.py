"""LPIPS (Zhang et al. 2018), version 0.1 on VGG-16: how unlike two images look to people."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from retina_viewer.core.geometry import Rect, tiles_covering
from retina_viewer.networks.vgg import VGG16Features, read_perceptual_weights

_TAPS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
_HEADS = "lpips_v0.1_vgg16_heads.safetensors"
_TILE = 512  # bounds memory: VGG keeps 64 maps at full size
_RIM = 112  # more than VGG sees around a pixel, and a multiple of its coarsest step


class LPIPS(nn.Module):
    """``(N, 3, H, W)`` twice, RGB in [0, 1] -> ``(N, 1, H, W)``: the distance at every pixel.

    The published shift and scale of the input, given for [-1, 1], are ImageNet's mean and
    deviation for [0, 1]. The VGG weights are stored in half precision, the published ones in full.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = VGG16Features(_TAPS)
        heads = read_perceptual_weights(_HEADS)
        for number in range(len(_TAPS)):
            self.register_buffer(f"head{number}", heads[f"lin{number}.weight"])
        self.eval().requires_grad_(False)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        size = first.shape[-2:]
        total = first.new_zeros(first.shape[0], 1, *size)
        one, two = self.features(first), self.features(second)
        for number, tap in enumerate(_TAPS):
            difference = (_unit(one[tap]) - _unit(two[tap])).square()
            layer = (difference * self.get_buffer(f"head{number}")).sum(dim=1, keepdim=True)
            total = total + nn.functional.interpolate(
                layer, size=size, mode="bilinear", align_corners=False
            )
        return total


def _unit(features: Tensor) -> Tensor:
    norm: Tensor = features.square().sum(dim=1, keepdim=True).sqrt()
    return features / (norm + 1e-10)


@torch.inference_mode()
def lpips_distance(
    network: LPIPS,
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    mask: NDArray[np.bool_] | None = None,
) -> float:
    """The mean distance of two photographs over the masked pixels; 0 for equal ones.

    Args:
        network: on the device where it is to be computed.
        first, second: ``(H, W, 3)`` uint8 RGB, at least 16 pixels a side.
        mask: ``(H, W)`` bool; None for all pixels.
    """
    if first.shape != second.shape:
        raise ValueError(f"shapes differ: {first.shape} and {second.shape}")
    device = network.get_buffer("head0").device
    bounds = Rect(0, 0, first.shape[1], first.shape[0])
    inside = np.ones(first.shape[:2], dtype=bool) if mask is None else mask
    total = 0.0
    for tile in tiles_covering(bounds.width, bounds.height, _TILE):
        if not inside[tile.slices()].any():
            continue
        seen = tile.expanded(_RIM).intersected(bounds)
        pair = [_tensor(image[seen.slices()]).to(device) for image in (first, second)]
        distance = network(*pair)[0, 0].cpu().numpy()
        middle = Rect(tile.x - seen.x, tile.y - seen.y, tile.width, tile.height)
        total += float(distance[middle.slices()][inside[tile.slices()]].sum())
    return total / max(1, int(inside.sum()))


def _tensor(rgb8: NDArray[np.uint8]) -> Tensor:
    pixels = np.ascontiguousarray(rgb8)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
