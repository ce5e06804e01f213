"""Several processes train one model together: started by ``torchrun``, alone otherwise.

Synchronous data parallelism (Li et al. 2020, "PyTorch Distributed", section 3): every process draws
its own part of the batch, the gradients are averaged over the processes, and each then takes the
same step, so all hold the same weights. What torch's wrapper ``DistributedDataParallel`` does
inside ``backward`` is done after it here: the wrapper averages only for calls that go through it,
and tasks call the steps of a cascade singly and let two players judge each other.

The processes find each other at the address that ``torchrun`` puts into their environment: this
computer's own, unless somebody starts the command on several on purpose. Nothing else of the
program speaks to other processes. docs/decisions/several-processes.md says what is promised.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.progress import Progress
from retina_viewer.networks.devices import resolve_device

Result = TypeVar("Result")
_PATIENCE = timedelta(hours=12)
"""The others wait while the first decodes a large folder. A process that ends is noticed at once:
its connections close, and ``torchrun`` ends the rest."""
_SETTLING = 0.3  # s


@dataclass(frozen=True)
class Group:
    """The processes of one training; alone, nothing is exchanged. The first one writes files,
    events and checkpoints."""

    rank: int = 0  # this process's number
    size: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their means over the processes, in one exchange: floating point, of
        one device, the same shapes in the same order everywhere."""
        parts = list(tensors)
        if self.size == 1 or not parts:
            return
        flat = torch.cat([part.detach().reshape(-1).float() for part in parts])
        with _lost_is_said():
            dist.all_reduce(flat)
        flat /= self.size
        sizes = [part.numel() for part in parts]
        with torch.no_grad():
            for part, mean in zip(parts, torch.split(flat, sizes), strict=True):
                part.copy_(mean.view_as(part))

    def follow_first(self, network: nn.Module) -> None:
        """Give a network the first process's parameters and buffers."""
        if self.size == 1:
            return
        with torch.no_grad():
            for value in network.state_dict().values():
                # Not in place: a broadcast wants memory in one piece, weights may be channels last.
                sent = value.contiguous()
                with _lost_is_said():
                    dist.broadcast(sent, src=0)
                value.copy_(sent)

    def agreed(self, condition: bool) -> bool:
        """Whether the condition holds in every process; all must ask."""
        if self.size == 1:
            return condition
        flag = torch.tensor([int(condition)])
        with _lost_is_said():
            dist.all_reduce(flag, op=dist.ReduceOp.MIN)
        return bool(flag.item())

    def from_first(self, make: Callable[[], Any]) -> Any:
        """What the first process makes, while the others wait for it: something that JSON holds.

        Raises:
            UserError: in the others, when ``make`` failed; the first raises what it raised.
            Cancelled: likewise, when it was cancelled.
        """
        if self.size == 1:
            return make()
        if not self.is_first:
            return _heard()
        try:
            value = make()
        except Exception as error:
            _tell({"failed": str(error), "cancelled": isinstance(error, Cancelled)})
            raise
        _tell({"value": value})
        return value

    def first_before_others(self, work: Callable[[], Result]) -> Result:
        """Do some work in the first process, then in the others, which find its files made; they
        fail when it failed."""
        if not self.is_first:
            _heard()
            return work()
        results: list[Result] = []
        self.from_first(lambda: results.append(work()))
        return results[0]

    def together(self, progress: Progress) -> Progress:
        """A progress callback that cancels all processes when one of theirs cancels; to be called
        equally often everywhere."""
        if self.size == 1:
            return progress

        def report(fraction: float, what: str) -> None:
            cancelled: Cancelled | None = None
            try:
                progress(fraction, what)
            except Cancelled as error:
                cancelled = error
            if not self.agreed(cancelled is None):
                raise cancelled or Cancelled

        return report


ALONE = Group()


@contextmanager
def joined(device: str) -> Iterator[tuple[Group, torch.device]]:
    """The group that the environment names, and the device of this process.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; with several processes ``auto`` and
            ``cuda`` are the GPU of the process's number on its computer.

    Raises:
        UserError: no such device, fewer GPUs than processes, or the others were not found.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE, resolve_device(device)
        return
    own = _own_device(device)
    try:
        # Weights and gradients travel between GPUs, words and numbers between processors.
        dist.init_process_group("cpu:gloo,cuda:nccl" if own.type == "cuda" else "gloo", None,
                                _PATIENCE)  # fmt: skip
    except (ValueError, RuntimeError) as error:
        raise UserError(
            f"The {size} processes of this training did not find each other.",
            "Start them with torchrun, as docs/decisions/several-processes.md shows.",
        ) from error
    try:
        yield Group(dist.get_rank(), dist.get_world_size()), own
    finally:
        dist.destroy_process_group()
        # Threads of gloo let go of their last tensors a little later, and want the interpreter for
        # it: a process that ends in that moment is aborted. See
        # https://github.com/pytorch/pytorch/pull/179291
        time.sleep(_SETTLING)


def _own_device(device: str) -> torch.device:
    resolved = resolve_device(device)
    if resolved.type != "cuda":
        return resolved
    if device.startswith("cuda:"):
        raise UserError(
            f"Several processes cannot share {device}.",
            "Give the device cuda: each process takes the GPU of its number.",
        )
    number, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= count:
        raise UserError(f"There are {count} GPUs, fewer than processes.", "Start fewer processes.")
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


@contextmanager
def _lost_is_said() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # torch has no narrower one for gloo
        raise UserError(
            "Another process of this training has ended.",
            "See what it said; start all of them again with --resume.",
        ) from error


def _tell(message: dict[str, Any]) -> None:
    content = torch.frombuffer(bytearray(json.dumps(message).encode()), dtype=torch.uint8)
    with _lost_is_said():
        dist.broadcast(torch.tensor([content.numel()]), src=0)
        dist.broadcast(content, src=0)


def _heard() -> Any:
    length = torch.zeros(1, dtype=torch.int64)
    with _lost_is_said():
        dist.broadcast(length, src=0)
        content = torch.empty(int(length.item()), dtype=torch.uint8)
        dist.broadcast(content, src=0)
    message: dict[str, Any] = json.loads(bytes(content.tolist()))
    if "failed" not in message:
        return message["value"]
    if message["cancelled"]:
        raise Cancelled
    raise UserError(f"The first process of this training stopped: {message['failed']}")
