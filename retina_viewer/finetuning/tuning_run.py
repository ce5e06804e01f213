"""The parts of a fine-tuning in their order: data, trial, stages, and what comes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.finetuning.budget import (
    Schedule,
    Speed,
    fixed_stage,
    load_schedule,
    save_schedule,
    schedule_of,
    try_stage,
)
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.run_folder import Request, RunFolder, Status
from retina_viewer.finetuning.tuned_model import (
    Made,
    photographs_of,
    write_tuned,
)
from retina_viewer.finetuning.tuning import TunedRecipe, recipes_of, stage_count
from retina_viewer.finetuning.tuning_data import held_out_copies, load_data
from retina_viewer.finetuning.watched import Watched
from retina_viewer.model_store.card import ModelCard, read_card
from retina_viewer.model_store.store import find_model, load_network, save_card
from retina_viewer.quality.calibration import FEWEST, MOST, calibrate
from retina_viewer.quality.gate import GENERAL_FIELD, LARGEST_FIELD, general_photographs, judge
from retina_viewer.training.checkpoint import Counters
from retina_viewer.training.distributed import Group
from retina_viewer.training.loop import run_stage
from retina_viewer.training.outcome import TrainingData, with_threshold, write_history
from retina_viewer.training.recipe import SaliencyGanStage
from retina_viewer.training.saliency_gan_task import keep_discriminators, take_over
from retina_viewer.training.stage import Event, Surroundings, Task
from retina_viewer.training.tasks import tasks_of

_LISTEN_SECONDS = 0.2
_REPORT_SECONDS = 2.0
"""Between two progress events in the folder: they tell of parts that have no losses yet."""


class Control:
    """The progress callback of a run: reports, and looks for what the person asks.

    Of several processes only the first one listens and speaks; the loop tells the others.

    Args:
        run: its folder.
        progress: told of progress too; may raise Cancelled.
        events: told of every event after it has been written.
        group: the processes of this training.
    """

    def __init__(
        self,
        run: RunFolder,
        progress: Progress,
        events: Callable[[Event], None],
        group: Group,
    ) -> None:
        self._run, self._progress, self._events, self._group = run, progress, events, group
        self._stopping = run.state().stopping
        self._last_listened = self._last_reported = 0.0
        self.asked: Request | None = None

    def __call__(self, fraction: float, what: str) -> None:
        """See :data:`~retina_viewer.core.progress.Progress`; raises Cancelled when asked to pause
        or cancel."""
        if not self._group.is_first:
            return
        self._progress(fraction, what)
        now = time.monotonic()
        if now - self._last_listened > _LISTEN_SECONDS:
            self._last_listened = now
            self._listen()
        if now - self._last_reported > _REPORT_SECONDS:
            self._last_reported = now
            self.tell({"event": "progress", "fraction": round(fraction, 4), "what": what})

    def _listen(self) -> None:
        word = self._run.take_request()
        if word == "stop":
            # Kept in the folder: a training that is killed now still goes on to its ending only.
            self._run.set_state("running", stopping=True)
            self._stopping = True
        elif word is not None:
            self.asked = word
            raise Cancelled

    def is_stopping(self) -> bool:
        """Whether the person wants the best so far and no more training."""
        return self._stopping

    def tell(self, event: Event) -> None:
        """Write an event into the folder, then tell the listener.

        Raises:
            UserError: it cannot be written.
        """
        if self._group.is_first:
            stamped = {**event, "time": round(time.time(), 2)}
            self._run.append_event(stamped)
            self._events(event)

    def end(self, status: Status, message: str = "", hint: str = "") -> None:
        """Write how it ended, as far as the disk allows: a state that could not be written reads
        as that of a process that is gone, which is true."""
        if not self._group.is_first:
            return
        event: dict[str, Any] = {"event": status}
        if message:
            event |= {"message": message, "hint": hint}
        with suppress(UserError):
            self._run.set_state(status, message=message, hint=hint)
        with suppress(UserError):
            self.tell(event)


_LOADED, _TRIED = 0.03, 0.06
"""How far progress is after each part; then come the stages and what follows them."""


class TuningRun:
    """One fine-tuning, as far as its folder says it has come.

    Args:
        run: its folder.
        plan: of the run.
        where: device, listeners, and ``should_stop``; its checkpoint is set for each stage.

    Raises:
        UserError: the base model is missing, or does not fit the plan.
    """

    def __init__(self, run: RunFolder, plan: TrainingPlan, where: Surroundings) -> None:
        self._run, self._plan, self._where = run, plan, where
        self._base = find_model(plan.base)
        self._twin = find_model(self._base.twin) if self._base.twin else None
        self._count = stage_count(plan, self._base)
        recipes_of(plan, self._base)  # refuses what does not fit before anything is decoded

    def whole(self) -> ModelCard:
        """All parts in turn; those that are done already take no time.

        Returns:
            The card of the tuned model, with its verdict.

        Raises:
            UserError: see :func:`~retina_viewer.finetuning.finetune.finetune`.
        """
        where, group = self._where, self._where.group
        loading = part_of(where.progress, 0.0, _LOADED)
        data = group.first_before_others(
            lambda: load_data(self._run, self._plan, self._base.field_diameter, loading)
        )
        schedule = self._scheduled(data)
        where.events(
            {
                "event": "start",
                "name": self._plan.name,
                "task": self._plan.task,
                "device": str(where.device),
                "steps_planned": schedule.steps,
                "seconds_planned": round(schedule.seconds),
                "seconds_after": schedule.seconds_after,
                "stages": [stage.iterations for stage in schedule.stages],
            }
        )
        made = self._trained(data, schedule)
        written = group.from_first(
            lambda: finish(self._run, self._plan, made, data, where).model_dump_json()
        )
        return ModelCard.model_validate_json(written)

    def _tuned(self, schedule: Schedule | None) -> list[tuple[TunedRecipe, nn.Module]]:
        """What is trained in turn, each with the network it starts from."""
        allotments = None if schedule is None else [s.allotment for s in schedule.stages]
        recipes = recipes_of(self._plan, self._base, allotments)
        cards = [self._base] if self._twin is None else [self._twin, self._base]
        networks = [load_network(card).to(self._where.device) for card in cards]
        for network in networks:
            network.requires_grad_(True)
        return list(zip(recipes, networks, strict=True))

    def _scheduled(self, data: TrainingData) -> Schedule:
        """The run's schedule: kept from before, fixed by the expert, or made by a trial."""
        path, group = self._run.path / "schedule.json", self._where.group

        def kept() -> str | None:
            found = load_schedule(path)
            return None if found is None else found.model_dump_json()

        known = group.from_first(kept)
        if known is not None:
            schedule = Schedule.model_validate_json(known)
            if len(schedule.stages) != self._count:
                raise UserError(f"{path.name} is of another training.", "Start the training anew.")
            return schedule
        expert = self._plan.expert
        if expert.iterations is not None and expert.precision != "auto":
            one = fixed_stage(self._plan, expert.iterations, expert.precision)
            schedule = Schedule(stages=(one,) * self._count)
        else:
            measured = schedule_of(self._plan, self._speeds(data))
            ending = group.from_first(lambda: self._seconds_of_ending(data))
            measured = measured.model_copy(update={"seconds_after": ending})
            # All processes of a group keep to what the first one measured.
            schedule = Schedule.model_validate_json(group.from_first(measured.model_dump_json))
        group.from_first(lambda: save_schedule(schedule, path))
        return schedule

    def _speeds(self, data: TrainingData) -> list[Speed]:
        speeds: list[Speed] = []
        trying = part_of(self._where.progress, _LOADED, _TRIED)
        asked = self._plan.expert.precision
        for recipe, network in self._tuned(None):
            for task in tasks_of(recipe, network, data, self._where.device):
                number = len(speeds)
                where = replace(
                    self._where,
                    checkpoint=self._run.path / "trial.safetensors",  # there never is one
                    progress=part_of(trying, number / self._count, (number + 1) / self._count),
                    precision="" if asked == "auto" else asked,
                )
                watched = Watched(task, number + 1, None, where.events, where.device)
                speeds.append(try_stage(watched, number, where))
                speed = round(1 / speeds[-1].seconds_per_step, 3)
                about = {"stage": number + 1, "task": task.name}
                self._where.events({"event": "trial", **about, "steps_per_second": speed})
        return speeds

    def _seconds_of_ending(self, data: TrainingData) -> float:
        measuring = part_of(self._where.progress, _TRIED, _TRIED)
        device = str(self._where.device)
        return seconds_of_ending(self._run, self._plan, self._base, data, device, measuring)

    def _trained(self, data: TrainingData, schedule: Schedule) -> list[Made]:
        """All stages: of the model, or of the twin and then of the saliency GAN."""
        made: list[Made] = []
        number = 0
        for recipe, network in self._tuned(schedule):
            if made and self._twin is not None:
                carry_over(made[0].network, load_network(self._twin), network)
            stages: list[Counters] = []
            tasks = tasks_of(recipe, network, data, self._where.device)
            for of_recipe, task in zip(recipe.stages, tasks, strict=True):
                if isinstance(of_recipe, SaliencyGanStage):
                    self._prepare_opponent(task, of_recipe.step, number)
                stages.append(self._stage(task, number, schedule))
                number += 1
            if self._twin is not None and not made:
                twin = f"{self._plan.name[:58]}-pixel"
                made.append(Made(twin, self._twin, recipe, network, stages))
            else:
                of = made[0].name if made else None
                made.append(Made(self._plan.name, self._base, recipe, network, stages, of))
        return made

    def _prepare_opponent(self, task: Task, step: int, number: int) -> None:
        """The discriminator goes on from the base's, where that is there and of this form."""
        message = take_over(task, step, self._base)
        if message and not self._checkpoint(number).exists():
            self._where.events({"event": "notice", "message": message})

    def _checkpoint(self, number: int) -> Path:
        return self._run.path / f"stage{number + 1}.safetensors"

    def _stage(self, task: Task, number: int, schedule: Schedule) -> Counters:
        share = (TRAINED - _TRIED) / self._count
        start = _TRIED + share * number
        planned = schedule.stages[number]
        where = replace(
            self._where,
            checkpoint=self._checkpoint(number),
            progress=part_of(self._where.progress, start, start + share),
            precision=planned.precision,
            log_every=planned.log_every,
        )
        folder = self._run.crops / f"stage{number + 1}"
        watched = Watched(task, number + 1, folder, where.events, where.device)
        counters = run_stage(watched, number, where)
        best = {"best_score": counters.best_score or 0.0, "best_step": counters.best_step}
        about = {"stage": number + 1, "task": task.name, "steps": counters.step}
        self._where.events({"event": "stage finished", **about, **best})
        return counters


@torch.no_grad()
def carry_over(tuned_twin: nn.Module, twin: nn.Module, gan: nn.Module) -> None:
    """Let a saliency GAN begin where its tuned twin is: ``gan + (tuned_twin - twin)``.

    What tuning changed in the one is added to the other (task arithmetic: Ilharco et al. 2023,
    "Editing models with task arithmetic", section 2). So the GAN begins with the new photographs'
    look and its own sharpness, and stays near its twin: mixtures of the two, which fidelity asks
    for, remain networks that work.

    Args:
        tuned_twin, twin, gan: of one architecture; ``gan`` is changed, buffers that hold no
            fractions stay.
    """
    new, old = tuned_twin.state_dict(), twin.state_dict()
    for name, value in gan.state_dict().items():
        if value.is_floating_point():
            value += new[name].to(value.device) - old[name].to(value.device)


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
        card = with_threshold(card, photographs_of(data.validation), where.device)
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
