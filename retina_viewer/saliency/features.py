"""The features of the local saliency map and their uniqueness, on tensors ``(N, 1, H, W)``.

Every function works on valid windows: its result is smaller than its input by the windows' reach.
The paper and the two forms are introduced in :mod:`retina_viewer.saliency.local`.
"""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional

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
    """D_K and D_(1-E) of equation 2, not scaled.

    Args:
        padded: luminance ``(N, 1, H + 2 MARGIN, W + 2 MARGIN)``.
        weights: a feature of weight zero is not computed; its map is zeros.
        exact: hard histogram and |x|, or the smooth forms.

    Returns:
        Two maps ``(N, 1, H, W)``.
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
    for dy, dx, weight in _weighted_shifts():
        # difference[s] = |F(s + d) - F(s)| for all s from the window's centre region shifted by
        # -d up to the centre region itself.
        y, x = _RADIUS - dy, _RADIUS - max(dx, 0)
        rows, columns = height + dy, width + abs(dx)
        here = feature[..., y : y + rows, x : x + columns]
        there = feature[..., y + dy : y + dy + rows, x + dx : x + dx + columns]
        difference = absolute(there - here)
        ahead = difference[..., dy:, max(dx, 0) : max(dx, 0) + width]
        behind = difference[..., :height, max(-dx, 0) : max(-dx, 0) + width]
        total = torch.add(total, ahead + behind, alpha=weight)
    return total


def _weighted_shifts() -> Iterator[tuple[int, int, float]]:
    for dy, dx in _SHIFTS:
        yield dy, dx, math.exp(-math.hypot(dy, dx))
