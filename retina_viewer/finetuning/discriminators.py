"""The discriminators of a GAN's training, kept for the trainings that go on from it.

A fresh discriminator beside a trained generator knows nothing at first: what it then asks for in
the short time of a fine-tuning is noise. So the last state of each step's is kept. The weights that
a model keeps are the averages of its best validation, some hundred steps earlier: near enough.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from retina_viewer.core.errors import UserError
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.extras import read_discriminators, save_discriminators
from retina_viewer.training.task import Task

PLAYER = "discriminator"
"""What a task calls it."""

State = Mapping[str, Tensor]


def keep_discriminators(
    run: Path,
    steps: Sequence[int],
    card: ModelCard,
    *,
    first: int = 1,
    base: ModelCard | None = None,
) -> list[int]:
    """Put the discriminators of a finished training beside its model.

    Args:
        run: the folder with the checkpoints, ``stageN.safetensors``.
        steps: of the cascade, that the stages trained in turn.
        card: of the model folder.
        first: the number of the first of these stages.
        base: what the model was tuned from: its discriminators stand for steps that were not.

    Returns:
        The steps with a discriminator; none where no stage had one, or where they are too large.

    Raises:
        UserError: a checkpoint cannot be read, or the folder not be written.
    """
    found: dict[int, State] = {}
    for number, step in enumerate(steps, first):
        state = _in_checkpoint(run / f"stage{number}.safetensors")
        if state:
            found[step] = state
    if not found:
        return []
    if base is not None:
        found = _kept_with(base)[0] | found
    return sorted(found) if save_discriminators(found, card) else []


def begin_with(task: Task, kept: State | None) -> bool:
    """Let a task's discriminator go on from a kept state.

    Args:
        task: before its stage begins.
        kept: of the same step; None where there is none.

    Returns:
        False where the task has a discriminator and it stays as it was made: nothing was kept, or
        it is of another form.
    """
    players = [player for player in task.players if player.name == PLAYER]
    if not players:
        return True
    network = players[0].network
    wanted = {name: value.shape for name, value in network.state_dict().items()}
    if kept is None or {name: value.shape for name, value in kept.items()} != wanted:
        return False
    network.load_state_dict(dict(kept))
    return True


def take_over(task: Task, step: int, base: ModelCard) -> str:
    """Let a task's discriminator go on from that of the model that is tuned.

    Returns:
        What to tell the person where it does not; else empty.
    """
    kept, problem = _kept_with(base)
    if begin_with(task, kept.get(step)):
        return ""
    why = problem or f"The model {base.name!r} comes without one that fits."
    return f"The discriminator of step {step} starts anew. {why}"


def _kept_with(card: ModelCard) -> tuple[dict[int, State], str]:
    """The discriminators of a model by step, and why they cannot be used."""
    try:
        return dict(read_discriminators(card)), ""
    except UserError as error:
        return {}, error.message


def _in_checkpoint(path: Path) -> dict[str, Tensor]:
    start = f"network/{PLAYER}/"
    try:
        with safe_open(path, framework="pt") as stream:
            names = [key for key in stream.keys() if key.startswith(start)]  # noqa: SIM118
            return {name.removeprefix(start): stream.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"{path.name} is not a checkpoint of this program.") from error
