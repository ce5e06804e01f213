"""What a person sees of a validation: more metrics, and pictures before and after."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from retina_viewer.core.files import atomic_write
from retina_viewer.imaging.degradation import to_8bit
from retina_viewer.quality.lpips import LPIPS
from retina_viewer.quality.metrics import luminance_studio, ssim
from retina_viewer.training.superres_task import StepTask
from retina_viewer.training.task import Event, Task
from retina_viewer.training.vessel_task import VesselTask

SHOWN = 12  # so many validation patches are shown, and measured as pictures
_Bytes = NDArray[np.uint8]  # (H, W, 3) RGB, or (H, W) grey


@dataclass
class Observer:
    """Adds to what a validation measures, and keeps pictures; changes nothing of the training.

    After every validation ``folder`` holds ``patchK_truth.png``, ``patchK_before.png`` (of the
    weights it began with) and ``patchK_after.png`` (of the newest average), all of one size.

    A ``crops`` event tells of them. Without a folder (a trial of speed) there are none.
    """

    task: Task
    stage: int  # its number, from 1
    folder: Path | None
    events: Callable[[Event], None]
    device: torch.device

    @torch.no_grad()
    def __call__(self, network: nn.Module, metrics: dict[str, float]) -> dict[str, float]:
        """The metrics; of super-resolution with the mean SSIM and LPIPS of the first Gaussian
        validation patches."""
        pictures = list(self._pictures(network))
        if isinstance(self.task, StepTask):
            values = [ssim(luminance_studio(made), luminance_studio(t)) for made, t in pictures]
            metrics["ssim"] = float(np.mean(values))
            if "lpips" not in metrics:
                pairs = self.task.pairs
                metrics["lpips"] = pairs.mean_distance(network, self._perceptual, SHOWN)
        if self.folder is not None and pictures:
            self._write(pictures, self.folder)
        return metrics

    @cached_property
    def _perceptual(self) -> LPIPS:
        return LPIPS().to(self.device)

    def _pictures(self, network: nn.Module) -> Iterator[tuple[_Bytes, _Bytes]]:
        """What the network makes of the first validation patches, and the truth."""
        if isinstance(self.task, StepTask):
            for made, truth in self.task.pairs.shown(network, SHOWN):
                yield _as_picture(made), _as_picture(truth)
        elif isinstance(self.task, VesselTask):
            for probability, drawn in self.task.shown(network, SHOWN):
                yield to_8bit(probability), to_8bit(drawn)

    def _write(self, pictures: list[tuple[_Bytes, _Bytes]], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for number, (made, truth) in enumerate(pictures, start=1):
            before = folder / f"patch{number:02}_before.png"
            if not before.exists():
                _write_png(before, made)
                _write_png(folder / f"patch{number:02}_truth.png", truth)
            _write_png(folder / f"patch{number:02}_after.png", made)
        about = {"stage": self.stage, "folder": str(folder), "patches": len(pictures)}
        self.events({"event": "crops", **about})


def _as_picture(image: Tensor) -> _Bytes:
    """``(1, 3, H, W)`` in [0, 1] -> ``(H, W, 3)``."""
    return to_8bit(image[0].float().permute(1, 2, 0).cpu().numpy())


def _write_png(path: Path, picture: _Bytes) -> None:
    bgr = picture if picture.ndim == 2 else picture[..., ::-1]
    _, code = cv2.imencode(".png", np.ascontiguousarray(bgr))
    with atomic_write(path, replace=True) as stream:
        stream.write(code.tobytes())
