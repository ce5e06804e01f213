"""The parts of a fine-tuning in their order: data, trial, stages, and what comes of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from retina_viewer.core.errors import UserError
from retina_viewer.core.files import atomic_write
from retina_viewer.core.progress import no_progress, part_of
from retina_viewer.finetuning import budget, tuning_data
from retina_viewer.finetuning.budget import Schedule
from retina_viewer.finetuning.observer import Observer
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.finetuning.tuning import recipes_of, replay_share, stage_count
from retina_viewer.model_store.card import ModelCard, read_card
from retina_viewer.model_store.store import find_model, load_network, save_card
from retina_viewer.quality.calibration import FEWEST, MOST, calibrate
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.gate import GENERAL_FIELD, LARGEST_FIELD, general_photographs, judge
from retina_viewer.training import outcome
from retina_viewer.training.checkpoint import Counters
from retina_viewer.training.loop import run_stage
from retina_viewer.training.outcome import TrainingData
from retina_viewer.training.recipe import SaliencyGanStage, TunedRecipe
from retina_viewer.training.saliency_gan_task import keep_discriminators, take_over
from retina_viewer.training.task import Task, TrainContext
from retina_viewer.training.tasks import tasks_of


@dataclass(frozen=True)
class Made:
    """One tuned network and how it came about."""

    name: str  # of the model
    base: ModelCard  # what it was tuned from
    recipe: TunedRecipe
    network: nn.Module
    stages: Sequence[Counters]  # its own
    twin: str | None = None  # the name of its tuned pixel-trained twin


def write_tuned(made: Made, plan: TrainingPlan, folder: Path, device: str) -> ModelCard:
    """Leave weights and card in ``folder``."""
    base = made.base
    title = plan.title or f"{base.title}, tuned"
    train, replay = plan.of("train"), replay_share(plan)
    inherited = {
        "task", "architecture", "parameters", "scales", "margins", "field_diameter", "threshold",
    }  # fmt: skip
    return outcome.write_model(
        folder,
        made.network.state_dict(),
        name=made.name,
        version="1",
        title=title if made.name == plan.name else f"{title} (pixel-trained)",
        **base.model_dump(include=inherited),
        licence=f"{base.licence}; tuned on its owner's photographs, who decides about its use",
        training=outcome.training_summary(
            tuning_data.own(train),
            tuning_data.own(plan.of("validation")),
            [photograph.sha256 for photograph in train],
            practised=tuning_data.replayed(with_vessels=plan.task == "vessels") if replay else (),
            recipe=made.recipe.name,
            recipe_sha256=plan.digest(),
            seed=plan.expert.seed,
            device=device,
            **outcome.lengths(made.stages),
        ),
        validation=outcome.best_scores(made.stages),
        parent=f"{base.name} {base.version}",
        parent_sha256=base.weights_sha256,
        twin=made.twin,
        fidelity=None if made.twin is None else base.fidelity,
    )


_LOADED, _TRIED, _TRAINED, _CALIBRATED, _COPIED = 0.03, 0.06, 0.88, 0.9, 0.91
"""How far progress is after each part."""


class TuningRun:
    """One fine-tuning, as far as its folder says it has come.

    Args:
        where: device, listeners, and ``should_stop``; its checkpoint is set for each stage.

    Raises:
        UserError: the base model is missing, or does not fit the plan.
    """

    def __init__(self, run: RunFolder, plan: TrainingPlan, where: TrainContext) -> None:
        self._run, self._plan, self._where = run, plan, where
        self._base = find_model(plan.base)
        self._twin = find_model(self._base.twin) if self._base.twin else None
        self._count = stage_count(plan, self._base)
        recipes_of(plan, self._base)  # refuses what does not fit before anything is decoded

    def whole(self) -> ModelCard:
        """All parts in turn; those that are done already take no time. The card of the tuned
        model has its verdict."""
        where, group = self._where, self._where.group
        loading = part_of(where.progress, 0.0, _LOADED)
        data = group.first_before_others(
            lambda: tuning_data.load_data(self._run, self._plan, self._base.field_diameter, loading)
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
        written = group.from_first(lambda: self._finished(made, data).model_dump_json())
        return ModelCard.model_validate_json(written)

    def _tuned(self, schedule: Schedule | None) -> list[tuple[TunedRecipe, nn.Module]]:
        """What is trained in turn, each with the network it starts from."""
        stages = None if schedule is None else schedule.stages
        recipes = recipes_of(self._plan, self._base, stages)
        cards = [self._base] if self._twin is None else [self._twin, self._base]
        networks = [load_network(card).to(self._where.device) for card in cards]
        for network in networks:
            network.requires_grad_(True)
        return list(zip(recipes, networks, strict=True))

    def _scheduled(self, data: TrainingData) -> Schedule:
        """The run's schedule: kept from before, fixed by the expert, or made by a trial."""
        path, group = self._run.path / "schedule.json", self._where.group
        known = group.from_first(
            lambda: (kept := budget.load_schedule(path)) and kept.model_dump_json()
        )
        if known:
            schedule = Schedule.model_validate_json(known)
            if len(schedule.stages) != self._count:
                raise UserError(f"{path.name} is of another training.", "Start the training anew.")
            return schedule
        expert = self._plan.expert
        if expert.iterations is not None and expert.precision != "auto":
            one = budget.fixed_stage(self._plan, expert.iterations, expert.precision)
            schedule = Schedule(stages=(one,) * self._count)
        else:
            measured = budget.schedule_of(self._plan, self._speeds(data))
            ending = group.from_first(lambda: self._seconds_of_ending(data))
            measured = measured.model_copy(update={"seconds_after": ending})
            # All processes of a group keep to what the first one measured.
            schedule = Schedule.model_validate_json(group.from_first(measured.model_dump_json))
        group.from_first(lambda: budget.save_schedule(schedule, path))
        return schedule

    def _speeds(self, data: TrainingData) -> list[budget.Speed]:
        speeds: list[budget.Speed] = []
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
                    observe=self._observer(task, number, None),
                )
                speeds.append(budget.try_stage(task, number, where))
                speed = round(1 / speeds[-1].seconds_per_step, 3)
                about = {"stage": number + 1, "task": task.name}
                self._where.events({"event": "trial", **about, "steps_per_second": speed})
        return speeds

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
                    # The discriminator goes on from the base's, where that is of this form.
                    message = take_over(task, of_recipe.step, self._base)
                    if message and not self._checkpoint(number).exists():
                        self._where.notice(message)
                stages.append(self._stage(task, number, schedule))
                number += 1
            if self._twin is not None and not made:
                twin = f"{self._plan.name[:58]}-pixel"
                made.append(Made(twin, self._twin, recipe, network, stages))
            else:
                of = made[0].name if made else None
                made.append(Made(self._plan.name, self._base, recipe, network, stages, of))
        return made

    def _observer(self, task: Task, number: int, folder: Path | None) -> Observer:
        return Observer(task, number + 1, folder, self._where.events, self._where.device)

    def _checkpoint(self, number: int) -> Path:
        return self._run.path / f"stage{number + 1}.safetensors"

    def _stage(self, task: Task, number: int, schedule: Schedule) -> Counters:
        share = (_TRAINED - _TRIED) / self._count
        start = _TRIED + share * number
        planned = schedule.stages[number]
        where = replace(
            self._where,
            checkpoint=self._checkpoint(number),
            progress=part_of(self._where.progress, start, start + share),
            precision=planned.precision,
            log_every=planned.log_every,
            observe=self._observer(task, number, self._run.crops / f"stage{number + 1}"),
        )
        counters = run_stage(task, number, where)
        best = {"best_score": counters.best_score or 0.0, "best_step": counters.best_step}
        about = {"stage": number + 1, "task": task.name, "steps": counters.step}
        self._where.events({"event": "stage finished", **about, **best})
        return counters

    def _finished(self, made: Sequence[Made], data: TrainingData) -> ModelCard:
        """Leave models, learning curves and verdict in the run folder; in the first process alone.

        Validation photographs tell a vessel model's threshold, and calibrate the uncertainty map.
        """
        run, plan, where = self._run, self._plan, self._where
        where.progress(_TRAINED, "writing the model")
        tuned, twin = made[-1], made[0] if len(made) > 1 else None
        twin_card = None if twin is None else write_tuned(twin, plan, run.twin, str(where.device))
        card = write_tuned(tuned, plan, run.model, str(where.device))
        if twin is not None:
            first = len(twin.stages) + 1
            keep_discriminators(run.path, plan.steps, card, first=first, base=tuned.base)
        photographs = tuning_data.photographs_of(data.validation)
        if card.task == "vessels":
            card = outcome.with_threshold(card, photographs, where.device)
        else:
            self._calibrate(card, twin_card, photographs)
        stages = [stage for one in made for stage in one.stages]
        outcome.write_history(stages, run.path / "history.json")
        where.events({"event": "model", "folder": str(run.model), "name": card.name})
        return self._judged(card, twin_card)

    def _seconds_of_ending(self, data: TrainingData) -> float:
        """How long :meth:`_finished` will take on this machine: the base is judged against itself
        on one photograph, at one scale. A calibration is taken to last as long, a photograph and
        scale."""
        held_out = tuning_data.held_out_copies(self._run, self._plan, no_progress)
        one = (held_out or data.validation_photographs)[0]

        def measuring(fraction: float, what: str) -> None:
            self._where.progress(_TRIED, "measuring how long the comparison at the end will take")

        started = time.monotonic()
        judge(
            self._base, self._base, [one], general=[], scales=self._scales and self._scales[:1],
            device=str(self._where.device), progress=measuring,
        )  # fmt: skip
        seconds = time.monotonic() - started
        calibrated = min(MOST, len(data.validation))
        items = float(calibrated) if self._scales is not None and calibrated >= FEWEST else 0.0
        if held_out:
            smaller = 1.0 if self._scales is None else (GENERAL_FIELD / LARGEST_FIELD) ** 2
            items += len(held_out) + smaller * len(general_photographs(self._plan.task))
        return seconds * items * len(self._scales or [1])

    @property
    def _scales(self) -> list[int] | None:
        """Those that are trained; None for vessels."""
        return [2**k for k in self._plan.steps] if self._plan.task == "superres" else None

    def _calibrate(
        self, card: ModelCard, twin: ModelCard | None, photographs: Sequence[Photograph]
    ) -> None:
        """The uncertainty map, for the new weights."""
        where, kept = self._where, self._run.cache / "calibration"

        def progress(fraction: float, what: str) -> None:
            done = _TRAINED + (_CALIBRATED - _TRAINED) * fraction
            where.progress(done, "calibrating the uncertainty map")

        if not calibrate(card, twin, photographs, kept, where.device, progress):
            where.notice(
                f"There are fewer than {FEWEST} photographs to validate with, or they are too "
                "small: the uncertainty map will not be offered for this model."
            )

    def _judged(self, card: ModelCard, twin: ModelCard | None) -> ModelCard:
        """The acceptance gate, on the held-out photographs; its verdict goes into the card."""
        run, where = self._run, self._where
        copying = part_of(where.progress, _CALIBRATED, _COPIED)
        held_out = tuning_data.held_out_copies(run, self._plan, copying)
        if not held_out:
            where.notice("No photographs were held out, so there is no verdict.")
            return card
        where.events({"event": "comparing", "photographs": len(held_out)})
        verdict = judge(
            self._base, card, held_out, scales=self._scales, tuned_twin=twin,
            device=str(where.device), log=run.path / "measurements.jsonl",
            progress=part_of(where.progress, _COPIED, 1.0),
        )  # fmt: skip
        with atomic_write(run.verdict_file, replace=True) as stream:
            stream.write(verdict.model_dump_json(indent=2).encode() + b"\n")
        save_card(card.model_copy(update={"verdict": verdict}), run.model)
        where.events({"event": "verdict", "conclusion": verdict.conclusion})
        return read_card(run.model)


@torch.no_grad()
def carry_over(tuned_twin: nn.Module, twin: nn.Module, gan: nn.Module) -> None:
    """Let a saliency GAN begin where its tuned twin is: ``gan + (tuned_twin - twin)``.

    What tuning changed in the one is added to the other (task arithmetic: Ilharco et al. 2023,
    "Editing models with task arithmetic", section 2). So the GAN begins with the new photographs'
    look and its own sharpness, and stays near its twin: mixtures of the two, which fidelity asks
    for, remain networks that work. Buffers that hold no fractions stay.
    """
    new, old = tuned_twin.state_dict(), twin.state_dict()
    for name, value in gan.state_dict().items():
        if value.is_floating_point():
            value += new[name].to(value.device) - old[name].to(value.device)
