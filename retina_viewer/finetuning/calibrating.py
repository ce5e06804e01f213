"""The consistency map of a tuned model: fitted to its validation photographs, with its own weights.

A calibration is refused with other weights than those it was fitted to, so a tuned model cannot use
its base's. Without one the viewer draws no map and says so; it never draws an uncalibrated one.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from retina_viewer import __version__
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.model_store.card import ModelCard
from retina_viewer.quality.calibration import Enhancers
from retina_viewer.quality.datasets import Photograph
from retina_viewer.superres.back_projection import BackProjected
from retina_viewer.superres.cascade import load_cascade
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.uncertainty_calibration import save_calibration
from studies.consistency import fitted, fitting_fidelities, measure, plan

FEWEST = 3
"""Photographs: a curve from fewer would be that of one eye."""
MOST = 8
_TILES = 1
"""Of about 256 result pixels, a photograph and scale: some thousand windows each."""


class TunedEnhancers(Enhancers):
    """The enhancers of a model that is not installed yet.

    Args:
        card: read from the model's folder, wherever that is.
        twin: of a saliency GAN, likewise.
        device: where to compute.
    """

    def __init__(self, card: ModelCard, twin: ModelCard | None, device: torch.device) -> None:
        super().__init__(card.name, card.enhancer_method, str(device))
        self._card, self._twin, self._device = card, twin, device

    def at(self, scale: int, fidelity: float | None) -> Enhancer:
        """Not yet fitted to a photograph; held to it by back-projection, as is usual."""
        key = (scale, fidelity)
        if key not in self._made:
            cascade = load_cascade(self._card, scale, self._device, fidelity, twin=self._twin)
            self._made[key] = BackProjected(cascade)
        return self._made[key]


def calibrate(
    card: ModelCard,
    twin: ModelCard | None,
    photographs: Sequence[Photograph],
    kept: Path,
    device: torch.device,
    progress: Progress = no_progress,
) -> bool:
    """Fit the map of a tuned model at all of its scales, and keep that beside its weights.

    Takes some seconds a photograph and scale. A GAN is fitted at its default fidelity, at 0 and
    at 1 together, so the map holds along the slider.

    Args:
        card: of the model, read from its folder.
        twin: of a saliency GAN, read from its folder.
        photographs: that no weights were trained on.
        kept: a folder for what was measured, from which a broken run goes on.
        device: where to compute.
        progress: may cancel.

    Returns:
        Whether it was fitted: not with fewer than :data:`FEWEST` photographs, or where these are
        too small.

    Raises:
        UserError: the model's files are broken, or a file cannot be written.
    """
    chosen = list(photographs)[:MOST]
    if len(chosen) < FEWEST:
        return False

    kept.mkdir(parents=True, exist_ok=True)
    items = plan(chosen, card.scales, partial(fitting_fidelities, card), fitting=True)
    enhancers = TunedEnhancers(card, twin, device)
    measured = measure(items, enhancers, kept, tiles=_TILES, progress=progress)
    if not measured:
        return False
    about = {
        "program": __version__,
        "fitted to": f"{len(chosen)} photographs that its fine-tuning was validated with",
    }
    save_calibration(fitted(card, measured, about), card)
    return True
