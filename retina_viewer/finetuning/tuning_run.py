"""The parts of a fine-tuning in their order: data, trial, stages, and what comes of them."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import part_of
from retina_viewer.finetuning.budget import (
    Schedule,
    Speed,
    fixed_stage,
    load_schedule,
    save_schedule,
    schedule_of,
    try_stage,
)
from retina_viewer.finetuning.discriminators import take_over
from retina_viewer.finetuning.finishing import TRAINED, finish, seconds_of_ending
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.finetuning.tuned_model import Made
from retina_viewer.finetuning.tuning import TunedRecipe, recipes_of, stage_count
from retina_viewer.finetuning.tuning_data import load_data
from retina_viewer.finetuning.watched import Watched
from retina_viewer.model_store.card import ModelCard
from retina_viewer.model_store.store import find_model, load_network
from retina_viewer.training.checkpoint import Counters
from retina_viewer.training.loop import run_stage
from retina_viewer.training.outcome import TrainingData
from retina_viewer.training.recipe import SaliencyGanStage
from retina_viewer.training.stage import Surroundings
from retina_viewer.training.task import Task
from studies.train import tasks_of

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
