"""Checkpoints: all of it back, nothing else accepted."""

from pathlib import Path

import pytest
import torch
from torch import nn

from retina_viewer.core.errors import UserError
from retina_viewer.training.checkpoint import (
    Counters,
    below_prefix,
    load_checkpoint,
    optimiser_tensors,
    restore_optimiser,
    save_checkpoint,
    with_prefix,
)


def test_tensors_and_counters_come_back(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    counters = Counters(stage=1, step=7, best_score=2.5, history=[{"step": 1.0, "loss": 0.5}])
    tensors = with_prefix("network", {"a.b": torch.arange(6.0).reshape(2, 3).T})
    save_checkpoint(path, tensors, Counters())
    save_checkpoint(path, tensors, counters)
    loaded, again = load_checkpoint(path)
    assert again == counters
    torch.testing.assert_close(below_prefix("network", loaded)["a.b"], tensors["network/a.b"])


def test_adam_goes_on_as_if_nothing_had_happened() -> None:
    def steps(layer: nn.Linear, optimiser: torch.optim.Optimizer, count: int) -> None:
        for number in range(count):
            optimiser.zero_grad()
            (layer(torch.full((1, 3), 1.0 + number)) ** 2).sum().backward()
            optimiser.step()

    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(layer.parameters(), lr=0.1)
    steps(layer, optimiser, 3)
    copy = nn.Linear(3, 2)
    copy.load_state_dict(layer.state_dict())
    other = torch.optim.AdamW(copy.parameters(), lr=0.1)
    saved = {key: value.clone() for key, value in optimiser_tensors(optimiser).items()}
    restore_optimiser(other, saved)
    steps(layer, optimiser, 2)
    steps(copy, other, 2)
    torch.testing.assert_close(copy.weight, layer.weight, rtol=0, atol=0)


@pytest.mark.parametrize("content", [b"", b"\x80\x04junk", b"\x08\0\0\0\0\0\0\0{}      "])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match="not a checkpoint"):
        load_checkpoint(path)
