"""What trainings share."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _one_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timed choice of precision may differ between two trainings that a test compares."""
    monkeypatch.setattr(
        "retina_viewer.training.loop.fastest_precision", lambda device: torch.float32
    )
