"""Tells how an image's pixels came about: its blur and its noise, from the image alone."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_BLOCK = 16  # side of a block whose spectrum is taken, px
_STRIDE = 8
_BANDS = 11  # radii 1..11 of a 16 x 16 spectrum; 11 is its corner
_FLOOR = 1e-3  # added to the power, grey levels squared: below what rounding leaves
_DARK = 12.0  # luminance, grey levels, below which a pixel lies outside the field of view
_RIM = 3  # px around the dark that are not looked at: the rim is drawn sharper than the eye is
_LUMINANCE = (0.299, 0.587, 0.114)  # BT.601
_UNSEEN = -30.0
_DROPOUT = 0.1


class DegradationEstimator(nn.Module):
    """``(N, 3, H, W)`` float in [0, 1], sides at least 16 -> ``(N, 2)``: blur (px), noise (levels).

    Blur shows in how the power falls with frequency, noise in the floor it falls to. So each block
    of 16 x 16 pixels is described by the logarithm of its power in rings of frequency, a small
    network weighs and joins what the blocks say, and a second one reads the answer from the mean.
    Blocks near the dark surround are left out, so no mask is needed.
    """

    bands: Tensor
    window: Tensor

    def __init__(self, units: int = 64) -> None:
        super().__init__()
        rows = torch.fft.fftfreq(_BLOCK) * _BLOCK
        columns = torch.arange(_BLOCK // 2 + 1)
        radius = (rows[:, None] ** 2 + columns[None, :] ** 2).sqrt().round().flatten()
        bands = torch.stack([(radius == r).float() for r in range(1, _BANDS + 1)])
        self.register_buffer("bands", bands / bands.sum(dim=1, keepdim=True), persistent=False)
        hann = torch.hann_window(_BLOCK + 2, periodic=False)[1:-1]
        window = hann[:, None] * hann[None, :]
        self.register_buffer("window", window / window.square().mean().sqrt(), persistent=False)
        inputs = 3 * _BANDS + 3
        self.of_block = nn.Sequential(
            nn.Linear(inputs, units),
            nn.GELU(),
            nn.Dropout(_DROPOUT),
            nn.Linear(units, units),
            nn.GELU(),
        )
        self.weight = nn.Linear(units, 1)
        self.of_image = nn.Sequential(
            nn.Linear(units, units), nn.GELU(), nn.Dropout(_DROPOUT), nn.Linear(units, 2)
        )

    def forward(self, image: Tensor) -> Tensor:
        with torch.autocast(image.device.type, enabled=False):
            features, seen = self._spectra(255 * image.float())
        blocks = self.of_block(features)  # (N, L, units)
        weight = self.weight(blocks).float().masked_fill(~seen[..., None], _UNSEEN)
        joined = (torch.softmax(weight, dim=1) * blocks).sum(dim=1)
        blur, noise = self.of_image(joined).float().unbind(dim=1)
        return torch.stack([0.3 + 0.15 * blur, 0.3 * torch.exp2(noise.clamp(-1, 7))], dim=1)

    def _spectra(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """``(N, L, 36)`` what describes each block, and ``(N, L)`` whether it is looked at."""
        count = image.shape[0]
        cut = F.unfold(image, _BLOCK, stride=_STRIDE)  # (N, 3 * 256, L)
        cut = cut.view(count, 3, _BLOCK, _BLOCK, -1).permute(0, 4, 1, 2, 3)  # (N, L, 3, 16, 16)
        mean = cut.mean(dim=(3, 4), keepdim=True)
        power = torch.fft.rfft2((cut - mean) * self.window).abs().square() / _BLOCK**2
        rings = power.flatten(3) @ self.bands.T  # (N, L, 3, bands)
        described = torch.cat([torch.log2(rings + _FLOOR) / 4, mean[..., 0] / 255], dim=3)
        weights = image.new_tensor(_LUMINANCE).view(1, 3, 1, 1)
        dark = ((image * weights).sum(dim=1, keepdim=True) < _DARK).float()
        near = F.max_pool2d(dark, 2 * _RIM + 1, stride=1, padding=_RIM)
        seen = F.max_pool2d(near, _BLOCK, stride=_STRIDE).flatten(1) < 0.5
        return described.flatten(2), seen
