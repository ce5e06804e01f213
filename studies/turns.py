"""What the mean over flips and rotations gains (geometric self-ensemble, Lim et al. 2017).

``python -m studies.turns DATA [--limit N] [--model NAME]``: each step of the cascade applied to
its input as it is, in four rotations, and in those and their mirror images; mean PSNR over the
first N photographs of DRIVE's test half, native size, Gaussian.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from retina_viewer.quality.protocols import Condition, Scenes
from retina_viewer.superres.back_projection import BackProjected
from retina_viewer.superres.cascade import load_cascade
from studies.data_folders import find_photographs
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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="the folder of the public sets")
    parser.add_argument("--limit", type=int, default=4)
    parser.add_argument("--model", default="pixel-fast")
    parser.add_argument("--scales", type=int, nargs="+", default=[2, 4, 8, 16])
    options = parser.parse_args()
    found = [p for p in find_photographs(options.data) if (p.dataset, p.part) == ("DRIVE", "test")]
    for scale in options.scales:
        condition = Condition(protocol="native", kernel="gaussian", scale=scale)
        cascade = load_cascade(options.model, scale, torch.device("cpu"))
        for count in (1, 4, 8):
            steps = tuple(Turned(step, count) for step in cascade.steps)
            enhancer = BackProjected(replace(cascade, steps=steps))
            psnr = [
                float(figures_of(enhancer, Scenes(photograph).scene(condition), None)["psnr"])
                for photograph in found[: options.limit]
            ]
            print(f"x{scale}, {count} turns: {np.mean(psnr):.3f} dB", flush=True)


if __name__ == "__main__":
    main()
