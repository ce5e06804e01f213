"""What the mean over flips and rotations gains (geometric self-ensemble, Lim et al. 2017).

Each step of the cascade applied to its input as it is, in four rotations, and in those and their
mirror images; mean PSNR over the first photographs of DRIVE's test half, native size, Gaussian.
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from retina_viewer.core.options import option
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.quality.protocols import Condition, EvaluationPairs
from retina_viewer.superres.back_projection import BackProjected
from retina_viewer.superres.cascade import load_cascade
from studies.data_folders import find_photographs
from studies.study import WithData, WithScales
from studies.superres import figures_of


class Turned(nn.Module):
    """A step, averaged over the first ``count`` (1, 4 or 8) of the turns of its input."""

    def __init__(self, step: nn.Module, count: int) -> None:
        super().__init__()
        self.step, self.count = step, count

    def forward(self, image: Tensor, degradation: Tensor) -> Tensor:
        """As a generator's."""
        made = []
        for turn in range(self.count):
            mirrored = image.flip(3) if turn >= 4 else image
            result = self.step(torch.rot90(mirrored, turn % 4, (2, 3)), degradation)
            back = torch.rot90(result, -(turn % 4), (2, 3))
            made.append(back.flip(3) if turn >= 4 else back)
        return torch.stack(made).mean(dim=0)


@dataclass(frozen=True)
class Turns(WithData, WithScales):
    limit: int = option(4, metavar="N", help="photographs")
    model: str = option("pixel-fast", metavar="NAME", help="a cascade")

    def measure(self, progress: Progress = no_progress) -> str:
        found = find_photographs(self.data)
        test = [p for p in found if (p.dataset, p.part) == ("DRIVE", "test")][: self.limit]
        lines: list[str] = []
        for scale, count in product(self.scales, (1, 4, 8)):
            progress(len(lines) / (3 * len(self.scales)), f"x{scale}, {count} turns")
            cascade = load_cascade(self.model, scale, torch.device("cpu"))
            steps = tuple(Turned(step, count) for step in cascade.steps)
            enhancer = BackProjected(replace(cascade, steps=steps))
            condition = Condition("native", "gaussian", scale)
            psnr = [
                float(figures_of(enhancer, pairs.scene(condition), None)["psnr"])
                for pairs in map(EvaluationPairs, test)
            ]
            lines.append(f"x{scale}, {count} turns: {np.mean(psnr):.3f} dB")
        return "\n".join(lines)
