"""A batch in parts, for memories that do not hold the whole."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def size_of(batch: Any) -> int:
    """How many samples a batch holds; see :func:`in_parts` for what batches are."""
    return int(_tensors(batch)[0].shape[0])


def in_parts(batch: Any, parts: int) -> list[tuple[Any, float]]:
    """Divide a batch into parts of consecutive samples.

    Args:
        batch: a tuple of tensors, or a dataclass of tensors; the first dimension of every one
            counts the samples.
        parts: 1 to the number of samples.

    Returns:
        Each part with its share of the samples; the shares add up to 1. Losses are means over
        samples, so the sum of their gradients times the shares is the gradient of the whole.
    """
    if parts == 1:
        return [(batch, 1.0)]
    count = size_of(batch)
    pieces = [torch.tensor_split(tensor, parts) for tensor in _tensors(batch)]
    return [(_like(batch, group), group[0].shape[0] / count) for group in zip(*pieces, strict=True)]


def _tensors(batch: Any) -> list[Tensor]:
    if dataclasses.is_dataclass(batch):
        return [getattr(batch, field.name) for field in dataclasses.fields(batch)]
    return list(batch)


def _like(batch: Any, tensors: Sequence[Tensor]) -> Any:
    if dataclasses.is_dataclass(batch):
        names = [field.name for field in dataclasses.fields(batch)]
        make: Any = type(batch)
        return make(**dict(zip(names, tensors, strict=True)))
    return tuple(tensors)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out: the GPU's, or the processor's (torch reports
    that one as a RuntimeError)."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)


def free_unused(device: torch.device) -> None:
    """Give back what the GPU's allocator keeps for later: in other sizes it may serve now."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
