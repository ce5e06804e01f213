"""A stand-in for trained vessel networks: dark in green is vessel. It counts its trainings."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.progress import Progress
from retina_viewer.imaging.field_of_view import FieldOfView
from retina_viewer.quality.datasets import Photograph
from studies.comparison_networks import ComparisonTrainer


class DarkIsVessel:
    """A segmenter without a network."""

    card = SimpleNamespace(name="dark", threshold=0.6, weights_sha256="0" * 64)

    def probability(self, rgb8: NDArray[np.uint8], field: FieldOfView) -> NDArray[np.float32]:
        assert rgb8.shape[:2] == field.mask.shape
        return (1.0 - rgb8[..., 1] / np.float32(255)).astype(np.float32)


class CountingTrainer(ComparisonTrainer):
    """Leaves a file where a network would be; ``trained`` names the folders it was asked for."""

    def __init__(self, identity: str = "dark-5") -> None:
        self.identity, self.iterations = identity, int(identity.rpartition("-")[2])
        self.trained: list[str] = []
        self.seen: list[tuple[int, int]] = []

    def __call__(
        self,
        train: Sequence[Photograph],
        validation: Sequence[Photograph],
        folder: Path,
        progress: Progress,
    ) -> Any:
        progress(0.0, folder.name)
        if not (folder / "network").exists():
            folder.mkdir(parents=True)
            (folder / "network").touch()
            self.trained.append(folder.name)
            self.seen.append((len(train), len(validation)))
        return DarkIsVessel()
