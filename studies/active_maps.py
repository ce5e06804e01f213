"""How many of a cascade's feature maps are ever above zero: with ReLU the others are dead.

Over the bundled photographs, each shrunk by the model's largest scale first: the share of maps of
each layer that are positive anywhere. Where little is left, capacity is paid for and not used.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from retina_viewer.core.options import option
from retina_viewer.core.paths import resources_dir
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import degrade
from retina_viewer.imaging.readers import open_image
from retina_viewer.model_store.defaults import default_model
from retina_viewer.model_store.store import find_model, load_network
from retina_viewer.networks.generator import ResidualBlock, ResidualGenerator
from retina_viewer.networks.generator_cascade import GeneratorCascade
from studies.study import Study

PHOTOGRAPHS = ("chase_14L.jpg", "hrf_08_h.jpg", "idrid_53_half.jpg")
_FORMATION = torch.tensor([[0.4, 0.3]])  # what most photographs are read as


def photographs(scale: int) -> Iterator[Tensor]:
    """The bundled ones, ``(1, 3, H, W)`` float32 in [0, 1], shrunk by ``scale``."""
    for name in PHOTOGRAPHS:
        rgb = degrade(open_image(resources_dir() / "samples" / name).unit_rgb(), scale, "gaussian")
        side = min(rgb.shape[:2]) // 8 * 8
        yield torch.from_numpy(rgb[:side, :side].copy()).permute(2, 0, 1)[None]


@torch.inference_mode()
def active_shares(cascade: GeneratorCascade) -> list[list[float]]:
    """For each step the share of positive maps of its first layer and of each block's first."""
    seen: dict[nn.Module, Tensor] = {}

    def note(layer: nn.Module, _: object, output: Tensor) -> None:
        positive = (output > 0).any(dim=3).any(dim=2)[0]
        seen[layer] = seen.get(layer, torch.zeros_like(positive)) | positive

    layers = [_activated(step) for step in cascade.steps]
    with ExitStack() as hooks:
        for layer in chain.from_iterable(layers):
            hooks.enter_context(layer.register_forward_hook(note))
        for image in photographs(1 << len(cascade.steps)):
            cascade(image, _FORMATION)
    return [[float(seen[layer].float().mean()) for layer in own] for own in layers]


def _activated(step: nn.Module) -> list[nn.Module]:
    if not isinstance(step, ResidualGenerator):
        raise ValueError("only residual generators are looked at")
    return [step.head, *(b.first for b in step.body if isinstance(b, ResidualBlock))]


@dataclass(frozen=True)
class ActiveMaps(Study):
    models: Sequence[str] = option((), flags=("models",), metavar="MODEL", help="cascades")

    def measure(self, progress: Progress = no_progress) -> str:
        lines = []
        for name in self.models or [default_model("superres")]:
            cascade = load_network(find_model(name))
            assert isinstance(cascade, GeneratorCascade)
            for number, shares in enumerate(active_shares(cascade), start=1):
                lines.append(f"{name} step {number}: {' '.join(f'{one:.0%}' for one in shares)}")
        return "\n".join(lines)
