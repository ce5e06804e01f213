"""What the loop asks of a task, and where a training runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.training.distributed import ALONE, Group
from retina_viewer.training.recipe import Optimisation

RESULT_OF = "_x"
"""Before the scale, at the end of the name of a loss or metric: ``rgb_x2``, where a stage trains
several results at once."""


@dataclass(frozen=True)
class Player:
    """A network with its own optimiser: one for plain training, two for a GAN."""

    name: str
    network: nn.Module


class Task(Protocol):
    """One stage: players, batches, losses and a validation that tells which weights are best."""

    @property
    def name(self) -> str:
        """For progress and events: ``superres step 2``, ``vessels``."""

    @property
    def optimisation(self) -> Optimisation: ...

    @property
    def players(self) -> tuple[Player, ...]:
        """In the order in which their losses are asked for; the first is kept and averaged. All are
        updated after that, so each judges the others as the step found them."""

    def batch(self, rng: np.random.Generator) -> Any:
        """A batch, every sample drawn from a child of ``rng`` of its own (``rng.spawn``).

        So the samples of a larger batch can be drawn by several processes. The same ``rng`` gives
        the same batch, once: a second batch from it is drawn from its next children.
        """

    def losses(self, player: Player, batch: Any) -> dict[str, Tensor]:
        """The weighted terms, whose sum ``player`` descends. Runs under the loop's autocast."""

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Metrics of the first player's (averaged) weights; ``score`` is the one to be high."""


Event = Mapping[str, Any]


@dataclass
class TrainContext:
    """Where a training runs and whom it tells."""

    checkpoint: Path
    seed: int
    device: torch.device
    events: Callable[[Event], None]
    progress: Progress = no_progress
    group: Group = ALONE
    precision: str = ""  # float32 or bfloat16; empty to find the faster one by a trial
    log_every: int = 50  # steps between two losses events
    # Asked at every step; true ends the stage with the best weights so far.
    should_stop: Callable[[], bool] = lambda: False
    # Given the validated network and its metrics, gives these and perhaps others.
    observe: Callable[[nn.Module, dict[str, float]], dict[str, float]] = lambda _, metrics: metrics

    def notice(self, message: str) -> None:
        """Tell the person something that needs no answer."""
        self.events({"event": "notice", "message": message})
