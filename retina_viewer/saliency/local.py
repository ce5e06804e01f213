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
"""

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
from retina_viewer.saliency.features import MARGIN, uniqueness_maps

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
    low, high = plane.amin((2, 3), keepdim=True), plane.amax((2, 3), keepdim=True)
    return _scaled(plane, low, high)


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
    Outside the mask the nearest inside value stands in, so that the rim of the field of view is
    not what is most salient; both uniqueness maps are scaled by their extremes inside the mask.

    Args:
        rgb: ``(H, W, 3)`` float in [0, 1], or uint8, or uint16; H and W at least 8.
        mask: ``(H, W)`` bool, the field of view; None for the whole image.
        device: ``cpu``, ``cuda`` or ``auto``.
        progress: called after each strip of rows.
        w1, features: as in :class:`LocalSaliency`.

    Returns:
        ``(H, W)`` float32 in [0, 1]; zero outside the mask, and everywhere for a constant image.

    Raises:
        UserError: the image is too small, or the mask is empty.
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
