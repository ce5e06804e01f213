"""What a time budget buys on this computer: measured in a few seconds, said in words.

The training itself measures again, on its own data and at its own time; this only tells the person
before anything is begun.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.finetuning.budget import Speed, schedule_of
from retina_viewer.finetuning.plan import TrainingPlan
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.training.training_status import duration
from retina_viewer.ui.widgets import layout

_KEY = "training trial"
_SETTLED_MS = 400
FIXED = "The number of steps is given below, so no time is."
_PHOTOGRAPHS = 2
_LOADED = 0.3


class BudgetLabel(QLabel):
    """Measures once for each base and its steps, and only while it is seen."""

    failed = Signal(object)
    """(UserError): the trial could not be made, which the training could not either"""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self.setProperty("role", "dim")
        self.setWordWrap(True)
        self._jobs = jobs
        self._plan: TrainingPlan | None = None
        self._speeds: dict[tuple[str, tuple[int, ...]], list[Speed]] = {}
        self._settled = layout.delayed(self, _SETTLED_MS, self._try)

    def show_plan(self, plan: TrainingPlan | None) -> None:
        """Say what a plan's minutes buy; None where there is no plan yet."""
        self._plan = plan
        if plan is None:
            self.setText("")
        elif plan.expert.iterations is not None:
            self.setText(FIXED)
        elif (known := self._speeds.get((plan.base, plan.steps))) is not None:
            self.setText(budget_in_words(plan, known))
        else:
            self.setText("How many steps that is here will be measured.")
            self._settled.start()

    def stop(self) -> None:
        """Leave the processor to the training."""
        self._settled.stop()
        self._jobs.cancel(_KEY)

    def _try(self) -> None:
        plan = self._plan
        if plan is None or plan.expert.iterations is not None or not self.isVisible():
            return
        key = (plan.base, plan.steps)

        def done(speeds: list[Speed]) -> None:
            self._speeds[key] = speeds
            self.show_plan(self._plan)

        self.setText("Measuring how fast this computer trains…")
        work = partial(measured_speeds, plan)
        self._jobs.submit(_KEY, work, done, failed=self._not_measured, lane=Lane.LONG)

    def _not_measured(self, error: Exception) -> None:
        self.setText("How many steps that is here could not be measured.")
        if isinstance(error, UserError):
            self.failed.emit(error)


def measured_speeds(plan: TrainingPlan, progress: Progress = no_progress) -> list[Speed]:
    """How fast each stage of a whole plan is, in their order: train for a few seconds with a few of
    its photographs; nothing is kept. Raises UserError: a photograph or the base cannot be read, or
    they do not fit the plan.
    """
    # torch and the tasks take seconds to load; they are there when the person comes here.
    from retina_viewer.finetuning.budget import try_stage
    from retina_viewer.finetuning.run_folder import RunFolder
    from retina_viewer.finetuning.tuning import recipes_of
    from retina_viewer.finetuning.tuning_data import load_data
    from retina_viewer.model_store.store import find_model, load_network
    from retina_viewer.networks.devices import resolve_device
    from retina_viewer.training.task import TrainContext
    from retina_viewer.training.tasks import tasks_of

    base = find_model(plan.base)
    cards = [base] if base.twin is None else [find_model(base.twin), base]
    device = resolve_device(plan.device)
    speeds: list[Speed] = []
    with tempfile.TemporaryDirectory(prefix="retina-viewer-trial-") as folder:
        some = (*plan.of("train")[:_PHOTOGRAPHS], *plan.of("validation")[:1])
        small = plan.model_copy(update={"photographs": some})
        run = RunFolder(Path(folder))
        data = load_data(run, small, base.field_diameter, part_of(progress, 0.0, _LOADED))
        recipes = recipes_of(small, base)
        count = sum(len(recipe.stages) for recipe in recipes)
        for recipe, card in zip(recipes, cards, strict=True):
            network = load_network(card).to(device)
            for task in tasks_of(recipe, network, data, device):
                done = _LOADED + (1 - _LOADED) * len(speeds) / count
                trying = part_of(progress, done, done + (1 - _LOADED) / count)
                where = TrainContext(
                    Path(folder) / "none", plan.expert.seed, device, lambda event: None, trying
                )
                speeds.append(try_stage(task, len(speeds), where))
    return speeds


def budget_in_words(plan: TrainingPlan, speeds: Sequence[Speed]) -> str:
    """What the plan's minutes buy here: steps of each stage, in words."""
    schedule = schedule_of(plan, speeds)
    names = stage_names(plan, len(speeds))
    steps = [
        f"{stage.iterations:,} steps{f' of {name}' if name else ''}"
        for stage, name in zip(schedule.stages, names, strict=True)
    ]
    listed = " and ".join([part for part in (", ".join(steps[:-1]), steps[-1]) if part])
    return f"On this computer {duration(60 * plan.minutes)} are worth about {listed}."


def stage_names(plan: TrainingPlan, count: int) -> list[str]:
    """``×2 with ×4``, ``×8``; of a saliency GAN ``×2 with ×4 (pixel-trained)``, ..., ``×2 (GAN)``,
    ``×4 (GAN)``, ..."""
    if plan.task == "vessels":
        return [""] * count
    pixel = [" with ".join(f"×{2**step}" for step in steps) for steps in plan.pixel_stages]
    if count == len(pixel):
        return pixel
    gan = [f"×{2**step} (GAN)" for step in plan.steps]
    return [*(f"{one} (pixel-trained)" for one in pixel), *gan]
