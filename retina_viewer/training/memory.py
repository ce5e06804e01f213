"""How much memory a training has taken at most."""

import sys

import torch


def peak_memory_mb(device: torch.device) -> float | None:
    """The most memory used so far, MiB: the GPU's by this program, or this process's on the
    processor; None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    platform: str = sys.platform  # a plain text, or the type checker leaves out all but its own
    return peak / 2**20 if platform == "darwin" else peak / 2**10
