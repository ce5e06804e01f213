"""LPIPS (Zhang et al. 2018), version 0.1 on VGG-16: how unlike two images look to people."""

import math
import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from retina_viewer.core.geometry import Rect, tiles_covering
from retina_viewer.networks.vgg import VGG16Features, read_perceptual_weights

_TAPS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
_HEADS = "lpips_v0.1_vgg16_heads.safetensors"
_TILE = 1024  # bounds memory: VGG keeps 64 maps at full size
_RIM = 112  # more than VGG sees around a pixel, and a multiple of its coarsest step
_STEP = 16  # of the coarsest maps
_STRIP = 8  # rows
_WORTHWHILE = 1.3


class LPIPS(nn.Module):
    """``(N, 3, H, W)`` twice, RGB in [0, 1] -> ``(N, 1, H, W)``: the distance at every pixel.

    The published shift and scale of the input, given for [-1, 1], are ImageNet's mean and
    deviation for [0, 1]. The VGG weights are stored in half precision, the published ones in full.

    Attributes:
        precision: in which the convolutions compute; all else is float32. In bfloat16 distances
            of photographs differ from those in float32 by less than 1 % of their value.
    """

    def __init__(self) -> None:
        super().__init__()
        self.precision = torch.float32
        self.features = VGG16Features(_TAPS)
        heads = read_perceptual_weights(_HEADS)
        for number in range(len(_TAPS)):
            self.register_buffer(f"head{number}", heads[f"lin{number}.weight"])
        self.eval().requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return self.distance(self.activations(first), self.activations(second))

    def activations(self, image: Tensor) -> list[Tensor]:
        """What is compared: five layers of ``(N, 3, H, W)``.

        Returns:
            ``(N, H / 2**k, W / 2**k, C)`` for k = 0..4, sizes rounded down, in ``precision``.
        """
        half = self.precision != torch.float32
        with torch.autocast(image.device.type, dtype=self.precision, enabled=half):
            found = self.features(image.contiguous(memory_format=torch.channels_last))
        return [found[tap].permute(0, 2, 3, 1) for tap in _TAPS]

    def distance(self, one: list[Tensor], two: list[Tensor]) -> Tensor:
        """``(N, 1, H, W)`` float32 from two results of :meth:`activations`."""
        size = one[0].shape[1:3]
        total = torch.zeros(one[0].shape[0], 1, *size, device=one[0].device)
        for number, (first, second) in enumerate(zip(one, two, strict=True)):
            head = self.get_buffer(f"head{number}").flatten()
            # Strip by strip: what fits into the processor's cache is several times as fast.
            strips = [slice(top, top + _STRIP) for top in range(0, first.shape[1], _STRIP)]
            differences = (_unit(first[:, rows]) - _unit(second[:, rows]) for rows in strips)
            layer = torch.cat([apart.square() @ head for apart in differences], dim=1)
            total = total + nn.functional.interpolate(
                layer[:, None], size=size, mode="bilinear", align_corners=False
            )
        return total


def _unit(features: Tensor) -> Tensor:
    """``(..., C)`` of any precision, to float32 of length 1."""
    features = features.float()
    length: Tensor = torch.linalg.vector_norm(features, dim=-1, keepdim=True)
    return features / (length + 1e-10)


@torch.inference_mode()
def fastest_lpips(device: torch.device) -> LPIPS:
    """LPIPS on a device; in bfloat16 on a CPU that computes in it, found by a short trial."""
    network = LPIPS().to(device)
    if device.type == "cpu":
        sample = torch.full((1, 3, 96, 96), 0.5)
        seconds = {}
        for precision in (torch.float32, torch.bfloat16):
            network.precision = precision
            seconds[precision] = min(_timed(network, sample) for _ in range(3))
        if seconds[torch.float32] < _WORTHWHILE * seconds[torch.bfloat16]:
            network.precision = torch.float32
    return network


def _timed(network: LPIPS, sample: Tensor) -> float:
    start = time.process_time()  # not the clock: other programs' work does not count
    network.activations(sample)
    return time.process_time() - start


@dataclass(frozen=True, eq=False)
class LPIPSReference:
    """One image, ``(H, W, 3)`` uint8 RGB of at least 16 pixels a side, ready to be compared with
    many on the network's device: where it fits into one tile, its activations are computed once.
    """

    network: LPIPS
    rgb8: NDArray[np.uint8]

    def distance(self, other: NDArray[np.uint8], mask: NDArray[np.bool_] | None = None) -> float:
        """The mean distance to an image of the same shape over the pixels of ``mask (H, W)``, or
        over all; 0 if equal."""
        inside = np.ones(other.shape[:2], dtype=bool) if mask is None else mask
        distances = self.distances(other, inside)
        return float(distances[inside].sum(dtype=np.float64)) / max(1, int(inside.sum()))

    @torch.inference_mode()
    def distances(self, other: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
        """The distance at every pixel, ``(H, W)`` float32; tiles that ``inside``, ``(H, W)`` bool,
        leaves out are left at 0."""
        if self.rgb8.shape != other.shape:
            raise ValueError(f"shapes differ: {self.rgb8.shape} and {other.shape}")
        bounds = Rect(0, 0, other.shape[1], other.shape[0])
        result = np.zeros(other.shape[:2], np.float32)
        for tile in tiles_covering(bounds.width, bounds.height, _tile_side(bounds)):
            if not inside[tile.slices()].any():
                continue
            seen = tile.expanded(_RIM).intersected(bounds)
            # Of several tiles, to keep all would take up to half a kilobyte a pixel.
            own = self._whole if seen == bounds else self._of(self.rgb8, seen)
            distance = self.network.distance(own, self._of(other, seen))[0, 0].cpu().numpy()
            middle = Rect(tile.x - seen.x, tile.y - seen.y, tile.width, tile.height)
            result[tile.slices()] = distance[middle.slices()]
        return result

    @cached_property
    def _whole(self) -> list[Tensor]:
        return self._of(self.rgb8, Rect(0, 0, self.rgb8.shape[1], self.rgb8.shape[0]))

    def _of(self, image: NDArray[np.uint8], seen: Rect) -> list[Tensor]:
        pixels = torch.from_numpy(np.ascontiguousarray(image[seen.slices()]))
        device = self.network.get_buffer("head0").device
        return self.network.activations(pixels.permute(2, 0, 1)[None].float().to(device) / 255)


def _tile_side(bounds: Rect) -> int:
    """Of tiles that divide the longer side evenly, so that no narrow rest drags its rim along."""
    longer = max(bounds.width, bounds.height)
    count = math.ceil(longer / _TILE)
    return math.ceil(longer / count / _STEP) * _STEP
