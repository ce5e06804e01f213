"""The computing devices of this machine, by their real names."""

import platform
from dataclasses import dataclass
from pathlib import Path

import torch

from retina_viewer.core.errors import UserError


@dataclass(frozen=True)
class Device:
    """One device: ``id`` as on the command line, ``name`` as its maker calls it."""

    id: str
    name: str


def _processor_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def available_devices() -> list[Device]:
    """The CUDA GPUs, then the processor."""
    gpus = [
        Device(f"cuda:{index}", torch.cuda.get_device_name(index))
        for index in range(torch.cuda.device_count())
    ]
    return [*gpus, Device("cpu", f"{_processor_name()} (CPU)")]


def resolve_device(wanted: str = "auto") -> torch.device:
    """``auto`` (the first GPU, else the CPU), ``cpu``, ``cuda`` or ``cuda:N`` as a device. Raises
    UserError: the name is unknown or that GPU is not there.
    """
    devices = available_devices()
    if wanted == "auto":
        return torch.device(devices[0].id)
    if wanted == "cuda" and devices[0].id != "cpu":
        return torch.device(devices[0].id)
    if wanted in {device.id for device in devices}:
        return torch.device(wanted)
    if wanted.startswith("cuda"):
        raise UserError(
            f"The device {wanted!r} is not there: torch {torch.__version__} sees "
            f"{torch.cuda.device_count()} CUDA GPUs.",
            "Use --device cpu, or install a torch build with CUDA and the GPU's driver.",
        )
    raise UserError(f"There is no device {wanted!r}.", "Use auto, cpu or cuda.")


def device_name(device: torch.device | str) -> str:
    """A device as its maker calls it: what provenance and the window say."""
    wanted = str(resolve_device(str(device)))
    return next(known.name for known in available_devices() if known.id == wanted)
