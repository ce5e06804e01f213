"""A short trial on this computer: what a time budget will be worth; no Qt.

The training itself measures again, on its own data and at its own time; this only tells the person
before anything is begun.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.finetuning.budget import Speed, schedule_of
from retina_viewer.finetuning.plan import PlannedPhotograph, TrainingPlan
from retina_viewer.ui.training.training_status import duration

_PHOTOGRAPHS = 2
_LOADED = 0.3


def measured_speeds(plan: TrainingPlan, progress: Progress = no_progress) -> list[Speed]:
    """Train for a few seconds with a few of a plan's photographs; nothing is kept.

    Args:
        plan: whole, as it would be trained.
        progress: may cancel.

    Returns:
        How fast each stage is, in their order.

    Raises:
        UserError: a photograph or the base cannot be read, or they do not fit the plan.
    """
    # torch and the tasks take seconds to load; they are there when the person comes here.
    from retina_viewer.finetuning.budget import try_stage
    from retina_viewer.finetuning.run_folder import RunFolder
    from retina_viewer.finetuning.tuning import recipes_of
    from retina_viewer.finetuning.tuning_data import load_data
    from retina_viewer.model_store.store import find_model, load_network
    from retina_viewer.networks.devices import resolve_device
    from retina_viewer.training.stage import Surroundings
    from retina_viewer.training.tasks import tasks_of

    base = find_model(plan.base)
    cards = [base] if base.twin is None else [find_model(base.twin), base]
    device = resolve_device(plan.device)
    speeds: list[Speed] = []
    with tempfile.TemporaryDirectory(prefix="retina-viewer-trial-") as folder:
        small = plan.model_copy(update={"photographs": _some(plan)})
        run = RunFolder(Path(folder))
        data = load_data(run, small, base.field_diameter, part_of(progress, 0.0, _LOADED))
        recipes = recipes_of(small, base)
        count = sum(len(recipe.stages) for recipe in recipes)
        for recipe, card in zip(recipes, cards, strict=True):
            network = load_network(card).to(device)
            for task in tasks_of(recipe, network, data, device):
                done = _LOADED + (1 - _LOADED) * len(speeds) / count
                trying = part_of(progress, done, done + (1 - _LOADED) / count)
                where = Surroundings(
                    Path(folder) / "none", plan.expert.seed, device, lambda event: None, trying
                )
                speeds.append(try_stage(task, len(speeds), where))
    return speeds


def _some(plan: TrainingPlan) -> tuple[PlannedPhotograph, ...]:
    """A few to train on and one to validate with."""
    return (*plan.of("train")[:_PHOTOGRAPHS], *plan.of("validation")[:1])


def budget_in_words(plan: TrainingPlan, speeds: Sequence[Speed]) -> str:
    """What the plan's minutes buy here: steps of each stage, in words."""
    schedule = schedule_of(plan, speeds)
    names = stage_names(plan, len(speeds))
    steps = [
        f"{stage.iterations:,} steps{f' of {name}' if name else ''}"
        for stage, name in zip(schedule.stages, names, strict=True)
    ]
    time = duration(60 * plan.minutes)
    return f"On this computer {time} are worth about {_listed(steps)}."


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


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
