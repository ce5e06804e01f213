"""Fits the linear filters that ship: one for each scale, to a mixture of degradations."""

import time
from collections.abc import Sequence

import torch

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.networks.fitted_arrays import LinearFilters
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.protocols import Condition
from studies.fitted_model import Fitted
from studies.fitted_recipe import LinearRecipe
from studies.linear_filter import learned_from, linear_equations


def fit_filters(
    recipe: LinearRecipe, photographs: Sequence[Photograph], progress: Progress = no_progress
) -> Fitted:
    """Fit the filter of every scale.

    Args:
        recipe: scales, mixture, seed.
        photographs: the training photographs; eight of each set are used.

    Raises:
        UserError: there is none, or one cannot be read.
    """
    start = time.monotonic()
    kernels: tuple[Kernel, ...] = ("gaussian", "bicubic") if recipe.bicubic else ("gaussian",)
    conditions = [
        Condition("native", kernel, scale) for scale in recipe.scales for kernel in kernels
    ]
    equations = linear_equations(photographs, conditions, seed=recipe.seed, progress=progress)
    network, samples = LinearFilters(recipe.scales), []
    for scale in recipe.scales:
        mixed = equations[Condition("native", "gaussian", scale)]
        if recipe.bicubic:
            mixed = mixed.plus(equations[Condition("native", "bicubic", scale)], recipe.bicubic)
        network.weights(scale).copy_(torch.from_numpy(mixed.solved().weights))
        samples.append(mixed.samples)
    return Fitted(
        network,
        {"scales": list(recipe.scales)},
        tuple(samples),
        {},
        time.monotonic() - start,
        learned_from(photographs),
    )
