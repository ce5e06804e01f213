"""The best single linear filter: how much of a gain is plain deconvolution.

Each of the ``r * r`` phases of the large image is one fixed 9x9 filter of the small image, fitted
by least squares to the luminance of photographs (:mod:`studies.linear_filter`).
Nothing linear and shift-invariant of that size does better on such photographs. CPU alone.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.store import find_model, load_network
from retina_viewer.superres.classical import FixedEnhancer, reflected_window
from retina_viewer.superres.enhancer import FloatImage

RADIUS = 4
"""Of the filters, and so the margin: pixels of the small image."""
TAPS = (2 * RADIUS + 1) ** 2
_ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class LinearFilter(FixedEnhancer):
    """An :class:`~retina_viewer.superres.enhancer.Enhancer` of one fitted filter a phase.

    ``weights``: ``(81, scale * scale)`` float32, taps by phases, both row by row.
    """

    scale: int
    weights: NDArray[np.float32] = field(repr=False, compare=False)
    model: str | None = None
    method: str = "linear"
    margin: int = RADIUS

    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        window = reflected_window(rgb, region.expanded(self.margin))
        strips = [
            self._filtered(window[top : min(top + _ROWS_AT_ONCE, region.height) + 2 * RADIUS])
            for top in range(0, region.height, _ROWS_AT_ONCE)
        ]
        return np.clip(np.concatenate(strips), 0.0, 1.0)

    def _filtered(self, window: FloatImage) -> FloatImage:
        """``(h + 8, w + 8, 3)`` to ``(h * scale, w * scale, 3)``."""
        patches = windows_of(window)
        height, width = patches.shape[:2]
        values = patches.reshape(-1, TAPS) @ self.weights
        blocks = values.reshape(height, width, 3, self.scale, self.scale)
        image: FloatImage = blocks.transpose(0, 3, 1, 4, 2).reshape(
            height * self.scale, width * self.scale, 3
        )
        return image


def windows_of(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """All 9x9 windows of ``(H, W, ...)``: ``(H - 8, W - 8, ..., 81)``."""
    side = 2 * RADIUS + 1
    windows = sliding_window_view(image, (side, side), axis=(0, 1))
    return windows.reshape(*windows.shape[:-2], TAPS)


def load_linear(model: str | ModelCard, scale: int) -> LinearFilter:
    """The fitted filter of a model, by its name or card, for a scale. Raises UserError: no such
    model, its files are broken, it is no linear filter, or not for the scale."""
    # torch takes seconds to load; choosing and describing methods does without it.
    from retina_viewer.networks.fitted_arrays import LinearFilters

    card = model if isinstance(model, ModelCard) else find_model(model)
    filters = load_network(card)
    if not isinstance(filters, LinearFilters):
        raise UserError(f"The model {card.name!r} is no linear filter.", "Choose another model.")
    card.check_scale(scale, filters.scales)
    return LinearFilter(scale, filters.weights(scale).numpy(), card.name)
