"""A batch in parts, for memories that do not hold the whole."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def size_of(batch: Any) -> int:
    """How many samples a batch holds; see :func:`in_parts` for what batches are."""
    while not isinstance(batch, Tensor):
        batch = _items(batch)[0]
    return int(batch.shape[0])


def in_parts(batch: Any, parts: int) -> list[tuple[Any, float]]:
    """Divide a batch into parts of consecutive samples.

    Args:
        batch: a tuple or a dataclass, of tensors or again of such; the first dimension of every
            tensor counts the samples.
        parts: 1 to the number of samples.

    Returns:
        Each part with its share of the samples; the shares add up to 1. Losses are means over
        samples, so the sum of their gradients times the shares is the gradient of the whole.
    """
    if parts == 1:
        return [(batch, 1.0)]
    count = size_of(batch)
    return [(piece, size_of(piece) / count) for piece in _divided(batch, parts)]


def _divided(batch: Any, parts: int) -> list[Any]:
    if isinstance(batch, Tensor):
        return list(torch.tensor_split(batch, parts))
    pieces = [_divided(item, parts) for item in _items(batch)]
    return [_like(batch, group) for group in zip(*pieces, strict=True)]


def _items(batch: Any) -> list[Any]:
    if dataclasses.is_dataclass(batch):
        return [getattr(batch, field.name) for field in dataclasses.fields(batch)]
    return list(batch)


def _like(batch: Any, items: Sequence[Any]) -> Any:
    if dataclasses.is_dataclass(batch):
        names = [field.name for field in dataclasses.fields(batch)]
        make: Any = type(batch)
        return make(**dict(zip(names, items, strict=True)))
    return tuple(items)


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
