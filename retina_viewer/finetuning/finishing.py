"""The end of a fine-tuning: its models are written, calibrated and judged."""

import time
from collections.abc import Sequence

from retina_viewer.core.files import atomic_write
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.finetuning.calibrating import FEWEST, MOST, calibrate
from retina_viewer.finetuning.discriminators import keep_discriminators
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.finetuning.tuned_model import (
    Made,
    photographs_of,
    with_threshold,
    write_history,
    write_tuned,
)
from retina_viewer.finetuning.tuning_data import held_out_copies
from retina_viewer.model_store.card import ModelCard, read_card
from retina_viewer.model_store.store import save_card
from retina_viewer.quality.gate import GENERAL_FIELD, LARGEST_FIELD, general_photographs, judge
from retina_viewer.training.outcome import TrainingData
from retina_viewer.training.stage import Surroundings

TRAINED = 0.88
"""How far progress is when the last stage has ended."""
_CALIBRATED, _COPIED = 0.9, 0.91


def finish(
    run: RunFolder,
    plan: TrainingPlan,
    made: Sequence[Made],
    data: TrainingData,
    where: Surroundings,
) -> ModelCard:
    """Leave models, learning curves and verdict in the run folder; for the first process alone.

    Args:
        run: its folder.
        plan: of the run.
        made: the tuned network; of a saliency GAN, its twin before it.
        data: its validation photographs tell a vessel model's threshold, and calibrate the map of
            where detail is a guess.
        where: device and listeners of the whole training.

    Returns:
        The card of the tuned model, with its verdict where photographs were held out.

    Raises:
        UserError: a file cannot be written, or a held-out photograph is missing.
    """
    where.progress(TRAINED, "writing the model")
    tuned, twin = made[-1], made[0] if len(made) > 1 else None
    twin_card = None if twin is None else write_tuned(twin, plan, run.twin, str(where.device))
    card = write_tuned(tuned, plan, run.model, str(where.device))
    if twin is not None:
        first = len(twin.stages) + 1
        keep_discriminators(run.path, plan.steps, card, first=first, base=tuned.base)
    if card.task == "vessels":
        card = with_threshold(card, data.validation, where.device)
    else:
        _calibrate(run, card, twin_card, data, where)
    write_history([stage for one in made for stage in one.stages], run.path / "history.json")
    where.events({"event": "model", "folder": str(run.model), "name": card.name})
    return _judged(run, plan, tuned.base, card, twin_card, where)


def seconds_of_ending(
    run: RunFolder,
    plan: TrainingPlan,
    base: ModelCard,
    data: TrainingData,
    device: str,
    progress: Progress,
) -> float:
    """How long :func:`finish` will take on this machine: the base is judged against itself on one
    photograph, at one scale. A calibration is taken to last as long, a photograph and scale.

    Raises:
        UserError: a held-out photograph is missing.
    """
    scales = [2**step for step in plan.steps] if plan.task == "superres" else None
    held_out = held_out_copies(run, plan, no_progress)
    one = (held_out or data.validation_photographs)[0]

    def measuring(fraction: float, what: str) -> None:
        progress(fraction, "measuring how long the comparison at the end will take")

    started = time.monotonic()
    judge(
        base, base, [one], general=[], scales=None if scales is None else scales[:1], device=device,
        progress=measuring,
    )  # fmt: skip
    seconds = time.monotonic() - started
    calibrated = min(MOST, len(data.validation))
    items = float(calibrated) if scales is not None and calibrated >= FEWEST else 0.0
    if held_out:
        smaller = 1.0 if scales is None else (GENERAL_FIELD / LARGEST_FIELD) ** 2
        items += len(held_out) + smaller * len(general_photographs(plan.task))
    return seconds * items * len(scales or [1])


def _calibrate(
    run: RunFolder,
    card: ModelCard,
    twin: ModelCard | None,
    data: TrainingData,
    where: Surroundings,
) -> None:
    """The map of where detail is a guess, for the new weights."""
    photographs, kept = photographs_of(data.validation), run.cache / "calibration"

    def progress(fraction: float, what: str) -> None:
        done = TRAINED + (_CALIBRATED - TRAINED) * fraction
        where.progress(done, "calibrating the map of where detail is a guess")

    if not calibrate(card, twin, photographs, kept, where.device, progress):
        message = (
            f"There are fewer than {FEWEST} photographs to validate with, or they are too small: "
            "the map of where detail is a guess will not be offered for this model."
        )
        where.events({"event": "notice", "message": message})


def _judged(
    run: RunFolder,
    plan: TrainingPlan,
    base: ModelCard,
    card: ModelCard,
    twin: ModelCard | None,
    where: Surroundings,
) -> ModelCard:
    """The acceptance gate, on the held-out photographs; its verdict goes into the card."""
    held_out = held_out_copies(run, plan, part_of(where.progress, _CALIBRATED, _COPIED))
    if not held_out:
        message = "No photographs were held out, so there is no verdict."
        where.events({"event": "notice", "message": message})
        return card
    where.events({"event": "comparing", "photographs": len(held_out)})
    verdict = judge(
        base,
        card,
        held_out,
        scales=[2**step for step in plan.steps] if plan.task == "superres" else None,
        tuned_twin=twin,
        device=str(where.device),
        log=run.path / "measurements.jsonl",
        progress=part_of(where.progress, _COPIED, 1.0),
    )
    with atomic_write(run.verdict_file, replace=True) as stream:
        stream.write(verdict.model_dump_json(indent=2).encode() + b"\n")
    save_card(card.model_copy(update={"verdict": verdict}), run.model)
    where.events({"event": "verdict", "conclusion": verdict.conclusion})
    return read_card(run.model)
