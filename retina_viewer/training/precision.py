"""bfloat16 or float32? Measured, since on some processors bfloat16 is ten times slower."""

import time

import torch
from torch import nn

_WORTHWHILE = 1.25  # least speed-up for which the coarser numbers are accepted


def fastest_precision(device: torch.device) -> torch.dtype:
    """The autocast type for training on this device: one short timed trial of both."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    times = {dtype: _seconds(dtype) for dtype in (torch.float32, torch.bfloat16)}
    if times[torch.float32] > _WORTHWHILE * times[torch.bfloat16]:
        return torch.bfloat16
    return torch.float32


def _seconds(dtype: torch.dtype) -> float:
    """Best of three forward and backward passes through a few 3x3 convolutions."""
    layers = [nn.Conv2d(32, 32, 3, padding=1) for _ in range(4)]
    network = nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    sample = torch.rand(2, 32, 64, 64).to(memory_format=torch.channels_last)
    best = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            loss = network(sample).float().square().mean()
        loss.backward()
        best = min(best, time.perf_counter() - start)
    return best
