"""The precision that was measured to be faster is taken, and only where the gain is clear."""

import pytest
import torch

from retina_viewer.training import precision


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ({torch.float32: 2.0, torch.bfloat16: 1.0}, torch.bfloat16),
        ({torch.float32: 1.1, torch.bfloat16: 1.0}, torch.float32),
        ({torch.float32: 1.0, torch.bfloat16: 10.0}, torch.float32),
    ],
)
def test_the_choice_follows_the_trial(
    monkeypatch: pytest.MonkeyPatch, seconds: dict[torch.dtype, float], expected: torch.dtype
) -> None:
    monkeypatch.setattr(precision, "_seconds", seconds.__getitem__)
    assert precision.fastest_precision(torch.device("cpu")) == expected


def test_the_trial_itself_runs_in_both() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        assert 0 < precision._seconds(dtype) < 60
