"""The tasks that a recipe asks for, one a stage."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import nn

from retina_viewer.networks.generator_cascade import GeneratorCascade
from retina_viewer.training.outcome import TrainingData
from retina_viewer.training.pairs import PairSource
from retina_viewer.training.patches import PatchSource
from retina_viewer.training.recipe import SaliencyGanStage, SuperresStage, TunedRecipe, VesselRecipe
from retina_viewer.training.saliency_gan_task import SaliencyGanTask
from retina_viewer.training.superres_task import JointTask, SuperresTask
from retina_viewer.training.task import Task
from retina_viewer.training.vessel_task import VesselTask


def tasks_of(
    recipe: TunedRecipe, network: nn.Module, data: TrainingData, device: torch.device
) -> Iterator[Task]:
    """The stages in turn; each is made when the one before it has left its best weights."""
    if isinstance(recipe, VesselRecipe):
        for stage in recipe.stages:
            yield VesselTask(
                network, stage, data.train, data.validation, recipe.field_diameter, device
            )
        return
    assert isinstance(network, GeneratorCascade)
    for step in recipe.stages:
        diameters = step.field_diameters or recipe.field_diameters
        source = PatchSource(data.train, diameters, step.grain, step.sharpening, step.colour)
        degradation = step.degradation or recipe.degradation
        judged = PatchSource(data.validation, diameters)
        if isinstance(step, SuperresStage) and step.together:
            levels = [step.model_copy(update={"step": k + 1}) for k in range(step.step)]
            whole = partial(PairSource, from_photograph=True)
            chain = [whole(network, k, degradation, source, judged, device) for k in levels]
            yield JointTask(network, step, chain, device)
            continue
        pairs = PairSource(network, step, degradation, source, judged, device)
        if isinstance(step, SaliencyGanStage):
            yield SaliencyGanTask(network, step, pairs, device)
        else:
            yield SuperresTask(network, step, pairs, device)
