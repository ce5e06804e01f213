"""The x2 generator of the cascade: residual blocks of two 3x3 convolutions.

After the generator of the saliency GAN (2017, figure 2a), with three departures that
``docs/decisions/generator.md`` justifies: no batch normalisation, a conditioned input, and an
output added to bicubic interpolation.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_BOX = 7  # side of the box mean that the second half of the input is measured against
_DETAIL_GAIN = 15.0  # brings the local contrast of fundus photographs to unit size
_OUTPUT_GAIN = 0.05  # the residual over bicubic is a few hundredths of full scale
_BICUBIC_REACH = 2  # input pixels that a bicubic kernel sees on each side


_CONDITIONS = 2  # blur and noise, see imaging.degradation
_CONDITION_UNITS = 32


class ResidualBlock(nn.Module):
    """x + conv(act(conv(x))), without batch normalisation (its statistics differ at use)."""

    def __init__(self, maps: int, slope: float = 0.0) -> None:
        super().__init__()
        self.slope = slope
        self.first = nn.Conv2d(maps, maps, 3, padding=1)
        self.second = nn.Conv2d(maps, maps, 3, padding=1)

    def forward(self, x: Tensor, gain: Tensor | None = None) -> Tensor:
        """``(N, maps, H, W)`` -> the same; ``gain`` ``(N, maps, 1, 1)`` is per map, less 1."""
        detail: Tensor = self.second(F.leaky_relu(self.first(x), self.slope))
        return x + detail if gain is None else x + detail + gain * detail


class Modulation(nn.Module):
    """What a network makes of the blur and noise it is told: a gain for every map of a block.

    As feature-wise modulation (Perez et al. 2018), gains only. Starts as no change.
    """

    def __init__(self, maps: int, blocks: int) -> None:
        super().__init__()
        self.blocks = blocks
        self.embed = nn.Linear(_CONDITIONS, _CONDITION_UNITS)
        self.gains = nn.Linear(_CONDITION_UNITS, maps * blocks)
        nn.init.zeros_(self.gains.weight)
        nn.init.zeros_(self.gains.bias)

    def forward(self, degradation: Tensor) -> tuple[Tensor, ...]:
        """``(N, 2)`` blur (px) and noise (grey levels) -> for each block ``(N, maps, 1, 1)``."""
        blur, noise = degradation.float().unbind(dim=1)
        # Both of order one; noise is never below that of rounding, 0.29.
        scaled = torch.stack([(blur - 0.3) / 0.15, torch.log2(noise.clamp(min=0.1) / 0.3)], dim=1)
        gains: Tensor = self.gains(F.gelu(self.embed(scaled)))
        return gains[:, :, None, None].chunk(self.blocks, dim=1)


class ResidualGenerator(nn.Module):
    """Doubles an image: ``(N, 3, H, W)`` float in [0, 1] -> ``(N, 3, 2H, 2W)``, not clamped.

    Args:
        maps: feature maps of every hidden layer.
        blocks: residual blocks.
        unshuffle: the network works at 1/unshuffle of its input's resolution. The later steps of
            the cascade read an image that is smooth at its own pixel size, so they lose nothing
            and see further; H and W must be multiples of it.
        conditioned: whether it is told the blur and noise of the photograph.
        slope: of the activation below zero. With 0 (ReLU, as in the paper) maps that once are
            negative everywhere learn nothing any more: most of the later steps' were found so.

    Pixels within ``margin`` input pixels of the border depend on the zero padding there; a caller
    who wants them right gives that much more image and crops it away.
    """

    def __init__(
        self,
        maps: int = 48,
        blocks: int = 5,
        unshuffle: int = 1,
        conditioned: bool = False,
        slope: float = 0.0,
    ) -> None:
        super().__init__()
        self.unshuffle, self.slope = unshuffle, slope
        self.head = nn.Conv2d(6 * unshuffle**2, maps, 3, padding=1)
        self.body = nn.Sequential(*(ResidualBlock(maps, slope) for _ in range(blocks)))
        self.modulation = Modulation(maps, blocks) if conditioned else None
        self.tail = silent_tail(maps, unshuffle)
        self.margin = margin_of(2 * blocks + 2, unshuffle)

    def forward(self, image: Tensor, degradation: Tensor) -> Tensor:
        """See the class; ``degradation``: ``(N, 2)``, blur (px) and noise (grey levels)."""
        given = conditioned_input(image, self.unshuffle)
        hidden = F.leaky_relu(self.head(given), self.slope)  # (N, maps, H/u, W/u)
        gains = self.modulation(degradation) if self.modulation else (None,) * len(self.body)
        deep = hidden
        for block, gain in zip(self.body, gains, strict=True):
            deep = block(deep, gain)
        return over_bicubic(image, self.tail(hidden + deep), self.unshuffle)


def conditioned_input(image: Tensor, unshuffle: int) -> Tensor:
    """What the networks see: the colours, and the detail against its surroundings.

    ``(N, 3, H, W)`` in [0, 1] -> ``(N, 6 u^2, H / u, W / u)``, about unit size.
    """
    mean = F.avg_pool2d(image, _BOX, stride=1, padding=_BOX // 2, count_include_pad=False)
    features = torch.cat([2 * image - 1, _DETAIL_GAIN * (image - mean)], dim=1)
    return F.pixel_unshuffle(features, unshuffle)


def over_bicubic(image: Tensor, residual: Tensor, unshuffle: int) -> Tensor:
    """The image doubled, and on it what the last layer gave.

    ``(N, 3, H, W)``, and ``(N, 3 (2u)^2, H / u, W / u)`` of about unit size, to ``(N, 3, 2H, 2W)``
    float32.
    """
    shuffled = F.pixel_shuffle(residual, 2 * unshuffle)
    return upsample2(image) + _OUTPUT_GAIN * shuffled.float()


def silent_tail(maps: int, unshuffle: int) -> nn.Conv2d:
    """A last layer that gives zeros: a network starts as bicubic interpolation exactly."""
    tail = nn.Conv2d(maps, 3 * (2 * unshuffle) ** 2, 3, padding=1)
    for parameter in tail.parameters():
        nn.init.zeros_(parameter)
    return tail


def margin_of(convolutions: int, unshuffle: int) -> int:
    """Input pixels that 3x3 convolutions at 1/unshuffle and the conditioned input see around."""
    return max(convolutions * unshuffle + _BOX // 2, _BICUBIC_REACH)


# Keys' kernel with a = -1/2 at the half-pixel phases of an exact doubling (taps sum to 1).
_PHASE = (-0.0234375, 0.2265625, 0.8671875, -0.0703125)


def upsample2(image: Tensor) -> Tensor:
    """Bicubic doubling (Keys 1981, a = -1/2, half-pixel centres), replicate border:
    ``(N, C, H, W)`` to ``(N, C, 2H, 2W)``.

    torch's own bicubic has a = -3/4, which overshoots more and scores lower on photographs.
    """
    return _double_along(_double_along(image, 3), 2)


def _double_along(image: Tensor, dim: int) -> Tensor:
    size = image.shape[dim]
    pad = (2, 2, 0, 0) if dim == 3 else (0, 0, 2, 2)
    padded = F.pad(image, pad, mode="replicate")

    def taps(start: int, weights: tuple[float, ...]) -> Tensor:
        parts = [padded.narrow(dim, start + k, size) * w for k, w in enumerate(weights)]
        return torch.stack(parts).sum(dim=0)

    even = taps(0, _PHASE)  # output 2i lies at input i - 1/4: taps i-2 .. i+1
    odd = taps(1, _PHASE[::-1])  # output 2i + 1 lies at input i + 1/4: taps i-1 .. i+2
    doubled = torch.stack([even, odd], dim=dim + 1)
    shape = list(image.shape)
    shape[dim] *= 2
    return doubled.reshape(shape)
