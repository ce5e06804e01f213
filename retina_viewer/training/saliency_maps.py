"""The saliency that the losses of the GAN weigh by and compare: of which kind, of what."""

import numpy as np
import torch
from torch import Tensor, nn

from retina_viewer.saliency.filters import SUPERPIXELS, saliency_filters
from retina_viewer.saliency.local import LocalSaliency
from retina_viewer.training.losses import luminance
from retina_viewer.training.recipe import SaliencyKind

_PIXELS_A_SUPERPIXEL = 36  # in patches, which are too small for the 400 of whole photographs
_FEWEST = 16


class SaliencyMaps(nn.Module):
    """Saliency of patches, ``(N, 3, H, W)`` in [0, 1] -> ``(N, 1, H, W)``.

    ``local``, ``curvature`` and ``entropy`` are the 2017 paper's, in its differentiable form.
    ``filters`` are Saliency Filters, the global map of the comparison. They have no gradient: the
    truth is weighed by them (eq. 7), but two maps cannot be drawn together (eq. 9), which is then
    left out. Each patch is taken for the whole image: what is rare in it is salient.

    Args:
        kind: see above.
        curvature_share: w1 of eq. 3, for ``local``.
    """

    def __init__(self, kind: SaliencyKind, curvature_share: float) -> None:
        super().__init__()
        self.local: LocalSaliency | None = None
        if kind == "local":
            self.local = LocalSaliency(curvature_share)
        elif kind != "filters":
            self.local = LocalSaliency(features=kind)

    @torch.no_grad()
    def of_truth(self, truth: Tensor) -> Tensor:
        """Of true photographs, without gradient."""
        if self.local is None:
            return _filtered(truth)
        found: Tensor = self.local(luminance(truth))
        return found

    def of_made(self, made: Tensor) -> Tensor | None:
        """Of what a network made, with gradient; None where the kind has none."""
        return None if self.local is None else self.local(luminance(made))


def _filtered(images: Tensor) -> Tensor:
    count = images.shape[2] * images.shape[3] // _PIXELS_A_SUPERPIXEL
    count = min(max(count, _FEWEST), SUPERPIXELS)
    rgb = images.detach().float().clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()
    maps = np.stack([saliency_filters(one, count) for one in rgb])
    return torch.from_numpy(maps)[:, None].to(images.device)
