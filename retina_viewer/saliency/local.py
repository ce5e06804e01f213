"""The local saliency map of retinal photographs: one definition, two forms.

Mahapatra, Bozorgtabar, Hewavitharanage and Garnavi, "Image Super Resolution Using Generative
Adversarial Networks and Local Saliency Maps for Retinal Image Analysis", MICCAI 2017, section 2:

    (1) curvature    K = (fxx fy^2 + fyy fx^2 - 2 fxy fx fy) / (fx^2 + fy^2)^(3/2)
        entropy      E = -sum p log p, 7x7 window, 8 bins; 1 - E smoothed by a 3x3 Gaussian
    (2) uniqueness   D_F(s) = sum_i exp(-|s - s_i|) |F(s) - F(s_i)| over the 7x7 window
    (3) saliency     S = w1 D_K + (1 - w1) D_(1-E), w1 = 0.4, both D scaled to [0, 1]

The *exact* form counts hard histogram bins and scales every map by its own extremes, as the paper
does; it is what is shown and exported. The *differentiable* form, for losses, assigns pixels to
bins softly, replaces |x| by a smooth function and scales by fixed numbers, so that the gradient
at one pixel does not hang on the most extreme pixel of the image.

Where the paper is silent: derivatives are Gaussian (sigma 1); the curvature's denominator carries
a small constant and |K| is squashed by tanh; the image is mirrored at its border.

Functions of tensors ``(N, 1, H, W)`` work on valid windows: the result is smaller by their reach.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.networks.devices import resolve_device

MARGIN = 7
"""Pixels around a pixel that its saliency depends on (scaling apart)."""

BINS = 8
EPSILON = 1e-2
"""Added to the gradient in the curvature, 1/px: the median gradient of stretched luminance
(0.007 to 0.012 on four cameras). Without it the curvature explodes on flat areas. At 3e-3 it
still favours their noise: uniqueness near vessels is 0.92 of that elsewhere, at 1e-2 it is 1.13
to 1.28."""

SOFTNESS = 1.0 / 40.0
"""The soft histogram's tau. The whole map's correlation with the exact form is then 0.96 to 0.99
on photographs of four cameras; at 1/32 it falls to 0.92 on the smoothest of them, and a smaller
tau has a narrower gradient."""

SMOOTH_EPSILON = 1e-3
"""|x| is sqrt(x^2 + SMOOTH_EPSILON^2) - SMOOTH_EPSILON in the differentiable form."""

_RADIUS = 3
_DERIVATIVE_RADIUS = 4
_SHIFTS = [
    (dy, dx) for dy in range(_RADIUS + 1) for dx in range(-_RADIUS, _RADIUS + 1) if dy > 0 or dx > 0
]
"""Half of the 48 neighbours: |F(s) - F(s')| serves both s and s'."""

Absolute = Callable[[Tensor], Tensor]


def uniqueness_maps(
    padded: Tensor, weights: tuple[float, float], *, exact: bool
) -> tuple[Tensor, Tensor]:
    """D_K and D_(1-E) of equation 2, not scaled. Returns two maps ``(N, 1, H, W)``.

    Args:
        padded: luminance ``(N, 1, H + 2 MARGIN, W + 2 MARGIN)``.
        weights: a feature of weight zero is not computed; its map is zeros.
        exact: hard histogram and |x|, or the smooth forms.
    """
    absolute = torch.abs if exact else smooth_absolute
    entropy = hard_entropy if exact else soft_entropy
    curved = compact = torch.zeros_like(padded[..., MARGIN:-MARGIN, MARGIN:-MARGIN])
    if weights[0] > 0:
        curved = uniqueness(torch.tanh(absolute(curvature(padded))), absolute)
    if weights[1] > 0:
        compact = uniqueness(_smoothed(1.0 - entropy(padded)), absolute)
    return curved, compact


def smooth_absolute(x: Tensor) -> Tensor:
    """A differentiable |x| that is 0 at 0."""
    return torch.sqrt(x * x + SMOOTH_EPSILON**2) - SMOOTH_EPSILON


def curvature(plane: Tensor) -> Tensor:
    """Curvature of the isophotes (equation 1), 1/px: ``(N, 1, H, W)`` to ``(N, 1, H-8, W-8)``."""
    kernels = _derivative_kernels(plane)
    rows = functional.conv2d(plane, kernels.view(3, 1, 1, -1))  # along x: g, g', g''
    smooth, first, second = rows[:, 0:1], rows[:, 1:2], rows[:, 2:3]
    columns = kernels.view(3, 1, -1, 1)
    fy, fyy = functional.conv2d(smooth, columns[1:]).unbind(1)
    fx, fxy = functional.conv2d(first, columns[:2]).unbind(1)
    fxx = functional.conv2d(second, columns[:1]).squeeze(1)
    fx2, fy2 = fx * fx, fy * fy
    numerator = fxx * fy2 + fyy * fx2 - 2.0 * fxy * fx * fy
    gradient2 = fx2 + fy2 + EPSILON**2
    return (numerator / (gradient2 * torch.sqrt(gradient2))).unsqueeze(1)


def _derivative_kernels(like: Tensor) -> Tensor:
    """Sampled Gaussian of sigma 1 and its derivatives, as correlations, ``(3, 9)``.

    Normalised so that the derivatives of 1, x and x^2 / 2 come out exact.
    """
    x = torch.arange(-_DERIVATIVE_RADIUS, _DERIVATIVE_RADIUS + 1, dtype=torch.float64)
    gauss = torch.exp(-x * x / 2.0)
    gauss = gauss / gauss.sum()
    first = x * gauss
    first = first / (first * x).sum()
    second = (x * x - (x * x * gauss).sum()) * gauss
    second = second / (second * x * x / 2.0).sum()
    return torch.stack([gauss, first, second]).to(like)


def hard_entropy(plane: Tensor) -> Tensor:
    """Entropy over log 8 of the 7x7 windows' histograms: ``(N, 1, H, W)`` to ``(N, 1, H-6, W-6)``.

    The bins are equal parts of [0, 1].
    """
    index = (plane * BINS).floor().clamp(0, BINS - 1).to(torch.uint8)
    bins = torch.arange(BINS, dtype=torch.uint8, device=plane.device).view(1, BINS, 1, 1)
    # A window holds 49 pixels, so that bytes suffice: four times faster than floats.
    counts = _window_sum((index == bins).to(torch.uint8)).to(plane.dtype)
    total = (2 * _RADIUS + 1) ** 2
    # -sum p log p = log n - (1/n) sum c log c
    surprise = torch.xlogy(counts, counts).sum(1, keepdim=True)
    return (math.log(total) - surprise / total) / math.log(BINS)


def soft_entropy(plane: Tensor) -> Tensor:
    """The differentiable form of :func:`hard_entropy`: softmax over the bins' centres."""
    centres = (torch.arange(BINS, dtype=plane.dtype, device=plane.device) + 0.5) / BINS
    distance = plane.clamp(0.0, 1.0) - centres.view(1, BINS, 1, 1)
    belonging = torch.softmax(-distance * distance / (2.0 * SOFTNESS**2), dim=1)
    p = _window_sum(belonging) / (2 * _RADIUS + 1) ** 2
    return -(p * torch.log(p + 1e-8)).sum(1, keepdim=True) / math.log(BINS)


def _window_sum(planes: Tensor) -> Tensor:
    """Sums over 7x7 windows, ``(..., H, W)`` to ``(..., H-6, W-6)``, by doubling: 2, 4, 4+2+1."""
    for axis in (-1, -2):
        size = planes.shape[axis] - 6
        pair = planes.narrow(axis, 0, size + 5) + planes.narrow(axis, 1, size + 5)
        four = pair.narrow(axis, 0, size) + pair.narrow(axis, 2, size)
        planes = four + pair.narrow(axis, 4, size) + planes.narrow(axis, 6, size)
    return planes


def _smoothed(plane: Tensor) -> Tensor:
    """Gaussian 3x3 of sigma 0.5, ``(N, 1, H, W)`` to ``(N, 1, H-2, W-2)``."""
    side = math.exp(-1.0 / (2.0 * 0.5**2))
    outer, inner = side / (1.0 + 2.0 * side), 1.0 / (1.0 + 2.0 * side)
    for axis in (-1, -2):
        size = plane.shape[axis] - 2
        ends = plane.narrow(axis, 0, size) + plane.narrow(axis, 2, size)
        plane = outer * ends + inner * plane.narrow(axis, 1, size)
    return plane


def uniqueness(feature: Tensor, absolute: Absolute) -> Tensor:
    """Equation 2: ``(N, 1, H, W)`` to ``(N, 1, H-6, W-6)``.

    Each of 24 shifted differences is computed once and added at both of its ends.
    """
    height, width = feature.shape[-2] - 2 * _RADIUS, feature.shape[-1] - 2 * _RADIUS
    total = torch.zeros_like(feature[..., :height, :width])
    for dy, dx in _SHIFTS:
        # difference[s] = |F(s + d) - F(s)| for all s from the window's centre region shifted by
        # -d up to the centre region itself.
        y, x = _RADIUS - dy, _RADIUS - max(dx, 0)
        rows, columns = height + dy, width + abs(dx)
        here = feature[..., y : y + rows, x : x + columns]
        there = feature[..., y + dy : y + dy + rows, x + dx : x + dx + columns]
        difference = absolute(there - here)
        ahead = difference[..., dy:, max(dx, 0) : max(dx, 0) + width]
        behind = difference[..., :height, max(-dx, 0) : max(-dx, 0) + width]
        total = torch.add(total, ahead + behind, alpha=math.exp(-math.hypot(dy, dx)))
    return total


Features = Literal["both", "curvature", "entropy"]

W1 = 0.4
"""The paper's weight of the curvature."""

CURVATURE_SCALE = 4.2
ENTROPY_SCALE = 0.95
"""What the differentiable form divides D_K and D_(1-E) by: typical largest values inside the
field of view of photographs, so that its values compare with the exact form's."""

_STRIP = 128
"""Rows computed at once: small enough for the processor's cache and for prompt cancelling."""


class LocalSaliency(nn.Module):
    """Saliency of luminance images, ``(N, 1, H, W)`` to ``(N, 1, H, W)``.

    The input is luminance in [0, 1], best stretched between the 1st and 99th percentile of the
    field of view; values outside are allowed and fall into the outermost bins. Computed in float32
    also under autocast (float64 input stays float64). H and W are at least 8.

    Args:
        w1: weight of the curvature, in [0, 1].
        features: ``both``, or one feature alone (then ``w1`` does not matter).
        exact: the exact form, in [0, 1], with no useful gradient; else the differentiable form,
            non-negative and mostly below 1.
    """

    def __init__(self, w1: float = W1, features: Features = "both", *, exact: bool = False) -> None:
        super().__init__()
        if not 0.0 <= w1 <= 1.0:
            raise ValueError(f"w1 must lie in [0, 1], not {w1}")
        self.weights = _feature_weights(w1, features)
        self.exact = exact

    def forward(self, luminance: Tensor) -> Tensor:
        with torch.autocast(luminance.device.type, enabled=False):
            plane = luminance if luminance.dtype == torch.float64 else luminance.float()
            curved, compact = uniqueness_maps(_mirrored(plane), self.weights, exact=self.exact)
            if self.exact:
                curved, compact = _unit_range(curved), _unit_range(compact)
            else:
                curved, compact = curved / CURVATURE_SCALE, compact / ENTROPY_SCALE
            return self.weights[0] * curved + self.weights[1] * compact


def _feature_weights(w1: float, features: Features) -> tuple[float, float]:
    """The weights of the curvature's and the entropy's uniqueness."""
    return {"both": (w1, 1.0 - w1), "curvature": (1.0, 0.0), "entropy": (0.0, 1.0)}[features]


def _mirrored(plane: Tensor) -> Tensor:
    """``(N, 1, H, W)`` with MARGIN mirrored pixels on each side."""
    if min(plane.shape[-2:]) <= MARGIN:
        raise ValueError(f"the image must be larger than {MARGIN} pixels, not {plane.shape}")
    return functional.pad(plane, (MARGIN, MARGIN, MARGIN, MARGIN), mode="reflect")


def _unit_range(plane: Tensor) -> Tensor:
    """Each image of ``(N, 1, H, W)`` scaled to [0, 1] by its extremes; a constant one to zeros."""
    return _scaled(plane, plane.amin((2, 3), keepdim=True), plane.amax((2, 3), keepdim=True))


def _scaled(plane: Tensor, low: Tensor, high: Tensor) -> Tensor:
    span = high - low
    flat = span < 1e-6  # rounding of a constant image
    return torch.where(flat, torch.zeros_like(plane), (plane - low) / span.clamp_min(1e-6))


def saliency_map(
    rgb: NDArray[Any],
    mask: NDArray[np.bool_] | None = None,
    *,
    device: str = "cpu",
    progress: Progress = no_progress,
    w1: float = W1,
    features: Features = "both",
) -> NDArray[np.float32]:
    """The exact saliency map of a photograph.

    Luminance (BT.601) is stretched between its 1st and 99th percentile inside the mask first.
    Outside the mask the nearest inside value stands in, so that the rim of the field of view is not
    what is most salient; both uniqueness maps are scaled by their extremes inside the mask. Returns
    ``(H, W)`` float32 in [0, 1]; zero outside the mask, and everywhere for a constant image. Raises
    UserError: the image is too small, or the mask is empty.

    Args:
        rgb: ``(H, W, 3)`` float in [0, 1], or uint8, or uint16; H and W at least 8.
        mask: ``(H, W)`` bool, the field of view; None for the whole image.
        device: ``cpu``, ``cuda`` or ``auto``.
        w1, features: as in :class:`LocalSaliency`.
    """
    if min(rgb.shape[:2]) <= MARGIN:
        raise UserError("The image is too small for a saliency map.", "It needs 8 x 8 pixels.")
    if mask is not None and not mask.any():
        raise UserError("No field of view was found.", "Compute the map of the whole image.")
    plane = _prepared(rgb, mask)
    weights = _feature_weights(w1, features)
    target = resolve_device(device)
    curved, compact = _in_strips(plane, weights, target, progress)
    inside = None if mask is None else torch.from_numpy(mask.copy()).to(target)
    result = weights[0] * _unit_inside(curved, inside) + weights[1] * _unit_inside(compact, inside)
    if inside is not None:
        result = torch.where(inside, result, torch.zeros_like(result))
    progress(1.0, "Saliency")
    return np.asarray(result.clamp(0.0, 1.0).cpu().numpy(), dtype=np.float32)


def _prepared(rgb: NDArray[Any], mask: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """Luminance stretched to [0, 1], continued over the outside of the mask."""
    grey = cv2.cvtColor(np.ascontiguousarray(rgb).astype(np.float32), cv2.COLOR_RGB2GRAY)
    luminance: NDArray[np.float32] = np.asarray(grey, dtype=np.float32)
    if mask is not None and not mask.all():
        luminance = continued(luminance, mask)
    sample = luminance if mask is None else luminance[mask]
    low, high = np.percentile(sample, [1.0, 99.0])
    if high - low <= 1e-6 * max(abs(high), 1.0):
        return np.zeros_like(luminance)
    stretched = (luminance - np.float32(low)) / np.float32(high - low)
    return np.asarray(np.clip(stretched, 0.0, 1.0), dtype=np.float32)


def continued(plane: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Every pixel outside the mask takes the value of its nearest pixel inside."""
    outside = (~mask).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(
        outside, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    values = np.zeros(int(labels.max()) + 1, dtype=np.float32)
    values[labels[mask]] = plane[mask]
    continued: NDArray[np.float32] = values[labels]
    return continued


def _in_strips(
    plane: NDArray[np.float32],
    weights: tuple[float, float],
    device: torch.device,
    progress: Progress,
) -> tuple[Tensor, Tensor]:
    """D_K and D_(1-E), ``(H, W)`` each, not scaled."""
    padded = _mirrored(torch.from_numpy(plane).to(device)[None, None])
    height = plane.shape[0]
    strips = []
    with torch.inference_mode():
        for top in range(0, height, _STRIP):
            progress(top / height, "Saliency")
            bottom = min(top + _STRIP, height)
            part = padded[..., top : bottom + 2 * MARGIN, :]
            strips.append(uniqueness_maps(part, weights, exact=True))
        return (
            torch.cat([curved for curved, _ in strips], dim=2)[0, 0],
            torch.cat([compact for _, compact in strips], dim=2)[0, 0],
        )


def _unit_inside(plane: Tensor, inside: Tensor | None) -> Tensor:
    """``(H, W)`` scaled to [0, 1] by its extremes inside the mask."""
    values = plane if inside is None else plane[inside]
    return _scaled(plane, values.amin(), values.amax())
