"""Times the saliency map at 1024 x 1024: at most 0.5 s on two processor cores is the aim.

python studies/speed/saliency.py [--device cpu] [--threads 2] [--runs 9]
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from retina_viewer.core.paths import resources_dir
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.saliency.local import LocalSaliency, saliency_map

SIDE = 1024


def _report(name: str, runs: int, work: Callable[[], None]) -> None:
    """Wall time suffers from other programs, processor time from waiting threads; both help."""
    work()  # warm up: allocator, kernels
    wall, processor = [], []
    for _ in range(runs):
        start, busy = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - busy)
    print(
        f"{name}: least {min(wall):.3f} s, median {sorted(wall)[runs // 2]:.3f} s, "
        f"least processor time {min(processor):.3f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    path: Path = resources_dir() / "samples" / "fives_28_A.png"
    with Image.open(path) as image:
        rgb8 = np.asarray(image.convert("RGB").resize((SIDE, SIDE)))
    mask = find_field_of_view(rgb8).mask
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{SIDE} x {SIDE}, {options.device}, {options.threads} threads, load {load:.1f}")

    def exact() -> None:
        saliency_map(rgb8, mask, device=options.device)

    batch = torch.rand(12, 1, 96, 96, device=options.device)
    module = LocalSaliency()

    def loss() -> None:
        crops = batch.clone().requires_grad_(True)
        module(crops).mean().backward()
        if crops.is_cuda:
            torch.cuda.synchronize()

    _report("exact map", options.runs, exact)
    _report("loss, 12 crops of 96 x 96", options.runs, loss)


if __name__ == "__main__":
    main()
